/**
 * The schedules of a node. None is in memory: a row of the store has what one is, and another what it calls.
 *
 * 1. What happens to one schedule goes one after the other (`Turns`), whoever asks for it, and on whichever node.
 * 2. Its row is written with whatever it has fired, or by itself (`firings.ts`).
 */
import type { Clock } from '../../domain/clock.ts';
import { type Duty, ownDuty } from '../../domain/duty.ts';
import { fieldsWithin, invalidArgument, notFound, quote, RequestError } from '../../domain/errors.ts';
import { isoInstant } from '../../domain/instant.ts';
import { isSetBack } from '../../domain/schedule/plan.ts';
import type { Asker, Backfill, Creation, Schedules, ShownSchedule } from '../../domain/schedule/port.ts';
import { instantsOf } from '../../domain/schedule/recurrence.ts';
import { firingRequest } from '../../domain/schedule/request.ts';
import {
  type Firing,
  mostBackfilled,
  type Schedule,
  type ScheduleDraft,
  type ScheduledCall,
  type SeenFiring,
} from '../../domain/schedule/schedule.ts';
import { assertMayName, owned, type Scope, seesTask, tenantOf, tenantToMakeIn } from '../../domain/scope.ts';
import type { SharedTurns } from '../../domain/shared-turns.ts';
import type { SideRow } from '../../domain/side-row.ts';
import { isAway } from '../../domain/store-error.ts';
import { firstScheduleState, nextScheduleState } from '../../machines/schedule.ts';
import { Recurrences } from './cron.ts';
import { DueSchedules, keyOf, seated } from './due-schedules.ts';
import { type FiringOptions, Firings } from './firings.ts';
import { ScheduleClock } from './schedule-clock.ts';
import {
  callId,
  callIn,
  callRow,
  deletionOf,
  firingIn,
  firingQuery,
  scheduleId,
  scheduleIn,
  scheduleKind,
  scheduleRow,
} from './schedule-rows.ts';
import { SeenTime } from './seen-time.ts';
import { Turns } from './turns.ts';

/** Schedules of a node, and of one tenant: nobody takes the places of all. */
const mostSchedules = 100_000;
const mostOfTenant = 20_000;
/** Rows that are read at once for a list. */
const leastPage = 200;

export interface ScheduleBookOptions extends FiringOptions {
  readonly clock: Clock;
  /** Firing them; by default this node's. */
  readonly duty?: Duty;
  /** Of the nodes that share the store; by default nobody else does. */
  readonly turns?: SharedTurns;
  /** Of the time zones: which rules they have. */
  readonly zoneRules: string;
  /** Throws a RequestError while the node takes up nothing new. */
  checkOpen(): void;
  bug(error: unknown, schedule: string): void;
}

export class ScheduleBook implements Schedules {
  readonly #options: ScheduleBookOptions;
  readonly #recurrences = new Recurrences();
  readonly #turns: Turns;
  readonly #firings: Firings;
  readonly #due: DueSchedules;
  readonly #clock: ScheduleClock;
  readonly #duty: Duty;
  readonly #seen: SeenTime;
  #count = 0;
  #stopped = false;

