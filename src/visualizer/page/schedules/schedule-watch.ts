/** Schedules as they are now. They are no news of the feed: whoever looks at them asks about once a second. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import { type Call, CallFault } from '../feed/call.ts';
import { instantOf } from '../model/scalar.ts';
import { isEnded } from '../model/status.ts';
import type { FiringJson, ListSchedulesResponseJson, ScheduleJson } from '../wire.ts';
import { type Firing, firingOf, type Schedule, scheduleOf } from './schedule.ts';

interface Watch<What> {
  /** Undefined until the node has answered. */
  readonly known: ReadonlySignal<What | undefined>;
  /** Why the node does not tell; empty where it does. */
  readonly refusal: ReadonlySignal<string>;
  /** Asks once more, now. */
  ask(): void;
  stop(): void;
}

export interface ScheduleList {
  readonly schedules: readonly Schedule[];
  /** Of the page after it; empty at the end. */
  readonly nextToken: string;
}

export interface ScheduleSeen {
  readonly schedule: Schedule;
  /** The newest first. */
  readonly firings: readonly Firing[];
  /** As they would come if it were not paused. */
  readonly upcoming: readonly number[];
}

const everyMs = 900;
/** What a page of the list has. */
const pageSize = 100;
const shownUpcoming = 5;

/** One page of the list. */
export function watchSchedules(call: Call, pageToken: string): Watch<ScheduleList> {
  return watch(async (_before, signal) => {
    const request = { pageSize, pageToken };
    const answer = await call<ListSchedulesResponseJson>('ScheduleService/ListSchedules', request, {
      signal,
    });
    return { schedules: answer.schedules.map(scheduleOf), nextToken: answer.nextPageToken };
  });
}

/** One schedule, with what comes and what has been where that may have changed. */
export function watchSchedule(call: Call, name: string): Watch<ScheduleSeen> {
  return watch(async (before, signal) => {
    const options = { signal };
    const answer = await call<{ readonly schedule: ScheduleJson }>(
      'ScheduleService/GetSchedule',
      { name },
      options,
    );
    const schedule = scheduleOf(answer.schedule);
    const known = before?.schedule;
    const hasNews =
      known?.last?.sequence !== schedule.last?.sequence ||
      before?.firings.some(({ execution }) => execution !== undefined && !isEnded(execution.status));
    const comesOtherwise =
      known?.revision !== schedule.revision ||
      known.createdAt !== schedule.createdAt ||
      known.next !== schedule.next ||
      (before?.upcoming[0] ?? Number.POSITIVE_INFINITY) <= seconds.peek();
    const firings =
      before === undefined || hasNews
        ? call<{ readonly firings: readonly FiringJson[] }>('ScheduleService/ListFirings', { name }, options)
        : undefined;
    const upcoming =
      before === undefined || comesOtherwise
        ? call<{ readonly instants: readonly string[] }>(
            'ScheduleService/ListUpcomingFirings',
            { name, limit: shownUpcoming },
            options,
          )
        : undefined;
    const [told, coming] = await Promise.all([firings, upcoming]);
    return {
      schedule,
      firings: told?.firings.map(firingOf) ?? before?.firings ?? [],
      upcoming: coming?.instants.map((text) => instantOf(text) ?? 0) ?? before?.upcoming ?? [],
    };
  });
}

/** Asks until it is stopped, and not while the page is hidden, as the clock of the page stands still then. */
function watch<What>(read: (before: What | undefined, signal: AbortSignal) => Promise<What>): Watch<What> {
  const known = signal<What | undefined>(undefined);
  const refusal = signal('');
  const stopping = new AbortController();
  let asked = 0;
  let asking = false;
  let again = false;
  const answered = async () => {
    try {
      known.value = await read(known.peek(), stopping.signal);
      refusal.value = '';
    } catch (error) {
      // Nothing answered, which the page says elsewhere; what was told last stays.
      if (!(error instanceof CallFault) || error.reason === 'UNREACHABLE') return;
      refusal.value = error.message;
    }
  };
  const ask = () => {
    again = asking;
    if (asking || stopping.signal.aborted) return;
    asking = true;
    void answered().finally(() => {
      asking = false;
      if (again) ask();
    });
  };
  const stopBeat = effect(() => {
    const time = seconds.value;
    if (asking || time - asked < everyMs) return;
    asked = time;
    ask();
  });
  return {
    known,
    refusal,
    ask,
    stop: () => {
      stopBeat();
      stopping.abort();
    },
  };
}
