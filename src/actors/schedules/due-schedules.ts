/** What the clock does to schedules: it fires those that are due, page by page, and finds their next instants anew. */
import { RequestError } from '../../domain/errors.ts';
import { dueOf, type MissedRun, type Plan, plan, retryAt } from '../../domain/schedule/plan.ts';
import { bounded, type Recurrence } from '../../domain/schedule/recurrence.ts';
import type { Schedule, ScheduledCall } from '../../domain/schedule/schedule.ts';
import type { SideRow } from '../../domain/side-row.ts';
import { isAway } from '../../domain/store-error.ts';
import { firstScheduleState, nextScheduleState, type ScheduleEvent } from '../../machines/schedule.ts';
import { type Store, StoreError } from '../../stores/store.ts';
import type { Recurrences } from './cron.ts';
import { type Decided, type Firings, isForNow, NotNow } from './firings.ts';
import { callId, callIn, scheduleId, scheduleIn, scheduleKind, scheduleRow } from './schedule-rows.ts';
import type { Turns } from './turns.ts';

/** Schedules that are taken up at once. */
const pageSize = 200;
/** When all is tried again while nothing can be written, in milliseconds. */
const retryMs = 1000;

export interface DueOptions {
  readonly store: Store;
  readonly firings: Firings;
  readonly recurrences: Recurrences;
  readonly turns: Turns;
  readonly now: () => number;
  bug(error: unknown, schedule: string): void;
}

export class DueSchedules {
  readonly #options: DueOptions;

  constructor(options: DueOptions) {
    this.#options = options;
  }

  /** Until nothing is due. Resolves with when the next is; undefined where none will be. */
  async run(isStopped: () => boolean): Promise<number | undefined> {
    const { store, now } = this.#options;
    try {
      for (;;) {
        if (isStopped()) return undefined;
        const due = await store.dueRows(scheduleKind, now(), pageSize);
        if (due.length === 0) break;
        const went = await Promise.all(due.map((row) => this.#take(row)));
        if (went.includes(false)) return now() + retryMs;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      return (await store.dueRows(scheduleKind, Number.MAX_VALUE, 1))[0]?.dueAt;
    } catch (error) {
      if (!isAway(error)) this.#options.bug(error, '');
      return now() + retryMs;
    }
  }

  /** Looks for the next instant of each from now on: the clock was set back, or the rules of time zones are others. */
  async reseat(isStopped: () => boolean): Promise<void> {
    const { store, turns } = this.#options;
    for (let after: SideRow | undefined; ; ) {
      const place = after?.dueAt === undefined ? undefined : { ...after, dueAt: after.dueAt };
      const page = await store.dueRows(scheduleKind, Number.MAX_VALUE, pageSize, place);
      for (const row of page) {
        await turns.take(keyOf(row), async () => {
          const stored = await store.row(row);
          if (stored !== undefined) await this.#reseatOne(scheduleIn(stored));
        });
      }
      after = page.at(-1);
      if (after === undefined || isStopped()) return;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  async #reseatOne(schedule: Schedule): Promise<void> {
    const { store, now } = this.#options;
    // What is due fires first; what is tried again keeps its turn.
    if (schedule.next === undefined || schedule.tries > 0 || schedule.next <= now()) return;
    const moved = seated(schedule, this.recurrence(schedule).after(now()));
    if (moved.next !== schedule.next) await store.saveRows([scheduleRow(moved)]);
  }

  recurrence({ rules }: Pick<Schedule, 'rules'>): Recurrence {
    return bounded(this.#options.recurrences.of(rules.timing), rules);
  }

  /** False where nothing can be written now. */
  async #take(row: SideRow): Promise<boolean> {
    try {
      await this.#options.turns.take(keyOf(row), async () => {
        const { store } = this.#options;
        const stored = await store.row(scheduleId(row.tenant, row.key));
        // It was changed or deleted meanwhile.
        if (stored?.dueAt === undefined || stored.dueAt > this.#options.now()) return;
        const call = await store.row(callId(row.tenant, row.key));
        if (call === undefined) throw new Error('what it calls is not there');
        await this.#due(scheduleIn(stored), callIn(call));
      });
      return true;
    } catch (error) {
      const isKnown = error instanceof NotNow || error instanceof StoreError || isAway(error);
      if (!isKnown) this.#options.bug(error, row.key);
      return false;
    }
  }

  async #due(schedule: Schedule, call: ScheduledCall): Promise<void> {
    const now = this.#options.now();
    const planned: Plan = plan(schedule, this.recurrence(schedule), now);
    const after =
      planned.missed === undefined ? schedule : await this.#miss(schedule, planned, planned.missed);
    if (planned.kind === 'fire') await this.#fire(after, call, planned);
    else if (planned.missed === undefined)
      await this.#options.store.saveRows([scheduleRow(seated(after, planned.next))]);
  }

  async #miss(schedule: Schedule, planned: Plan, missed: MissedRun): Promise<Schedule> {
    const { instant, ...run } = missed;
    // What fires next is still to come, should the node end before it does.
    const next = planned.kind === 'fire' ? planned.instant : planned.next;
    const after = seated(schedule, next);
    const decided = await this.#options.firings.decide(
      { after, instant, cause: 'clock' },
      { result: 'missed', missed: run },
    );
    return decided.schedule;
  }

  async #fire(
    schedule: Schedule,
    call: ScheduledCall,
    { instant, next }: Extract<Plan, { kind: 'fire' }>,
  ): Promise<Decided | undefined> {
    const { firings, store, now } = this.#options;
    const after = seated({ ...schedule, state: firstScheduleState }, next);
    const attempt = { after, instant, cause: 'clock' as const, overlap: schedule.rules.overlap, call };
    try {
      return await firings.fire(attempt);
    } catch (error) {
      if (!(error instanceof RequestError && isForNow(error))) throw error;
      const dueAt = retryAt(schedule, instant, schedule.tries, now());
      if (dueAt === undefined) return firings.refuse(attempt, error);
      const tries = schedule.tries + 1;
      const waits = {
        ...schedule,
        state: stateAfter(schedule.state, 'due', 'postponed'),
        next: instant,
        dueAt,
        tries,
      };
      await store.saveRows([scheduleRow(waits)]);
      return undefined;
    }
  }
}

/** Of what goes one after the other. */
export function keyOf({ tenant, key }: Pick<SideRow, 'tenant' | 'key'>): string {
  return `${tenant}/${key}`;
}

/** The schedule with that instant as its next one; ended where it has none. */
export function seated(schedule: Schedule, next: number | undefined): Schedule {
  const { next: _next, dueAt: _dueAt, ...rest } = schedule;
  if (next === undefined) {
    return { ...rest, tries: 0, state: nextScheduleState(firstScheduleState, 'exhausted') ?? rest.state };
  }
  return { ...rest, tries: 0, next, dueAt: dueOf(schedule, next) };
}

/** Where some events lead, one after another. */
function stateAfter(state: string, ...events: readonly ScheduleEvent['type'][]): string {
  return events.reduce((at, event) => nextScheduleState(at, event) ?? at, state);
}
