/**
 * Accepts executions and owns them until their end is durable. A request goes: admission rule → log and
 * actor → slot → attempt → result → reap. See `supervisor-logic.ts` for the actor itself.
 *
 * - Acceptance is heard only when the admission is committed (I2). An attempt may be dispatched before that where
 *   nothing outside can notice: wasm without preopens or network, no invocation id.
 * - What waits for a slot does not keep a large input in memory: it is read back from the store at dispatch.
 */
import { type ActorRefFrom, createActor } from 'xstate';
import type { MachineClock } from '../../domain/clock.ts';
import { Durations } from '../../domain/durations.ts';
import { notFound } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type {
  Admission,
  AdmissionRequest,
  Adoption,
  Changed,
  Executions,
  Rehearsal,
  Transfers,
} from '../../domain/executions.ts';
import type { Explanation, Explanations } from '../../domain/explanation.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { ResourcesView } from '../../domain/node-feed.ts';
import type { QueueViews } from '../../domain/queue-view.ts';
import { assertFits, boundsRunning } from '../../domain/quota.ts';
import type { Resources } from '../../domain/scheduling/gate.ts';
import { leafOf } from '../../domain/scheduling/line.ts';
import { Overload, type OverloadRule } from '../../domain/scheduling/overload.ts';
import type { PriorityWeights } from '../../domain/scheduling/priority.ts';
import { type Reserved, reservedBy, rulesOf } from '../../domain/scheduling/task-gates.ts';
import { type Scope, sees, tenantOf, wholeNode } from '../../domain/scope.ts';
import type { RuntimeKind, Task } from '../../domain/task.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import { SnapshotIncompatible } from '../../machines/migrations.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { Store } from '../../stores/store.ts';
import { explain } from '../explain/explaining.ts';
import { QueueViewing } from '../explain/queue-viewing.ts';
import { joining, type RehearsingHost, rehearse } from '../explain/rehearsing.ts';
import type { IdSource } from '../ids.ts';
import { Committer, storeUnavailable } from '../log/committer.ts';
import { LiveCursor, StoredCursor } from '../log/cursors.ts';
import { unknownHere, untilDurable } from '../log/durable.ts';
import type { LiveLog, LogSurroundings } from '../log/live-log.ts';
import { OutputRoom } from '../log/output-room.ts';
import type { Slots } from '../queue/slots.ts';
import { NodeTime } from '../time/node-time.ts';
import { Admissions, claimedBy } from './admission.ts';
import { AdmissionGate } from './admission-gate.ts';
import { Alarms } from './alarms.ts';
import { AttemptRunner } from './attempt-runner.ts';
import type { WaitingBounds } from './backlog.ts';
import { BreakpointTable } from './breakpoints.ts';
import { Controls } from './controls.ts';
import { DispatchGate } from './dispatch-gate.ts';
import { ExecutionQueue } from './execution-queue.ts';
import type { LiveExecution } from './live-execution.ts';
import { LiveExecutions } from './live-executions.ts';
import { TaskQuarantines } from './quarantines.ts';
import { ExecutionRecovery, mayFollowAgain } from './recovery/execution-recovery.ts';
import { type RecoveryReport, recoverUnfinished } from './recovery/node-recovery.ts';
import { notInState } from './recovery/stored-execution.ts';
import { endOldest, replacedBy } from './superseding.ts';
import { createSupervisorLogic } from './supervisor-logic.ts';
import { TenantQuotas } from './tenant-quotas.ts';
import { TenantStorage } from './tenant-storage.ts';

/** What the node's operator hears. None of these may throw. */
export interface SupervisorListener {
  storeHealth(error: Error | undefined): void;
  bug(error: unknown, executionId: string): void;
  /** Of an earlier run of the node, and live again. */
  revived?(record: ExecutionRecord): void;
}

export interface SupervisorOptions {
  readonly clock: MachineClock;
  /** For deadlines; its own where there was no earlier run. */
  readonly time?: NodeTime;
  readonly ids: IdSource;
  /** 0 to 1; spreads retries. */
  readonly random: () => number;
  readonly store: Store;
  readonly runtimes: ReadonlyMap<RuntimeKind, Runtime>;
  readonly slots: number;
  readonly queueLimit: number;
  /** Of priorities, where they are not as usual. */
  readonly priorityWeights?: PriorityWeights;
  /** What attempts may reserve at once by the limits of their tasks; absent means that nobody counts. */
  readonly resources?: Resources | undefined;
  /** When what is not urgent is refused; absent means never. */
  readonly overload?: OverloadRule | undefined;
  /** How much of what waits is in memory, where it is not as usual. */
  readonly waiting?: Partial<WaitingBounds>;
  readonly listener: SupervisorListener;
  /** What is known of earlier runs; absent means nothing. */
  readonly durations?: Durations;
}

