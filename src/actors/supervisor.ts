/**
 * Accepts executions and owns them until their end is durable. A request goes: admission rule → log and
 * actor → slot → attempt → result → reap. See `supervisor-logic.ts` for the actor itself.
 *
 * - Acceptance is heard only when the admission is committed (I2). An attempt may be dispatched before that where
 *   nothing outside can notice: wasm without preopens or network, no invocation id.
 * - What waits for a slot does not keep a large input in memory: it is read back from the store at dispatch.
 */
import { type ActorRefFrom, createActor } from 'xstate';
import type { Clock } from '../domain/clock.ts';
import { notFound, RequestError } from '../domain/errors.ts';
import type { LogEvent } from '../domain/event.ts';
import { type ExecutionRecord, type Invocation, isTerminal } from '../domain/execution.ts';
import type { Admission, AdmissionRequest, Changed, Executions, Transfers } from '../domain/executions.ts';
import type { Explanation, Explanations } from '../domain/explanation.ts';
import type { LogCursor } from '../domain/log.ts';
import type { CommitTap } from '../domain/node-feed.ts';
import type { RuntimeKind, Task } from '../domain/task.ts';
import type { ExecutionEvent } from '../machines/execution-context.ts';
import { SnapshotIncompatible } from '../machines/migrations.ts';
import type { AttemptOutcome, Runtime } from '../runtimes/runtime.ts';
import type { Store } from '../stores/store.ts';
import { AdmissionGate } from './admission-gate.ts';
import { Alarms } from './alarms.ts';
import { startAttempt } from './attempts.ts';
import { BreakpointTable } from './breakpoints.ts';
import { InvocationClaims } from './claims.ts';
import { Committer } from './committer.ts';
import { LiveCursor, StoredCursor } from './cursors.ts';
import { Estimates, unknownDurationMs } from './estimates.ts';
import { explain } from './explaining.ts';
import type { Block } from './explanation.ts';
import type { IdSource } from './ids.ts';
import { LiveLog, type LogSurroundings } from './live-log.ts';
import { chartInput, hasNoOutsideEffects, newRecord } from './new-execution.ts';
import { type RecoveryReport, recoverUnfinished } from './recovery.ts';
import { mayFollowAgain, Revival } from './revival.ts';
import { Slots } from './slots.ts';
import { steadyClock } from './steady-clock.ts';
import { Steering } from './steering.ts';
import { notInState } from './stored-execution.ts';
import { fromStore, toStore } from './stored-invocation.ts';
import { type Child, createSupervisorLogic } from './supervisor-logic.ts';

