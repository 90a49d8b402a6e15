/**
 * Accepts executions and owns them until their end is durable. A request goes: admission rule → log and
 * actor → slot → attempt → result → reap. See `supervisor-logic.ts` for the actor itself.
 *
 * - Acceptance is heard only when the admission is committed (I2). An attempt may be dispatched before that where
 *   nothing outside can notice: wasm without preopens or network, no invocation id.
 * - What waits for a slot does not keep a large input in memory: it is read back from the store at dispatch.
 */
import { type ActorRefFrom, createActor } from 'xstate';
import { admissionRule } from '../domain/admission.ts';
import type { Clock } from '../domain/clock.ts';
import { notFound, RequestError } from '../domain/errors.ts';
import { type ExecutionRecord, type Invocation, isTerminal } from '../domain/execution.ts';
import type { Admission, AdmissionRequest, Executions } from '../domain/executions.ts';
import type { LogCursor } from '../domain/log.ts';
import type { RuntimeKind, Task } from '../domain/task.ts';
import type { AttemptOutcome, Runtime } from '../runtimes/runtime.ts';
import type { Store } from '../stores/store.ts';
import { Alarms } from './alarms.ts';
import { startAttempt } from './attempts.ts';
import { InvocationClaims } from './claims.ts';
import { Committer, storeUnavailable } from './committer.ts';
import { LiveCursor, StoredCursor } from './cursors.ts';
import { Estimates, unknownDurationMs } from './estimates.ts';
import type { IdSource } from './ids.ts';
import { LiveLog, type LogSurroundings } from './live-log.ts';
import { chartInput, hasNoOutsideEffects, newRecord } from './new-execution.ts';
import { Slots } from './slots.ts';
import { steadyClock } from './steady-clock.ts';
import { fromStore, toStore } from './stored-invocation.ts';
import { type Child, createSupervisorLogic } from './supervisor-logic.ts';

/** What the node's operator and its one telemetry subscriber hear. None of these may throw. */
export interface SupervisorListener {
  /** An execution's record after each commit. */
  committed(record: ExecutionRecord): void;
  storeHealth(error: Error | undefined): void;
  bug(error: unknown, executionId: string): void;
}

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly ids: IdSource;
  /** 0 to 1; spreads retries. */
  readonly random: () => number;
  readonly store: Store;
  readonly runtimes: ReadonlyMap<RuntimeKind, Runtime>;
  readonly slots: number;
  readonly queueLimit: number;
  readonly listener: SupervisorListener;
}

interface Run {
  readonly child: Child;
  readonly task: Task;
  invocation: Invocation | undefined;
  controller: AbortController | undefined;
}

/** An input above this is read back from the store at dispatch rather than kept while it waits. */
const keptInputBytes = 4096;
/** Results not yet durable beyond which no new attempt starts. */
const mostUncommitted = 4096;
const retryAfterMs = 1000;

