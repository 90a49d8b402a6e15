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
import { Committer, storeUnavailable } from './committer.ts';
import { LiveCursor, StoredCursor } from './cursors.ts';
import { Estimates, unknownDurationMs } from './estimates.ts';
import type { IdSource } from './ids.ts';
import { LiveLog, type LogSurroundings } from './live-log.ts';
import { Slots } from './slots.ts';
import { steadyClock } from './steady-clock.ts';
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

interface Claim {
  readonly payloadDigest: string;
  /** Settles when it is known which execution owns the key. */
  readonly owner: Promise<LiveLog | ExecutionRecord>;
}

/** An input above this is read back from the store at dispatch rather than kept while it waits. */
const keptInputBytes = 4096;
/** Results not yet durable beyond which no new attempt starts. */
const mostUncommitted = 4096;
const retryAfterMs = 1000;
const readAgainMs = 250;

export class Supervisor implements Executions {
  readonly #options: SupervisorOptions;
  /** For deadlines and alarms, which a wall clock that is set must not move. */
  readonly #steady: Clock;
  readonly #runs = new Map<string, Run>();
  readonly #claims = new Map<string, Claim>();
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
    if (request.invocationId === '') {
      const log = this.#create(request, undefined);
      return { cursor: this.#cursor(log, request.cancelOnDisconnect), joined: false };
    }
    return this.#admitOnce(request);
  }

  async attach(executionId: string): Promise<LogCursor> {
    const run = this.#runs.get(executionId);
    if (run !== undefined) {
      const cursor = new LiveCursor(run.child.log);
      await cursor.admitted();
      return cursor;
    }
    const record = await this.#options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    return new StoredCursor(this.#options.store, record);
  }