/** An input above this is read back from the store at dispatch rather than kept while it waits. */
const keptInputBytes = 4096;

export class Supervisor implements Executions, Transfers, Explanations {
  readonly #options: SupervisorOptions;
  readonly #time: NodeTime;
  readonly #executions = new LiveExecutions();
  readonly #alarms: Alarms;
  readonly #queue: ExecutionQueue;
  readonly #storage: TenantStorage;
  readonly #slots: Slots;
  readonly #committer: Committer;
  readonly #gate: AdmissionGate;
  readonly #dispatch: DispatchGate;
  readonly #admissions: Admissions;
  readonly #attempts: AttemptRunner;
  readonly #controls: Controls;
  readonly #executionRecovery: ExecutionRecovery;
  readonly breakpoints: BreakpointTable;
  readonly quotas: TenantQuotas;
  readonly quarantines: TaskQuarantines;
  readonly queueViews: QueueViews;
  readonly #actor: ActorRefFrom<ReturnType<typeof createSupervisorLogic>>;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { clock, store, ids, queueLimit } = options;
    const executions = this.#executions;
    this.#time = options.time ?? new NodeTime(clock);
    this.#storage = new TenantStorage(store, clock);
    const shared = {
      clock,
      time: this.#time,
      store,
      executions,
      now: () => this.#now(),
      deliver: (executionId: string, event: ExecutionEvent) => this.#deliver(executionId, event),
      bug: options.listener.bug,
    };
    this.breakpoints = new BreakpointTable(clock, ids);
    const failed = (error: unknown) =>
      options.listener.storeHealth(error instanceof Error ? error : new Error(String(error)));
    this.#queue = new ExecutionQueue({
      time: this.#time,
      store,
      executions,
      slots: options.slots,
      weights: options.priorityWeights,
      durations: options.durations ?? new Durations(),
      bounds: options.waiting,
      revive: (waiting) => this.#executionRecovery.wake(waiting),
      giveUp: (record, why) => this.#executionRecovery.giveUp(record, why),
      pump: () => this.#actor.send({ type: 'pump' }),
      awake: (executionId) => this.#actor.send({ type: 'awake', executionId }),
      letGo: (execution) => this.#actor.send({ type: 'letGo', execution }),
      failed,
    });
    this.#slots = this.#queue.slots;
    this.#slots.setResources(options.resources);
    this.quarantines = new TaskQuarantines(this.#slots, {
      toWall: (ms) => Math.round(this.#time.toWall(this.#time.now() + ms)),
      pump: () => this.#actor.send({ type: 'pump' }),
    });
    this.#alarms = new Alarms(this.#time, (executionId, at) =>
      this.#deliver(executionId, { type: 'alarm', at }),
    );
    this.#time.onSlept(() => {
      this.#alarms.moved();
      this.#queue.passivation.moved();
    });
    this.#committer = new Committer(store, clock, {
      committed: (log) => this.#committed(log),
      refused: (log, conflict) => {
        if (conflict !== undefined) log.fail(claimedBy(conflict.ownerId));
        this.#forget(log);
      },
      health: (error) => {
        options.listener.storeHealth(error);
        if (error !== undefined) return;
        this.#queue.backlog.retry();
        this.#actor.send({ type: 'pump' });
      },
    });
    const overload = options.overload && new Overload(options.overload);
    this.quotas = new TenantQuotas(
      store,
      (tenant) => ({ ...this.#queue.loadOf(tenant), storedBytes: this.#storage.of(tenant) }),
      (tenant, quota) => {
        this.#storage.watch(tenant, quota.storedBytes !== undefined);
        this.#slots.setQuota(tenant, quota);
        this.#actor.send({ type: 'pump' });
      },
    );
    this.#gate = new AdmissionGate({
      committer: this.#committer,
      store,
      slots: this.#slots,
      queueLimit,
      quotas: this.quotas,
      overload,
      now: () => clock.monotonic(),
    });
    this.#dispatch = new DispatchGate(this.#gate, this.#committer);
    this.queueViews = new QueueViewing({
      slots: this.#slots,
      time: this.#time,
      recordOf: (id) => this.#queue.recordOf(id),
      maySay: (scope, id) => this.#isSeen(scope, id),
      block: () => this.#dispatch.block,
    });
    this.#attempts = new AttemptRunner({
      ...shared,
      runtimes: options.runtimes,
      slots: this.#slots,
      quarantines: this.quarantines,
      random: options.random,
      gone: (executionId) => this.#actor.send({ type: 'gone', executionId }),
      // That it can be read again says nothing of a store that cannot be written.
      readHealth: (error) => {
        if (error !== undefined || this.#committer.healthy) options.listener.storeHealth(error);
      },
    });
    this.#actor = createActor(
      createSupervisorLogic(executions, { clock, time: this.#time }, this.#alarms, this.#queue, {
        wake: (executionId) => void this.#queue.wake(executionId),
        letGo: ({ log }) => this.#admissions.forget(log),
        startAttempt: (execution, attempt) => {
          if (attempt === 1) began(overload, execution, clock.monotonic());
          this.#attempts.start(execution, attempt);
        },
        mayDispatch: () => this.#dispatch.block === undefined,
        holds: ({ log }, state) => this.breakpoints.holds(log.record, state),
        chartFailed: ({ executionId }, error) => options.listener.bug(error, executionId),
      }),
    ).start();
    const surroundings: LogSurroundings = {
      clock,
      store,
      room: new OutputRoom(store),
      touched: (log, urgent) => this.#committer.touch(log, urgent),
      unread: ({ executionId }) => this.#queue.consider(executions.get(executionId)),
      limitReached: ({ executionId }, message) =>
        this.#deliver(executionId, {
          type: 'limit',
          at: this.#now(),
          cause: { code: 'OUTPUT_LIMIT', message },
        }),
    };
    this.#admissions = new Admissions({
      ...shared,
      ids,
      surroundings,
      checkOpen: (tenant, priority) => this.#gate.checkAdmission(this.#queue.pending, tenant, priority),
      checkTask: (task) => this.quarantines.check(task),
      likelyMs: (record) => this.#queue.estimates.likely(record, this.#now()),
      boundsRunning: (tenant) => boundsRunning(this.quotas.of(tenant)),
      reserves: (task) => this.reserves(task),
      revive: (executionId) => this.#queue.passivation.revive(executionId),
      spawn: (execution) => this.#actor.send({ type: 'spawn', execution }),
      stores: (tenant, bytes) => this.#storage.add(tenant, bytes),
      cancel: (executionId, reason) => this.#cancel(executionId, reason),
    });
    this.#controls = new Controls({
      ...shared,
      glance: (executionId) => this.attach(executionId, 'glance'),
      live: (executionId) => executions.get(executionId),
      runtimeOf: (task) => this.#attempts.runtimeOf(task),
    });
    this.#executionRecovery = new ExecutionRecovery({
      ...shared,
      surroundings,
      attempts: this.#attempts,
      revive: (execution, then) => {
        executions.add(execution);
        this.#actor.send({ type: 'revive', execution, then });
      },
    });
  }

  /** Of what is in scope, by looking at each that lives. */
  loadOf(scope: Scope): {
    readonly live: number;
    readonly running: number;
    readonly pending: number;
    readonly queued: number;
    readonly resources?: ResourcesView;
  } {
    const load = { live: 0, running: 0, pending: 0, queued: 0 };
    const reserved = { memoryBytes: 0, processors: 0 };
    for (const execution of this.#executions.values()) {
      if (!sees(scope, execution.log.record)) continue;
      load.live += 1;
      if (execution.pending) load.pending += 1;
      if (this.#slots.holds(execution.executionId)) {
        const { memory = 0, cpu = 0 } = execution.log.record.reserves ?? {};
        load.running += 1;
        reserved.memoryBytes += memory;
        reserved.processors += cpu;
      } else if (this.#slots.waits(execution.executionId)) load.queued += 1;
    }
    const { resources: total } = this.#options;
    return total === undefined ? load : { ...load, resources: { reserved, total } };
  }

  get load(): {
    readonly live: number;
    readonly running: number;
    readonly pending: number;
    readonly slots: number;
  } {
    return {
      live: this.#executions.size,
      running: this.#slots.running,
      pending: this.#queue.pending,
      slots: this.#slots.total,
    };
  }

  /** Of one that lives. */
  runtimeOf(executionId: string): RuntimeKind | undefined {
    return this.#executions.get(executionId)?.task.definition.runtime;
  }

  /** Executions that wait for a slot. */
  get queueLength(): number {
    return this.#queue.length;
  }

  /** Executions that wait and are not live. */
  get passive(): number {
    return this.#queue.passivation.size;
  }

  /** Those of them that have not begun, and those of these that wait for a slot. */
  get passiveLoad(): { readonly pending: number; readonly queued: number } {
    const { pending, queued } = this.#queue.passivation;
    return { pending, queued };
  }

  admit(request: AdmissionRequest): Promise<Admission> {
    return this.#admissions.admit(request);
  }

  async rehearse(request: AdmissionRequest): Promise<Rehearsal> {
    const { joins, record } = await this.#admissions.rehearse(request);
    if (joins) return joining(record);
    const { estimates, backlog } = this.#queue;
    const { scope = wholeNode, startAfterMs } = request;
    const host: RehearsingHost = {
      slots: this.#slots,
      time: this.#time,
      behind: (leaf) => backlog.behind(leaf),
      maySay: (id) => this.#isSeen(scope, id),
      block: () => this.#dispatch.block,
      waitMs: (of) => estimates.wait(of, this.#now()),
      likelyMs: (of) => estimates.likely(of, this.#now()),
    };
    const replaces = replacedBy(record, this.#executions);
    return rehearse(host, { record, leaf: leafOf(record), startAfterMs, replaces });
  }

  async attach(executionId: string, purpose: 'observe' | 'glance' = 'observe'): Promise<LogCursor> {
    const live = this.#executions.get(executionId);
    if (live !== undefined) {
      const cursor = new LiveCursor(live.log, { counts: purpose === 'observe' });
      await cursor.admitted();
      return cursor;
    }
    const record = await this.#options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    if (isTerminal(record.status)) return new StoredCursor(this.#options.store, record);
    await this.#queue.passivation.revive(executionId);
    if (this.#executions.has(executionId)) return this.attach(executionId, purpose);
    if (this.#queue.closed) throw unknownHere();
    throw notInState(record, 'it is being restored; try again in a moment');
  }

  /** As it is now, of one that lives or that the store has. */
  async record(executionId: string): Promise<ExecutionRecord | undefined> {
    return this.#executions.get(executionId)?.log.record ?? this.#options.store.execution(executionId);
  }

  cancel(executionId: string, reason: string, by?: string): Promise<Changed> {
    return this.#controls.cancel(executionId, reason, by);
  }

  suspend(executionId: string, by?: string): Promise<Changed> {
    return this.#controls.suspend(executionId, by);
  }

  resume(executionId: string, by?: string): Promise<Changed> {
    return this.#controls.resume(executionId, by);
  }

  async detach(executionId: string, by?: string): Promise<ExecutionRecord> {
    // It ends the execution here at once, and nobody could be given the document before that is durable.
    if (!this.#committer.healthy) throw storeUnavailable();
    return this.#controls.detach(executionId, by);
  }

  async delete(executionId: string): Promise<void> {
    const { store } = this.#options;
    const live = this.#executions.get(executionId)?.log.record;
    if (live === undefined && (await store.delete(executionId))) {
      this.#storage.deleted();
      return;
    }
    const record = live ?? (await store.execution(executionId));
    if (record === undefined) throw notFound('execution', executionId);
    throw notInState(record, 'only what has ended can be deleted; cancel it first');
  }

  async adopt(executionId: string, restored: Adoption): Promise<ExecutionRecord> {
    this.#gate.checkOpen();
    const record = await this.#options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    try {
      const { log } = await this.#executionRecovery.restore(record, restored);
      await untilDurable(log);
      return log.committed ?? record;
    } catch (error) {
      if (error instanceof SnapshotIncompatible) return this.#executionRecovery.giveUp(record, error);
      throw error;
    }
  }

  /**
   * Takes up what an earlier run of the node left unfinished; `planned` says that it was told to stop. Resolves when
   * what was lost of it is durable; nothing is dispatched before.
   */
  async recover(planned = false): Promise<RecoveryReport> {
    const { store } = this.#options;
    this.#dispatch.recovering = true;
    await this.quotas.open();
    await this.#queue.keeper.open();
    const report = await recoverUnfinished(store, this.#time, (stored) => {
      this.#executionRecovery.takeUp(stored, planned);
      this.#options.listener.revived?.(stored.record);
    });
    for (const runtime of this.#options.runtimes.values()) runtime.endRecovery?.();
    const waiting = await this.#queue.open();
    await this.#committer.drained();
    this.#queue.keeper.opened();
    this.#dispatch.recovering = false;
    this.#actor.send({ type: 'pump' });
    return waiting > 0 ? { ...report, waiting } : report;
  }

  /** Throws a RequestError where nothing is accepted now, or no more of a tenant. */
  checkOpen(tenant?: string): void {
    if (tenant === undefined) this.#gate.checkOpen();
    else this.#gate.checkAdmission(this.#queue.pending, tenant, 'urgent');
  }

  estimate(record: ExecutionRecord): number {
    return this.#queue.estimates.of(record, this.#now());
  }

  async explain(executionId: string, scope: Scope = wholeNode): Promise<Explanation> {
    return explain(
      {
        store: this.#options.store,
        slots: this.#slots,
        glance: (id) => this.attach(id, 'glance'),
        taskOf: (id) => this.#executions.get(id)?.task,
        placeOf: (id) => this.#queue.placeOf(id),
        waitMs: (record) => this.#queue.estimates.wait(record, this.#now()),
        maySay: (id) => this.#isSeen(scope, id),
        block: () => this.#dispatch.block,
        time: this.#time,
      },
      executionId,
    );
  }

  /**
   * What attempts of the task take of what is counted; undefined where nothing of theirs is. Throws failed_precondition
   * where that is more than its tenant may have.
   */
  reserves(task: Task): Reserved | undefined {
    const tenant = tenantOf(task);
    const quota = this.quotas.of(tenant);
    if (this.#options.resources === undefined && quota.memoryBytes === undefined) return undefined;
    const reserves = reservedBy(task.definition.limits);
    assertFits(tenant, quota, reserves);
    return reserves;
  }

  /** A task has a new revision: its limits hold for those that wait, too. */
  limitsChanged(task: Task): void {
    this.#slots.setRules(task.taskId, task.revision, rulesOf(task));
    this.#actor.send({ type: 'pump' });
  }

  /** Refuses new executions from now on, and starts no attempt. */
  stopAccepting(): void {
    this.#gate.close();
  }

  /** Resolves when no attempt runs any more and what came of them is durable. */
  async quiet(): Promise<void> {
    await this.#attempts.quiet();
    await this.#committer.drained();
  }

  /**
   * Lets go of everything that is live, for the next start to take up: an attempt that can be followed again runs on,
   * any other is lost. Resolves when what happened until now is durable.
   */
  async leave(): Promise<void> {
    this.#attempts.close();
    for (const { log, task } of this.#executions.values()) {
      // Where the disk does not know yet that it can be followed, and never will, the next start ends it, as after a crash.
      if (mayFollowAgain(log.record, task)) this.#attempts.runtimeOf(task)?.release?.(log.executionId);
      log.leave();
    }
    await this.#queue.keeper.keep();
    await this.#committer.drained();
  }

  /** Stops the timers; what still lives is not heard of any more. */
  close(): void {
    this.#attempts.close();
    this.#alarms.close();
    this.#queue.close();
    this.#storage.close();
    this.#actor.stop();
  }

  #cancel(executionId: string, reason: string): void {
    this.#deliver(executionId, { type: 'cancel', at: this.#now(), reason });
  }

  #isSeen(scope: Scope, executionId: string): boolean {
    const record = this.#executions.get(executionId)?.log.record;
    return record !== undefined && sees(scope, record);
  }

  #now(): number {
    return Math.round(this.#time.now());
  }

  #deliver(executionId: string, event: ExecutionEvent): void {
    this.#actor.send({ type: 'deliver', executionId, event });
  }

  #committed(log: LiveLog): void {
    const { executionId } = log;
    const execution = this.#executions.get(executionId);
    if (execution === undefined) return;
    this.#attempts.settle();
    const record = log.committed as ExecutionRecord;
    if (log.complete) {
      this.#storage.add(tenantOf(record), record.outputBytes);
      if (record.status === 'completed') this.#queue.estimates.learn(record);
      this.#forget(log);
    } else if (record.attempt === 0) {
      if ((execution.invocation?.input.byteLength ?? 0) > keptInputBytes) execution.invocation = undefined;
      if (!execution.speculative || execution.behind === 'yes') {
        this.#actor.send({ type: 'admitted', executionId });
      }
      endOldest(execution, this.#executions, (id, reason) => this.#cancel(id, reason));
      this.#queue.consider(execution);
    } else if (execution.rests) this.#queue.consider(execution);
  }

  #forget(log: LiveLog): void {
    const { executionId } = log;
    const execution = this.#executions.get(executionId);
    this.#executions.delete(executionId);
    if (execution !== undefined) this.#actor.send({ type: 'reap', execution });
    this.breakpoints.forget(executionId);
    this.#admissions.forget(log);
  }
}

/** What is urgent, or has waited before a limit of its own, does not wait as the others do, and says nothing of them. */
function began(overload: Overload | undefined, { log, stopwatch }: LiveExecution, now: number): void {
  const { priority = 'normal', gates } = log.record;
  if (gates !== undefined) return;
  if (priority === 'low' || priority === 'normal') overload?.began(now - stopwatch.admitted, now);
}
