import type { Timing } from './schedule.ts';

/** The instants of a schedule, without an end: in milliseconds since the epoch, each a whole second. */
export interface Recurrence {
  /** The first one after an instant; undefined where none is left. */
  after(instant: number): number | undefined;
}

/** At whole intervals from an instant on, that one included. */
export function intervalRecurrence({ everyMs, anchor }: Extract<Timing, { kind: 'interval' }>): Recurrence {
  return {
    after: (instant) => {
      if (instant < anchor) return anchor;
      return anchor + (Math.floor((instant - anchor) / everyMs) + 1) * everyMs;
    },
  };
}

/** The same without what is before `startAt` and after `endAt`. */
export function bounded(
  recurrence: Recurrence,
  { startAt, endAt }: { readonly startAt?: number; readonly endAt?: number },
): Recurrence {
  return {
    after(instant) {
      const found = recurrence.after(startAt === undefined ? instant : Math.max(instant, startAt - 1));
      return found === undefined || (endAt !== undefined && found > endAt) ? undefined : found;
    },
  };
}

/** At most `most` instants after `after`, in their order, up to `until`. */
export function instantsOf(
  recurrence: Recurrence,
  after: number,
  most: number,
  until = Number.POSITIVE_INFINITY,
): number[] {
  const found: number[] = [];
  for (let at = recurrence.after(after); at !== undefined && at <= until; at = recurrence.after(at)) {
    if (found.length === most) break;
    found.push(at);
  }
  return found;
}
