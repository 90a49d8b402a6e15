import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../domain/errors.ts';
import {
  type FiringJson,
  FiringSchema,
  type Schedule as Message,
  type ScheduleDefinitionSchema,
  type ScheduleJson,
  ScheduleOverlap,
  ScheduleSchema,
} from '../server/gen/spearlet/schedule_pb.js';
import { messageToJson } from '../server/wire/json-response.ts';
import type { CallOptions } from './execution.ts';
import { type InvokeOptions, requestOf } from './invocation.ts';
import type { NodeCalls } from './node-calls.ts';

/** What is invoked, and when: `cron` or `everyMs`. docs/schedules.md says what each means. */
export interface ScheduleDefinition
  extends Omit<
    InvokeOptions,
    'invocationId' | 'startAfterMs' | 'cancelOnDisconnect' | 'dependsOn' | 'signal'
  > {
  readonly task: string;
  /** 5 or 6 fields, or such as `@daily`. */
  readonly cron?: string;
  /** Whole seconds. */
  readonly everyMs?: number;
  /** An IANA name; absent is UTC. */
  readonly timezone?: string;
  /** While an earlier firing has not ended; absent is SKIP. */
  readonly overlap?: 'SKIP' | 'QUEUE' | 'CANCEL_RUNNING' | 'ALLOW';
  readonly catchUpMs?: number;
  readonly jitterMs?: number;
  readonly startAt?: Date;
  readonly endAt?: Date;
  readonly description?: string;
}

/** A schedule as the server keeps it; 64-bit numbers are strings of digits, times are RFC 3339. */
export type Schedule = ScheduleJson;
/** What became of an instant, in the same form. */
export type Firing = FiringJson;

/** The schedules of a node. */
export class Schedules {
  readonly #calls: NodeCalls;

  /** @internal */
  constructor(calls: NodeCalls) {
    this.#calls = calls;
  }

  /** Rejects with a SpearError of ALREADY_EXISTS where there is one of that name. */
  async create(name: string, definition: ScheduleDefinition, options: CallOptions = {}): Promise<Schedule> {
    const { signal } = options;
    // A second try would find the schedule that the first one made.
    const answer = await this.#calls.once(
      async () =>
        this.#calls.schedules.createSchedule(
          { definition: definitionOf(name, definition) },
          callWith(signal),
        ),
      signal,
    );
    return scheduleOf(answer.schedule);
  }

  /** Replaces all that it says. What it has fired stays, and so does a pause. */
  async update(
    name: string,
    definition: ScheduleDefinition,
    { expectedRevision = 0, signal }: CallOptions & { expectedRevision?: number } = {},
  ): Promise<Schedule> {
    const call = async () =>
      this.#calls.schedules.updateSchedule(
        { definition: definitionOf(name, definition), expectedRevision },
        callWith(signal),
      );
    return scheduleOf((await this.#calls.once(call, signal)).schedule);
  }

  async get(name: string, { signal }: CallOptions = {}): Promise<Schedule> {
    const call = () => this.#calls.schedules.getSchedule({ name }, callWith(signal));
    return scheduleOf((await this.#calls.repeated(call, signal)).schedule);
  }

  /** By name, over as many calls as it takes. */
  async *list({ signal }: CallOptions = {}): AsyncGenerator<Schedule, void, undefined> {
    let pageToken = '';
    do {
      const call = () => this.#calls.schedules.listSchedules({ pageToken }, callWith(signal));
      const page = await this.#calls.repeated(call, signal);
      for (const each of page.schedules) yield scheduleOf(each);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /** Nothing fires by the clock until it is resumed. Resolves with whether that changed something. */
  async pause(
    name: string,
    { reason = '', signal }: CallOptions & { reason?: string } = {},
  ): Promise<boolean> {
    const call = () => this.#calls.schedules.pauseSchedule({ name, reason }, callWith(signal));
    return (await this.#calls.repeated(call, signal)).changed;
  }

  async resume(name: string, { signal }: CallOptions = {}): Promise<boolean> {
    const call = () => this.#calls.schedules.resumeSchedule({ name }, callWith(signal));
    return (await this.#calls.repeated(call, signal)).changed;
  }

  /** Fires once, now, also while it is paused. It is sent once: a second try would fire again. */
  async trigger(name: string, { signal }: CallOptions = {}): Promise<Firing> {
    const call = () => this.#calls.schedules.triggerSchedule({ name }, callWith(signal));
    const { firing } = await this.#calls.once(call, signal);
    if (firing === undefined) throw new Error('the server answered without the firing');
    return messageToJson(FiringSchema, firing) as Firing;
  }

  /** Fires each instant of a time that has passed; one whose execution is there is not fired again. */
  async backfill(
    name: string,
    { from, to, dryRun = false, signal }: CallOptions & { from: Date; to: Date; dryRun?: boolean },
  ): Promise<Firing[]> {
    const request = { name, from: timestampFromDate(from), to: timestampFromDate(to), dryRun };
    const call = () => this.#calls.schedules.backfillSchedule(request, callWith(signal));
    const { firings } = await this.#calls.repeated(call, signal);
    return firings.map((firing) => messageToJson(FiringSchema, firing) as Firing);
  }

  /** The next instants; at most 100. */
  async upcoming(
    name: string,
    { limit = 10, signal }: CallOptions & { limit?: number } = {},
  ): Promise<Date[]> {
    const call = () => this.#calls.schedules.listUpcomingFirings({ name, limit }, callWith(signal));
    return (await this.#calls.repeated(call, signal)).instants.map(timestampDate);
  }

  /** The last 100 of what became of its firings, the newest first. */
  async firings(name: string, { signal }: CallOptions = {}): Promise<Firing[]> {
    const call = () => this.#calls.schedules.listFirings({ name }, callWith(signal));
    const { firings } = await this.#calls.repeated(call, signal);
    return firings.map((firing) => messageToJson(FiringSchema, firing) as Firing);
  }

  /** What it has fired goes on. */
  async delete(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#calls.once(() => this.#calls.schedules.deleteSchedule({ name }, callWith(signal)), signal);
  }
}

function definitionOf(
  name: string,
  definition: ScheduleDefinition,
): MessageInitShape<typeof ScheduleDefinitionSchema> {
  const { task, cron, everyMs, timezone = '', overlap, catchUpMs, jitterMs, startAt, endAt } = definition;
  const { description = '' } = definition;
  if ((cron === undefined) === (everyMs === undefined)) {
    throw invalidArgument('cron', 'stands beside everyMs, or neither is given; allowed is one of them');
  }
  // The node makes the id of each firing.
  const invocation = requestOf(task, '', definition);
  return {
    ...{ name, invocation, timezone, description },
    when:
      cron !== undefined
        ? { case: 'cron', value: cron }
        : { case: 'interval', value: durationFromMs(everyMs ?? 0) },
    ...(overlap !== undefined && { overlap: ScheduleOverlap[overlap] }),
    ...(catchUpMs !== undefined && { catchUp: durationFromMs(catchUpMs) }),
    ...(jitterMs !== undefined && { jitter: durationFromMs(jitterMs) }),
    ...(startAt !== undefined && { startAt: timestampFromDate(startAt) }),
    ...(endAt !== undefined && { endAt: timestampFromDate(endAt) }),
  };
}

function scheduleOf(message: Message | undefined): Schedule {
  if (message === undefined) throw new Error('the server answered without the schedule');
  return messageToJson(ScheduleSchema, message) as Schedule;
}

function callWith(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}