  constructor(options: ScheduleBookOptions) {
    this.#options = options;
    const { store, clock, bug, duty = ownDuty } = options;
    this.#duty = duty;
    this.#turns = new Turns(options.turns);
    this.#firings = new Firings(options);
    const [recurrences, turns, firings] = [this.#recurrences, this.#turns, this.#firings];
    this.#due = new DueSchedules({ store, recurrences, turns, firings, now: () => this.#now(), bug });
    this.#seen = new SeenTime(store, options.zoneRules);
    this.#clock = new ScheduleClock({ clock, run: (now, setBack) => this.#run(now, setBack) });
  }

  /** How many there are. */
  get size(): number {
    return this.#count;
  }

  /** Begins to fire. Resolves when what came due while the node was down has been looked at. */
  async start(): Promise<void> {
    this.#count = await this.#options.store.countRows(scheduleKind);
    await this.#seen.open();
    if (this.#count > 0 && this.#seen.isOther(this.#now())) await this.#reseat();
    await this.#clock.start();
    this.#duty.onChange(() => {
      // Other nodes may have changed any of them.
      if (this.#duty.isMine()) this.#clock.look();
    });
  }

  /** Resolves when nothing is being fired any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#clock.stop();
    if (this.#count > 0) await this.#seen.keep(this.#now()).catch(() => {});
  }

  async create(draft: ScheduleDraft, asker: Asker, { dryRun, pause }: Creation): Promise<ShownSchedule> {
    this.#options.checkOpen();
    const tenant = tenantToMakeIn(asker.scope);
    const { call, ...rules } = draft;
    assertMayName(asker.scope, 'definition.name', rules.name);
    const taskName = await this.#check(draft, asker);
    const now = this.#now();
    const made: Schedule = {
      ...{ rules, ...owned(tenant), taskName, revision: 1, createdAt: now, updatedAt: now },
      ...{ owner: asker.owner, state: firstScheduleState, tries: 0, firings: 0, refusedInARow: 0 },
      counts: { fired: 0, skipped: 0, missed: 0, refused: 0 },
    };
    const active = this.#seatedFrom(made, now);
    const schedule = pause === undefined ? active : paused(active, pause, asker, now);
    return this.#turns.take(keyOf({ tenant, key: rules.name }), async () => {
      if ((await this.#options.store.row(scheduleId(tenant, rules.name))) !== undefined)
        throw taken(rules.name);
      if (!dryRun) {
        if (this.#count >= mostSchedules) throw tooMany('the node', mostSchedules);
        if ((await this.#options.store.countRows(scheduleKind, tenant)) >= mostOfTenant)
          throw tooMany(`the tenant ${quote(tenant)}`, mostOfTenant);
        this.#count += 1;
        await this.#save(schedule, call).catch((error: unknown) => {
          this.#count -= 1;
          throw error;
        });
      }
      return this.#shown(schedule, call);
    });
  }

  async update(
    draft: ScheduleDraft,
    asker: Asker,
    {
      expectedRevision,
      dryRun,
    }: { readonly expectedRevision?: number | undefined; readonly dryRun: boolean },
  ): Promise<ShownSchedule> {
    this.#options.checkOpen();
    const { call, ...rules } = draft;
    const taskName = await this.#check(draft, asker);
    return this.#changing(rules.name, asker.scope, async (before) => {
      if (expectedRevision !== undefined && expectedRevision !== before.revision) {
        throw new RequestError(
          'aborted',
          `expected_revision: is ${expectedRevision}; the schedule has revision ${before.revision}`,
          { reason: 'SCHEDULE_CHANGED', metadata: { revision: String(before.revision) } },
        );
      }
      const now = this.#now();
      const state = nextScheduleState(before.state, 'update') ?? before.state;
      const changed: Schedule = {
        ...before,
        ...{ rules, taskName, owner: asker.owner, revision: before.revision + 1, updatedAt: now, state },
        refusedInARow: 0,
      };
      const schedule = state === 'paused' ? changed : this.#seatedFrom(changed, now);
      if (!dryRun) await this.#save(schedule, call);
      return this.#shown(schedule, call);
    });
  }

  async get(name: string, scope: Scope): Promise<ShownSchedule> {
    const schedule = await this.#find(name, scope);
    const shown = await this.#shown(schedule, await this.#call(schedule));
    return { ...shown, failedInARow: await this.#failedInARow(schedule) };
  }

  async list(after: string, limit: number, scope: Scope): Promise<readonly ShownSchedule[]> {
    const found: ShownSchedule[] = [];
    const tenant = tenantToMakeIn(scope);
    for (let last = after; ; ) {
      // Of many that are out of scope not one at a time.
      const read = Math.max(limit, leastPage);
      const page = await this.#options.store.rows({ kind: scheduleKind, tenant, after: last, limit: read });
      for (const schedule of page.map(scheduleIn)) {
        if (seesSchedule(scope, schedule)) found.push(await this.#shown(schedule, undefined));
        if (found.length === limit) return found;
      }
      const end = page.at(-1);
      if (end === undefined || page.length < read) return found;
      last = end.key;
    }
  }

  async pause(name: string, reason: string, asker: Asker) {
    return this.#changing(name, asker.scope, async (before) => {
      if (before.state === 'paused') return { shown: await this.#shown(before, undefined), changed: false };
      if (nextScheduleState(before.state, 'pause') === undefined) throw notIn(before);
      const now = this.#now();
      let schedule = paused(before, reason, asker, now);
      if (before.tries > 0 && before.next !== undefined) {
        // It waited to be tried again, and will not be.
        const attempt = { after: schedule, instant: before.next, cause: 'clock' as const };
        const why = { message: 'the schedule was paused before it could be tried again' };
        ({ schedule } = await this.#firings.decide(attempt, { result: 'refused', ...why }));
      } else await this.#options.store.saveRows([scheduleRow(schedule)]);
      return { shown: await this.#shown(schedule, undefined), changed: true };
    });
  }

  async resume(name: string, scope: Scope) {
    return this.#changing(name, scope, async (before) => {
      const state = nextScheduleState(before.state, 'resume');
      if (state === undefined) return { shown: await this.#shown(before, undefined), changed: false };
      const { pause: _pause, ...rest } = before;
      const schedule = this.#seatedFrom({ ...rest, state, refusedInARow: 0 }, this.#now());
      await this.#save(schedule);
      return { shown: await this.#shown(schedule, undefined), changed: true };
    });
  }

  async trigger(name: string, scope: Scope): Promise<SeenFiring> {
    this.#options.checkOpen();
    return this.#changing(name, scope, async (before, call) => {
      const instant = Math.max(this.#now(), (before.triggeredAt ?? 0) + 1);
      const after = { ...before, triggeredAt: instant };
      const { overlap } = before.rules;
      const { firing, error } = await this.#firings.fire({ after, instant, cause: 'trigger', overlap, call });
      if (error !== undefined) throw error;
      return this.#seenFiring(firing);
    });
  }

  async backfill(name: string, { from, to, overlap, dryRun }: Backfill, scope: Scope) {
    this.#options.checkOpen();
    const now = this.#now();
    if (to > now)
      throw invalidArgument('to', `is ${isoInstant(to)}; allowed is no time after now, ${isoInstant(now)}`);
    if (from > to)
      throw invalidArgument('from', `is ${isoInstant(from)}; allowed is no time after to, ${isoInstant(to)}`);
    return this.#changing(name, scope, async (before, call) => {
      const instants = instantsOf(this.#due.recurrence(before), from - 1, mostBackfilled + 1, to);
      if (instants.length > mostBackfilled) {
        throw invalidArgument(
          'to',
          `is ${isoInstant(to)}; allowed are ${mostBackfilled} instants of one backfill, and there are more`,
        );
      }
      const cause = 'backfill' as const;
      if (dryRun) return instants.map((instant) => ({ instant, cause }));
      const decided: Firing[] = [];
      let after = before;
      for (const instant of instants) {
        const { schedule, firing } = await this.#firings.fire({ after, instant, cause, overlap, call });
        after = schedule;
        decided.push(firing);
      }
      return decided;
    });
  }

  async delete(name: string, scope: Scope): Promise<void> {
    const { store } = this.#options;
    await this.#changing(name, scope, async (schedule) => {
      const tenant = tenantOf(schedule);
      await store.saveRows(deletionOf(tenant, name, await store.rows(firingQuery(tenant, name))));
      this.#count -= 1;
    });
  }

  async upcoming(of: string | Schedule, limit: number, scope: Scope): Promise<readonly number[]> {
    const schedule = typeof of === 'string' ? await this.#find(of, scope) : of;
    const { next } = schedule;
    return instantsOf(this.#due.recurrence(schedule), next === undefined ? this.#now() : next - 1, limit);
  }

  async firings(name: string, scope: Scope): Promise<readonly SeenFiring[]> {
    const schedule = await this.#find(name, scope);
    return this.#history(schedule);
  }

  async #history({ rules: { name }, ...of }: Schedule): Promise<SeenFiring[]> {
    const rows = await this.#options.store.rows(firingQuery(tenantOf(of), name));
    const firings = rows.map(firingIn).sort((a, b) => b.sequence - a.sequence);
    return Promise.all(firings.map((firing) => this.#seenFiring(firing)));
  }

  async #seenFiring(firing: Firing): Promise<SeenFiring> {
    const { executionId } = firing;
    return {
      firing,
      record: executionId === undefined ? undefined : await this.#options.record(executionId),
    };
  }

  /** `call` is given where it is to be shown. */
  async #shown(schedule: Schedule, call: ScheduledCall | undefined): Promise<ShownSchedule> {
    const last = schedule.last === undefined ? undefined : await this.#seenFiring(schedule.last);
    return { schedule, call, last, failedInARow: 0 };
  }