export class Supervisor implements Executions {
  readonly #options: SupervisorOptions;
  /** For deadlines and alarms, which a wall clock that is set must not move. */
  readonly #steady: Clock;
  readonly #runs = new Map<string, Run>();
  readonly #claims: InvocationClaims;
  readonly #alarms: Alarms;
  readonly #slots: Slots;
  readonly #committer: Committer;
  readonly #estimates = new Estimates();
  readonly #surroundings: LogSurroundings;
  readonly #actor: ActorRefFrom<ReturnType<typeof createSupervisorLogic>>;
  #pending = 0;
  #accepting = true;
  #closed = false;
  #empty: PromiseWithResolvers<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { clock, store } = options;
    this.#steady = steadyClock(clock);
    this.#claims = new InvocationClaims(store);
    this.#slots = new Slots(options.slots);
    this.#alarms = new Alarms(this.#steady, (executionId, at) =>
      this.#actor.send({ type: 'deliver', executionId, event: { type: 'alarm', at } }),
    );
    this.#committer = new Committer(store, clock, {
      committed: (log) => this.#committed(log),
      refused: (log, conflict) => this.#refused(log, conflict),
      health: (error) => {
        options.listener.storeHealth(error);
        if (error === undefined) this.#actor.send({ type: 'pump' });
      },
    });
    this.#surroundings = {
      clock,
      store,
      touched: (log, urgent) => this.#committer.touch(log, urgent),
      limitReached: (log, message) =>
        this.#actor.send({
          type: 'deliver',
          executionId: log.executionId,
          event: { type: 'limit', at: this.#now(), cause: { code: 'OUTPUT_LIMIT', message } },
        }),
    };
    this.#actor = createActor(
      createSupervisorLogic({ clock, steady: this.#steady }, this.#alarms, this.#slots, {
        startAttempt: (child, attempt) => this.#startAttempt(child, attempt),
        stopAttempt: (child) => this.#runs.get(child.log.executionId)?.controller?.abort(),
        mayDispatch: () => this.#committer.healthy && this.#committer.backlog < mostUncommitted,
        leftPending: () => void this.#pending--,
        chartFailed: (child, error) => options.listener.bug(error, child.log.executionId),
      }),
    ).start();
  }

  get load(): {
    readonly live: number;
    readonly running: number;
    readonly pending: number;
    readonly slots: number;
  } {
    return {
      live: this.#runs.size,
      running: this.#slots.running,
      pending: this.#pending,
      slots: this.#slots.total,
    };
  }

  async admit(request: AdmissionRequest): Promise<Admission> {
    const { invocationId, payloadDigest, cancelOnDisconnect } = request;
    if (invocationId === '') {
      return { cursor: this.#creatorCursor(this.#create(request), cancelOnDisconnect), joined: false };
    }
    const { execution, created } = await this.#claims.own(invocationId, payloadDigest, () =>
      this.#create(request),
    );
    if (!(execution instanceof LiveLog)) {
      return { cursor: new StoredCursor(this.#options.store, execution), joined: true };
    }
    return created
      ? { cursor: this.#creatorCursor(execution, cancelOnDisconnect), joined: false }
      : { cursor: new LiveCursor(execution), joined: true };
  }

  async attach(executionId: string, purpose: 'observe' | 'glance' = 'observe'): Promise<LogCursor> {
    const run = this.#runs.get(executionId);
    if (run !== undefined) {
      const cursor = new LiveCursor(run.child.log, { counts: purpose === 'observe' });
      await cursor.admitted();
      return cursor;
    }
    const record = await this.#options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    return new StoredCursor(this.#options.store, record);
  }

  async cancel(executionId: string, reason: string): Promise<{ changed: boolean; record: ExecutionRecord }> {
    const cursor = await this.attach(executionId, 'glance');
    try {
      const child = this.#runs.get(executionId)?.child;
      if (child === undefined) return { changed: false, record: cursor.record };
      const before = child.snapshot;
      this.#actor.send({ type: 'deliver', executionId, event: { type: 'cancel', at: this.#now(), reason } });
      const changed = child.snapshot !== before;
      await cursor.beyond(child.log.record.lastSequence - 1);
      await cursor.admitted();
      return { changed, record: cursor.record };
    } finally {
      cursor.close('done');
    }
  }

  estimate(record: ExecutionRecord): number {
    if (isTerminal(record.status)) return 0;
    const median = this.#estimates.median(functionKey(record));
    const remaining = Math.max(1, record.deadlines.total - this.#now());
    if (median === undefined) return Math.min(remaining, unknownDurationMs);
    const ahead = record.status === 'pending' ? Math.ceil(this.#slots.queued / this.#slots.total) : 0;
    const wait = Math.max(0, (record.deadlines.startAt ?? 0) - this.#now());
    return Math.min(remaining, Math.max(1, Math.round(wait + median * (1 + ahead))));
  }

  /** Refuses new executions from now on. */
  stopAccepting(): void {
    this.#accepting = false;
  }

  /** Resolves when no execution is live any more. */
  async idle(): Promise<void> {
    while (this.#runs.size > 0) {
      this.#empty ??= Promise.withResolvers();
      await this.#empty.promise;
    }
  }

  /** Ends everything that is live with INTERRUPTED. */
  interrupt(message: string): void {
    for (const executionId of [...this.#runs.keys()]) {
      this.#actor.send({
        type: 'deliver',
        executionId,
        event: { type: 'interrupt', at: this.#now(), message },
      });
    }
  }

  /** Resolves when all that was recorded is durable. */
  async durable(): Promise<void> {
    await this.#committer.drained();
  }

  /** Stops the timers; what still lives is not heard of any more. */
  close(): void {
    this.#closed = true;
    this.#alarms.close();
    this.#actor.stop();
  }

  #now(): number {
    return Math.round(this.#steady.now());
  }

  #creatorCursor(log: LiveLog, cancelWhenGone: boolean): LogCursor {
    if (!cancelWhenGone) return new LiveCursor(log);
    const closed = (how: 'done' | 'gone'): void => {
      if (how === 'done' || log.observers > 0 || log.sealed) return;
      this.#actor.send({
        type: 'deliver',
        executionId: log.executionId,
        event: { type: 'cancel', at: this.#now(), reason: 'its caller went away' },
      });
    };
    return new LiveCursor(log, { closed });
  }

  #create(request: AdmissionRequest): LiveLog {
    this.#checkAdmission();
    const { clock, ids } = this.#options;
    const { task, invocation, invocationId } = request;
    const at = { wall: Math.round(clock.now()), steady: this.#now() };
    const admitted = clock.monotonic();
    const claim = invocationId === '' ? undefined : invocationId;
    const record = newRecord(request, { executionId: ids('exec_'), requestId: claim ?? ids('req_') }, at);
    const log = new LiveLog(this.#surroundings, record, task.definition.limits, toStore(invocation), claim);
    const child: Child = {
      log,
      speculative: claim === undefined && hasNoOutsideEffects(task),
      watched: request.mode !== 'sync',
      pending: true,
      stopwatch: { admitted, dispatched: undefined },
      input: chartInput(record, request, at),
    };
    this.#runs.set(record.executionId, { child, task, invocation, controller: undefined });
    this.#pending++;
    this.#actor.send({ type: 'spawn', child });
    return log;
  }

  /** Throws a RequestError where nothing is accepted now. */
  #checkAdmission(): void {
    if (!this.#accepting) {
      throw new RequestError('unavailable', 'the node is draining and takes no new work', {
        reason: 'DRAINING',
        retryAfterMs,
      });
    }
    if (!this.#committer.healthy) throw storeUnavailable();
    const { queueLimit } = this.#options;
    const { running, total: slots } = this.#slots;
    if (admissionRule({ running, slots, pending: this.#pending, queueLimit }) === 'refuse') {
      throw new RequestError(
        'resource_exhausted',
        `the queue is full: ${this.#pending} executions wait for ${slots} slots, allowed are ${queueLimit}`,
        { reason: 'QUEUE_FULL', quota: 'queue-limit', retryAfterMs },
      );
    }
  }

  #startAttempt(child: Child, attempt: number): void {
    const { executionId } = child.log;
    const run = this.#runs.get(executionId);
    if (run === undefined) return;
    const { runtimes, store, clock, listener } = this.#options;
    run.controller = startAttempt(
      runtimes.get(run.task.definition.runtime),
      {
        executionId,
        number: attempt,
        task: run.task,
        invocation:
          run.invocation ??
          ((signal) => fromStore(store, clock, child.log.record, signal, (error) => this.#readHealth(error))),
      },
      child.log,
      (end) => this.#attemptEnded(child, end),
      (error) => listener.bug(error, executionId),
    );
    if (child.input.retry.maxAttempts === 1) run.invocation = undefined;
  }

  /** That it can be read again says nothing of a store that cannot be written. */
  #readHealth(error: Error | undefined): void {
    if (error !== undefined || this.#committer.healthy) this.#options.listener.storeHealth(error);
  }

  #attemptEnded(child: Child, end: AttemptOutcome): void {
    const { executionId } = child.log;
    if (this.#closed) return;
    if (!this.#runs.has(executionId)) {
      this.#actor.send({ type: 'gone', executionId });
      return;
    }
    child.log.note(end.instanceId, end.resourceUse);
    this.#actor.send({
      type: 'deliver',
      executionId,
      event: { type: 'attemptEnded', at: this.#now(), end, random: this.#options.random() },
    });
  }

  #committed(log: LiveLog): void {
    const { executionId } = log;
    const run = this.#runs.get(executionId);
    if (run === undefined) return;
    const record = log.committed as ExecutionRecord;
    this.#options.listener.committed(record);
    if (log.complete) {
      if (record.status === 'completed') {
        this.#estimates.record(functionKey(record), record.executionTimeMs);
      }
      this.#forget(log);
    } else if (record.attempt === 0) {
      if ((run.invocation?.input.byteLength ?? 0) > keptInputBytes) run.invocation = undefined;
      if (!run.child.speculative) this.#actor.send({ type: 'admitted', executionId });
    }
  }

  #refused(log: LiveLog, conflict: { readonly ownerId: string } | undefined): void {
    if (conflict !== undefined) {
      log.fail(
        new RequestError('already_exists', `invocation_id: already used by ${conflict.ownerId}`, {
          reason: 'INVOCATION_ID_IN_USE',
          metadata: { execution_id: conflict.ownerId },
        }),
      );
    }
    this.#forget(log);
  }

  #forget(log: LiveLog): void {
    const { executionId, record } = log;
    this.#actor.send({ type: 'reap', executionId });
    this.#runs.delete(executionId);
    if (record.invocationId !== '') this.#claims.release(record.invocationId);
    if (this.#runs.size === 0) {
      this.#empty?.resolve();
      this.#empty = undefined;
    }
  }
}

function functionKey(record: ExecutionRecord): string {
  return `${record.taskId}/${record.taskRevision}#${record.functionName}`;
}