/** What the node's operator and its one telemetry subscriber hear. None of these may throw. */
export interface SupervisorListener {
  /** An execution's record after each commit, and the events that it brought. */
  readonly committed: CommitTap;
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

export class Supervisor implements Executions, Transfers, Explanations {
  readonly #options: SupervisorOptions;
  /** For deadlines and alarms, which a wall clock that is set must not move. */
  readonly #steady: Clock;
  readonly #runs = new Map<string, Run>();
  readonly #claims: InvocationClaims;
  readonly #alarms: Alarms;
  readonly #slots: Slots;
  readonly #committer: Committer;
  readonly #gate: AdmissionGate;
  readonly #estimates = new Estimates();
  readonly #surroundings: LogSurroundings;
  readonly #steering: Steering;
  readonly #revival: Revival;
  readonly breakpoints: BreakpointTable;
  readonly #actor: ActorRefFrom<ReturnType<typeof createSupervisorLogic>>;
  #pending = 0;
  /** No new attempt starts: not before all is recovered, and not in a drain. */
  #dispatching = true;
  #closed = false;
  #quiet: PromiseWithResolvers<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { clock, store } = options;
    this.#steady = steadyClock(clock);
    this.breakpoints = new BreakpointTable(clock, options.ids);
    this.#claims = new InvocationClaims(store, (executionId) => this.#runs.get(executionId)?.child.log);
    this.#slots = new Slots(options.slots);
    this.#alarms = new Alarms(this.#steady, (executionId, at) =>
      this.#deliver(executionId, { type: 'alarm', at }),
    );
    this.#committer = new Committer(store, clock, {
      committed: (log, events) => this.#committed(log, events),
      refused: (log, conflict) => this.#refused(log, conflict),
      health: (error) => {
        options.listener.storeHealth(error);
        if (error === undefined) this.#actor.send({ type: 'pump' });
      },
    });
    this.#gate = new AdmissionGate({
      committer: this.#committer,
      store,
      slots: this.#slots,
      queueLimit: options.queueLimit,
    });
    this.#surroundings = {
      clock,
      store,
      touched: (log, urgent) => this.#committer.touch(log, urgent),
      limitReached: (log, message) =>
        this.#deliver(log.executionId, {
          type: 'limit',
          at: this.#now(),
          cause: { code: 'OUTPUT_LIMIT', message },
        }),
    };
    this.#actor = createActor(
      createSupervisorLogic({ clock, steady: this.#steady }, this.#alarms, this.#slots, {
        startAttempt: (child, attempt) => this.#startAttempt(child, attempt),
        stopAttempt: (child) => this.#runs.get(child.log.executionId)?.controller?.abort(),
        mayDispatch: () =>
          this.#dispatching && this.#committer.healthy && this.#committer.backlog < mostUncommitted,
        holds: ({ log }, state) => this.breakpoints.holds(log.record, state),
        leftPending: () => void this.#pending--,
        chartFailed: (child, error) => options.listener.bug(error, child.log.executionId),
      }),
    ).start();
    this.#steering = new Steering({
      glance: (executionId) => this.attach(executionId, 'glance'),
      live: (executionId) => this.#runs.get(executionId),
      runtimeOf: (task) => this.#runtimeOf(task),
      deliver: (executionId, event) => this.#deliver(executionId, event),
      now: () => this.#now(),
    });
    this.#revival = new Revival({
      clock,
      store,
      surroundings: this.#surroundings,
      runtimeOf: (task) => this.#runtimeOf(task),
      revive: (child, task, then) => this.#revive(child, task, then),
      follow: (executionId, controller) => {
        const run = this.#runs.get(executionId);
        if (run !== undefined) run.controller = controller;
      },
      attemptEnded: (child, end) => this.#attemptEnded(child, end),
      deliver: (executionId, event) => this.#deliver(executionId, event),
      now: () => this.#now(),
      bug: (error, executionId) => options.listener.bug(error, executionId),
    });
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

  /** Executions that wait for a slot. */
  get queueLength(): number {
    return this.#slots.queued;
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
    // It came to life meanwhile, or is about to.
    if (this.#runs.has(executionId)) return this.attach(executionId, purpose);
    if (!isTerminal(record.status)) throw notInState(record, 'it is being restored; try again in a moment');
    return new StoredCursor(this.#options.store, record);
  }

  cancel(executionId: string, reason: string): Promise<Changed> {
    return this.#steering.cancel(executionId, reason);
  }

  suspend(executionId: string): Promise<Changed> {
    return this.#steering.suspend(executionId);
  }

  resume(executionId: string): Promise<Changed> {
    return this.#steering.resume(executionId);
  }

  detach(executionId: string): Promise<ExecutionRecord> {
    return this.#steering.detach(executionId);
  }

  async delete(executionId: string): Promise<void> {
    const { store } = this.#options;
    const live = this.#runs.get(executionId)?.child.log.record;
    if (live === undefined && (await store.delete(executionId))) return;
    const record = live ?? (await store.execution(executionId));
    if (record === undefined) throw notFound('execution', executionId);
    throw notInState(record, 'only what has ended can be deleted; cancel it first');
  }

  async adopt(
    executionId: string,
    { takenAt, hold }: { readonly takenAt: number; readonly hold: boolean },
  ): Promise<ExecutionRecord> {
    this.#gate.checkOpen();
    const record = await this.#options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    try {
      const { log } = await this.#revival.restore(record, takenAt, hold);
      await log.durable();
      return log.committed ?? record;
    } catch (error) {
      if (error instanceof SnapshotIncompatible) return this.#revival.giveUp(record, error);
      throw error;
    }
  }

  /**
   * Takes up what an earlier run of the node left unfinished. Resolves when what was lost of it is durable; nothing is
   * dispatched before.
   */
  async recover(): Promise<RecoveryReport> {
    const { store, clock } = this.#options;
    this.#dispatching = false;
    const report = await recoverUnfinished(store, clock, (stored) => this.#revival.takeUp(stored));
    for (const runtime of this.#options.runtimes.values()) runtime.endRecovery?.();
    await this.#committer.drained();
    this.#dispatching = !this.#gate.closed;
    this.#actor.send({ type: 'pump' });
    return report;
  }

  /** Throws a RequestError, unavailable, where nothing is accepted now. */
  checkOpen(): void {
    this.#gate.checkOpen();
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

  async explain(executionId: string): Promise<Explanation> {
    return explain(
      {
        store: this.#options.store,
        slots: this.#slots,
        glance: (id) => this.attach(id, 'glance'),
        taskOf: (id) => this.#runs.get(id)?.task,
        block: () => this.#block(),
        now: () => this.#now(),
      },
      executionId,
    );
  }

  /** What keeps it from starting attempts. */
  #block(): Block | undefined {
    if (!this.#dispatching) return this.#gate.closed ? 'draining' : 'recovering';
    if (!this.#committer.healthy) return 'store failing';
    return this.#committer.backlog < mostUncommitted ? undefined : 'store behind';
  }

  /** Refuses new executions from now on, and starts no attempt. */
  stopAccepting(): void {
    this.#gate.close();
    this.#dispatching = false;
  }

  /** Resolves when no attempt runs any more and what came of them is durable. */
  async quiet(): Promise<void> {
    while (this.#slots.running > 0) {
      this.#quiet ??= Promise.withResolvers();
      await this.#quiet.promise;
    }
    await this.#committer.drained();
  }

  /**
   * Lets go of everything that is live, for the next start to take up: an attempt that can be followed again runs on,
   * any other is lost. Resolves when what happened until now is durable.
   */
  async leave(): Promise<void> {
    this.#closed = true;
    for (const [executionId, { child, task }] of this.#runs) {
      if (mayFollowAgain(child.log.committed, task)) this.#runtimeOf(task)?.release?.(executionId);
      child.log.leave();
    }
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
      if (how === 'done' || log.observers > 0 || log.sealed || log.left) return;
      this.#deliver(log.executionId, { type: 'cancel', at: this.#now(), reason: 'its caller went away' });
    };
    return new LiveCursor(log, { closed });
  }

  #create(request: AdmissionRequest): LiveLog {
    this.#gate.checkAdmission(this.#pending);
    const { clock, ids } = this.#options;
    const { task, invocation, invocationId } = request;
    const at = { wall: Math.round(clock.now()), steady: this.#now() };
    const admitted = clock.monotonic();
    const claim = invocationId === '' ? undefined : invocationId;
    const record = newRecord(request, { executionId: ids('exec_'), requestId: claim ?? ids('req_') }, at);
    const log = new LiveLog(this.#surroundings, record, task.definition.limits, {
      input: toStore(invocation),
      claimInvocationId: claim,
    });
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

  #revive(child: Child, task: Task, then: readonly ExecutionEvent[]): void {
    this.#runs.set(child.log.executionId, { child, task, invocation: undefined, controller: undefined });
    if (child.pending) this.#pending++;
    this.#actor.send({ type: 'revive', child, then });
  }

  #deliver(executionId: string, event: ExecutionEvent): void {
    this.#actor.send({ type: 'deliver', executionId, event });
  }

  #runtimeOf(task: Task): Runtime | undefined {
    return this.#options.runtimes.get(task.definition.runtime);
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
        // What starts it is durable before it can have effects that the log does not know of.
        ...(!hasNoOutsideEffects(run.task) && { ready: child.log.durable() }),
        invocation:
          run.invocation ??
          ((signal) => fromStore(store, clock, child.log.record, signal, (error) => this.#readHealth(error))),
      },
      child.log,
      (end) => this.#attemptEnded(child, end),
      (error) => listener.bug(error, executionId),
    );
    if (run.task.definition.retry.maxAttempts === 1) run.invocation = undefined;
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
      this.#settleQuiet();
      return;
    }
    child.log.note(end.instanceId, end.resourceUse);
    this.#deliver(executionId, {
      type: 'attemptEnded',
      at: this.#now(),
      end,
      random: this.#options.random(),
    });
    this.#settleQuiet();
  }

  #settleQuiet(): void {
    if (this.#slots.running > 0) return;
    this.#quiet?.resolve();
    this.#quiet = undefined;
  }

  #committed(log: LiveLog, events: readonly LogEvent[]): void {
    const { executionId } = log;
    const run = this.#runs.get(executionId);
    if (run === undefined) return;
    // A slot is free without the end of an attempt where that was paused, or could not be confirmed gone.
    this.#settleQuiet();
    const record = log.committed as ExecutionRecord;
    this.#options.listener.committed(record, events);
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
    this.breakpoints.forget(executionId);
    if (record.invocationId !== '') this.#claims.release(record.invocationId);
  }
}

function functionKey(record: ExecutionRecord): string {
  return `${record.taskId}/${record.taskRevision}#${record.functionName}`;
}