  async #failedInARow(schedule: Schedule): Promise<number> {
    let failed = 0;
    for (const seen of await this.#history(schedule)) {
      if (isFailed(seen)) failed += 1;
      else if (seen.record?.status === 'completed') break;
    }
    return failed;
  }

  /** Throws what an invocation by whoever asks would be refused with; resolves with the name of the task. */
  async #check({ call, ...rules }: ScheduleDraft, { scope, owner }: Asker): Promise<string> {
    const { tasks, defaultTotalMs, digestOf } = this.#options;
    const recurrence = fieldsWithin('definition', () => this.#due.recurrence({ rules }));
    if (recurrence.after(this.#now()) === undefined) throw never(rules);
    const { task } = await tasks.choose(scope, rules.task, '');
    const { name: schedule, overlap } = rules;
    fieldsWithin('definition.invocation', () =>
      firingRequest(task, call, {
        schedule,
        invocationId: '',
        overlap,
        owner,
        tasks,
        defaultTotalMs,
        digestOf,
      }),
    );
    return task.definition.name;
  }

  #seatedFrom(schedule: Schedule, now: number): Schedule {
    return seated(schedule, this.#due.recurrence(schedule).after(now));
  }

  async #save(schedule: Schedule, call?: ScheduledCall): Promise<void> {
    const tenant = tenantOf(schedule);
    const ofCall = call === undefined ? [] : [callRow(tenant, schedule.rules.name, call)];
    await this.#options.store.saveRows([scheduleRow(schedule), ...ofCall]);
    if (schedule.dueAt !== undefined) this.#clock.dueAt(schedule.dueAt);
  }

  async #changing<T>(
    name: string,
    scope: Scope,
    change: (schedule: Schedule, call: ScheduledCall) => Promise<T>,
  ): Promise<T> {
    return this.#turns.take(keyOf({ tenant: tenantToMakeIn(scope), key: name }), async () => {
      const schedule = await this.#find(name, scope);
      return change(schedule, await this.#call(schedule));
    });
  }

  async #call(schedule: Schedule): Promise<ScheduledCall> {
    const row = await this.#options.store.row(callId(tenantOf(schedule), schedule.rules.name));
    if (row === undefined) throw notFound('schedule', schedule.rules.name);
    return callIn(row);
  }

  async #find(name: string, scope: Scope): Promise<Schedule> {
    const row: SideRow | undefined = await this.#options.store.row(scheduleId(tenantToMakeIn(scope), name));
    const schedule = row && scheduleIn(row);
    if (schedule === undefined || !seesSchedule(scope, schedule)) throw notFound('schedule', name);
    return schedule;
  }

  async #run(now: number, setBack: boolean): Promise<number | undefined> {
    if (this.#stopped || !this.#duty.isMine()) return undefined;
    if (setBack && isSetBack(this.#seen.wall, now)) await this.#reseat();
    this.#seen.look(now);
    return this.#due.run(() => this.#stopped);
  }

  async #reseat(): Promise<void> {
    try {
      await this.#due.reseat(() => this.#stopped);
      await this.#seen.keep(this.#now());
    } catch (error) {
      if (!isAway(error)) this.#options.bug(error, '');
    }
  }

  #now(): number {
    return Math.round(this.#options.clock.now());
  }
}