  async cancel(executionId: string, reason: string): Promise<{ changed: boolean; record: ExecutionRecord }> {
    const cursor = await this.attach(executionId);
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

  #cursor(log: LiveLog, cancelWhenGone: boolean): LogCursor {
    if (!cancelWhenGone) return new LiveCursor(log);
    return new LiveCursor(log, (how) => {
      if (how === 'done' || log.observers > 0 || log.sealed) return;
      this.#actor.send({
        type: 'deliver',
        executionId: log.executionId,
        event: { type: 'cancel', at: this.#now(), reason: 'its caller went away' },
      });
    });
  }

  async #admitOnce(request: AdmissionRequest): Promise<Admission> {
    const { invocationId, payloadDigest } = request;
    const known = this.#claims.get(invocationId);
    if (known !== undefined) return this.#join(await known.owner, payloadDigest, invocationId);
    const owner = this.#findOrCreate(request);
    const claim = { payloadDigest, owner };
    this.#claims.set(invocationId, claim);
    try {
      const found = await owner;
      if (!(found instanceof LiveLog)) return this.#join(found, payloadDigest, invocationId);
      return { cursor: this.#cursor(found, request.cancelOnDisconnect), joined: false };
    } finally {
      // From here on the store answers, or the live execution holds the claim until it is reaped.
      const found = await owner.catch(() => undefined);
      if (!(found instanceof LiveLog) && this.#claims.get(invocationId) === claim) {
        this.#claims.delete(invocationId);
      }
    }
  }

  async #findOrCreate(request: AdmissionRequest): Promise<LiveLog | ExecutionRecord> {
    const existing = await this.#options.store.executionByInvocation(request.invocationId);
    if (existing !== undefined) return this.#runs.get(existing.executionId)?.child.log ?? existing;
    const log = this.#create(request, request.invocationId);
    await log.admitted();
    return log;
  }

  #join(found: LiveLog | ExecutionRecord, payloadDigest: string, invocationId: string): Admission {
    const record = found instanceof LiveLog ? found.record : found;
    if (record.payloadDigest !== payloadDigest) {
      throw new RequestError(
        'already_exists',
        `invocation_id: already used by ${record.executionId} with another payload; allowed is a new id, or the same task, function, parameters, input, content type, args and environment`,
        {
          reason: 'INVOCATION_ID_IN_USE',
          violations: [{ field: 'invocation_id', description: `used by ${record.executionId}` }],
          metadata: { execution_id: record.executionId, invocation_id: invocationId },
        },
      );
    }
    const cursor =
      found instanceof LiveLog ? new LiveCursor(found) : new StoredCursor(this.#options.store, found);
    return { cursor, joined: true };
  }

  #create(request: AdmissionRequest, claim: string | undefined): LiveLog {
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
    const { task, invocation } = request;
    const admitted = this.#options.clock.monotonic();
    const record = this.#newRecord(request);
    // The record has the function's name and the content type; most typed calls then need no row of their own.
    const input = { ...invocation, functionName: '', contentType: '' };
    const log = new LiveLog(this.#surroundings, record, task.definition.limits, input, claim);
    const speculative = claim === undefined && hasNoOutsideEffects(task);
    const child: Child = {
      log,
      speculative,
      watched: request.mode !== 'sync',
      pending: true,
      stopwatch: { admitted, dispatched: undefined },
      input: {
        executionId: record.executionId,
        now: record.deadlines.total - request.timeouts.totalMs,
        totalMs: request.timeouts.totalMs,
        graceMs: task.definition.graceMs,
        retry: task.definition.retry,
        ...(record.deadlines.startAt !== undefined && { startAt: record.deadlines.startAt }),
        ...(request.timeouts.queueMs !== undefined && { queueMs: request.timeouts.queueMs }),
        ...(request.timeouts.attemptMs !== undefined && { attemptMs: request.timeouts.attemptMs }),
      },
    };
    this.#runs.set(record.executionId, { child, task, invocation, controller: undefined });
    this.#pending++;
    this.#actor.send({ type: 'spawn', child });
    return log;
  }

  #newRecord(request: AdmissionRequest): ExecutionRecord {
    const { task, timeouts } = request;
    const now = this.#now();
    return {
      executionId: this.#options.ids('exec_'),
      taskId: task.taskId,
      taskName: task.definition.name,
      taskRevision: task.revision,
      functionName: request.invocation.functionName,
      mode: request.mode,
      invocationId: request.invocationId,
      payloadDigest: request.payloadDigest,
      requestId: request.invocationId === '' ? this.#options.ids('req_') : request.invocationId,
      metadata: request.metadata,
      contentType: request.invocation.contentType,
      cancelOnDisconnect: request.cancelOnDisconnect,
      deadlines: {
        total: now + timeouts.totalMs,
        ...(request.startAfterMs > 0 && { startAt: now + request.startAfterMs }),
        ...(timeouts.queueMs !== undefined && { queueMs: timeouts.queueMs }),
        ...(timeouts.attemptMs !== undefined && { attemptMs: timeouts.attemptMs }),
      },
      status: 'pending',
      state: '',
      attempt: 0,
      instanceId: '',
      createdAt: Math.round(this.#options.clock.now()),
      queueTimeMs: 0,
      executionTimeMs: 0,
      lastSequence: 0,
      attemptSequence: 0,
      outputBytes: 0,
      outputEvents: 0,
      droppedBytes: 0,
      resourceUse: {},
    };
  }

  #startAttempt(child: Child, attempt: number): void {
    const { executionId } = child.log;
    const run = this.#runs.get(executionId);
    if (run === undefined) return;
    const { runtimes, listener } = this.#options;
    run.controller = startAttempt(
      runtimes.get(run.task.definition.runtime),
      {
        executionId,
        number: attempt,
        task: run.task,
        invocation: run.invocation ?? ((signal) => this.#storedInvocation(child.log, signal)),
      },
      child.log,
      (end) => this.#attemptEnded(child, end),
      (error) => listener.bug(error, executionId),
    );
    if (child.input.retry.maxAttempts === 1) run.invocation = undefined;
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

  /** Reads an accepted execution's input, and again where the store cannot: what was accepted is not lost (I8). */
  async #storedInvocation(log: LiveLog, signal: AbortSignal): Promise<Invocation | undefined> {
    const { store, clock, listener } = this.#options;
    while (!signal.aborted) {
      try {
        const stored = await store.input(log.executionId);
        const { functionName, contentType } = log.record;
        return stored === undefined ? undefined : { ...stored, functionName, contentType };
      } catch (error) {
        listener.storeHealth(error instanceof Error ? error : new Error(String(error)));
        await new Promise<void>((resolve) => clock.setTimer(readAgainMs, resolve));
      }
    }
    return undefined;
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
    if (record.invocationId !== '') this.#claims.delete(record.invocationId);
    if (this.#runs.size === 0) {
      this.#empty?.resolve();
      this.#empty = undefined;
    }
  }
}

function functionKey(record: ExecutionRecord): string {
  return `${record.taskId}/${record.taskRevision}#${record.functionName}`;
}

/** ARCHITECTURE, one invocation, step 2: nothing outside can tell whether such an attempt has run. */
function hasNoOutsideEffects(task: Task): boolean {
  const { runtime, preopens, allowNetwork } = task.definition;
  return runtime === 'wasm' && !allowNetwork && Object.keys(preopens).length === 0;
}