/** Whoever sees its task, where its own name is such a one, too. Who sees one execution sees no schedule. */
function seesSchedule(scope: Scope, schedule: Schedule): boolean {
  const { rules, taskName } = schedule;
  return (
    scope.execution === undefined &&
    seesTask(scope, schedule, taskName) &&
    seesTask(scope, schedule, rules.name)
  );
}

function paused(schedule: Schedule, reason: string, { owner }: Asker, at: number): Schedule {
  const { next: _next, dueAt: _dueAt, ...rest } = schedule;
  return { ...rest, tries: 0, state: 'paused', pause: { at, by: owner.name, reason } };
}

function isFailed(seen: SeenFiring | undefined): boolean {
  const status = seen?.record?.status;
  return status === 'failed' || status === 'timedOut' || status === 'cancelled';
}

function taken(name: string): RequestError {
  return new RequestError(
    'already_exists',
    `definition.name: there is a schedule ${quote(name)}; update it, or take another name`,
    {
      reason: 'SCHEDULE_EXISTS',
      metadata: { schedule: name },
    },
  );
}

function tooMany(who: string, most: number): RequestError {
  return new RequestError('resource_exhausted', `${who} has ${most} schedules, which is the most`, {
    reason: 'TOO_MANY_SCHEDULES',
    quota: 'schedules',
  });
}

function never({ timing, endAt }: Pick<ScheduleDraft, 'timing' | 'endAt'>): RequestError {
  if (endAt !== undefined)
    return invalidArgument('definition.end_at', `is ${isoInstant(endAt)}, and nothing would fire before it`);
  const [field, what] =
    timing.kind === 'cron' ? ['cron', quote(timing.cron)] : ['interval', 'from a time on that is too far'];
  return invalidArgument(`definition.${field}`, `is ${what}, and no such instant ever comes`);
}

function notIn({ rules, state }: Schedule): RequestError {
  return new RequestError(
    'failed_precondition',
    `schedule ${rules.name} is ${state}: it has no instant left`,
    {
      reason: 'SCHEDULE_ENDED',
      metadata: { state },
    },
  );
}
