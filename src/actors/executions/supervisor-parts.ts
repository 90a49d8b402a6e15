/**
 * What a supervisor is made of, put together: each part hears of the others through what it is given here, and what
 * becomes of an execution once it is committed stands at the end.
 */
import { type ActorRefFrom, createActor } from 'xstate';
import type { MachineClock } from '../../domain/clock.ts';
import type { Cutoffs } from '../../domain/cutoffs.ts';
import { Durations } from '../../domain/durations.ts';
import { notFound } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { Changed } from '../../domain/executions.ts';
import type { LinkAction, Links } from '../../domain/links.ts';
import type { LogCursor } from '../../domain/log.ts';
import { artifactPlacement, assertRunsOn, type NodePlace, placementKey } from '../../domain/placement.ts';
import type { NodeQueue } from '../../domain/queue-view.ts';
import { assertFits, boundsRunning } from '../../domain/quota.ts';
import type { Resources } from '../../domain/scheduling/gate.ts';
import { Overload, type OverloadRule } from '../../domain/scheduling/overload.ts';
import type { PriorityWeights } from '../../domain/scheduling/priority.ts';
import { type Reserved, reservedBy } from '../../domain/scheduling/task-gates.ts';
import { type Scope, sees, tenantOf } from '../../domain/scope.ts';
import type { RuntimeKind, Task } from '../../domain/task.ts';
import { limitsAsked } from '../../domain/task-bounds.ts';
import type { TaskQuarantine } from '../../domain/tasks.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { type Membership, soloMembership } from '../../stores/membership.ts';
import type { Store } from '../../stores/store.ts';
import { QueueViewing } from '../explain/queue-viewing.ts';
import type { IdSource } from '../ids.ts';
import { Committer } from '../log/committer.ts';
import { LiveCursor, StoredCursor } from '../log/cursors.ts';
import { unknownHere } from '../log/durable.ts';
import type { LiveLog, LogSurroundings } from '../log/live-log.ts';
import { OutputRoom } from '../log/output-room.ts';
import type { Slots } from '../queue/slots.ts';
import { NodeTime } from '../time/node-time.ts';
import { Admissions, claimedBy } from './admission.ts';
import { AdmissionGate } from './admission-gate.ts';
import { Alarms } from './alarms.ts';
import { AttemptRunner } from './attempt-runner.ts';
import type { WaitingBounds } from './backlog.ts';
import { BatchDesk } from './batches.ts';
import { BreakpointTable } from './breakpoints.ts';
import { ExecutionCache } from './cache/execution-cache.ts';
import type { CacheBounds } from './cache/result-cache.ts';
import { ClusterDesk, type ClusterView } from './cluster/cluster-desk.ts';
import { GivingAway } from './cluster/giving-away.ts';
import { Controls } from './controls.ts';
import { Dependants } from './dependants.ts';
import { unknownDependency } from './dependency-admission.ts';
import { DispatchGate } from './dispatch-gate.ts';
import { Elsewhere } from './elsewhere.ts';
import { ExecutionQueue } from './execution-queue.ts';
import type { LiveExecution } from './live-execution.ts';
import { LiveExecutions } from './live-executions.ts';
import { TaskQuarantines } from './quarantines.ts';
import { ExecutionRecovery } from './recovery/execution-recovery.ts';
import { notInState } from './recovery/stored-execution.ts';
import { Takeover } from './recovery/takeover.ts';
import { StoreHealth } from './store-health.ts';
import { endOldest } from './superseding.ts';
import { createSupervisorLogic } from './supervisor-logic.ts';
import { TenantQuotas } from './tenant-quotas.ts';
import { TenantStorage } from './tenant-storage.ts';

/** What the node's operator hears. None of these may throw. */
export interface SupervisorListener {
  storeHealth(error: Error | undefined): void;
  /** Other nodes have taken over what this one had: it has to end. */
  fenced?(error: Error): void;
  bug(error: unknown, executionId: string): void;
  /** A task is quarantined, or with undefined not any more. */
  quarantine?(task: Task, quarantine: TaskQuarantine | undefined): void;
  /** Of an earlier run of the node, and live again. */
  revived?(record: ExecutionRecord): void;
  /** So many executions of other nodes, which are gone, are this one's now. */
  tookOver?(count: number): void;
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
  /** What decides which tasks may run here; absent means all. */
  readonly place?: NodePlace;
  readonly queueLimit: number;
  /** Of priorities, where they are not as usual. */
  readonly priorityWeights?: PriorityWeights;
  /** What attempts may reserve at once by the limits of their tasks; absent means that nobody counts. */
  readonly resources?: Resources | undefined;
  /** When what is not urgent is refused; absent means never. */
  readonly overload?: OverloadRule | undefined;
  /** The cluster that the node is of; absent where it can be of none. */
  readonly cluster?: ClusterView | undefined;
  /** How much of results is kept for equal calls; absent means nothing. */
  readonly cache?: CacheBounds | undefined;
  /** How much of what waits is in memory, where it is not as usual. */
  readonly waiting?: Partial<WaitingBounds>;
  readonly listener: SupervisorListener;
  /** What is known of earlier runs; absent means nothing. */
  readonly durations?: Durations;
  /** The other nodes that use the store; absent where there can be none. */
  readonly membership?: Membership;
  /** For how long an attempt that its own node could follow again is left to that, in milliseconds. */
  readonly reattachWithinMs?: number;
  /** Absent where nothing that runs is ended because the node was cut off. */
  readonly cutoffs?: Cutoffs | undefined;
  /** It takes nothing new from callers; absent means that it does. */
  readonly isCordoned?: () => boolean;
  /** The ways to the other nodes that share the store; absent where the node is alone. */
  readonly links?: Links | undefined;
}

const noCache: CacheBounds = { bytes: 0, bytesPerTenant: 0 };
export const nobodyElse = soloMembership('', { name: '', address: '', labels: {}, capacity: {} });
const defaultReattachWithinMs = 15_000;

/** An input above this is read back from the store at dispatch rather than kept while it waits. */
const keptInputBytes = 4096;

/** The parts of one supervisor. */
export class SupervisorParts {
  readonly options: SupervisorOptions;
  readonly time: NodeTime;
  readonly executions = new LiveExecutions();
  readonly alarms: Alarms;
  readonly queue: ExecutionQueue;
  readonly storage: TenantStorage;
  readonly slots: Slots;
  readonly health: StoreHealth;
  readonly committer: Committer;
  readonly gate: AdmissionGate;
  readonly dispatch: DispatchGate;
  readonly dependants: Dependants;
  readonly batches: BatchDesk;
  readonly admissions: Admissions;
  readonly attempts: AttemptRunner;
  readonly controls: Controls;
  readonly executionRecovery: ExecutionRecovery;
  readonly takeover: Takeover;
  readonly givingAway: GivingAway;
  readonly breakpoints: BreakpointTable;
  readonly quotas: TenantQuotas;
  readonly quarantines: TaskQuarantines;
  /** Of this node alone. */
  readonly queueViews: QueueViewing;
  readonly cache: ExecutionCache;
  /** Undefined where the node is alone. */
  readonly elsewhere: Elsewhere | undefined;
  readonly cluster: ClusterDesk | undefined;
  readonly stopPumping: () => void;
  /** The node has let go of all that it had, and of its readers. */
  left = false;
  readonly actor: ActorRefFrom<ReturnType<typeof createSupervisorLogic>>;

  constructor(options: SupervisorOptions) {
    this.options = options;
    const { clock, store, ids, queueLimit } = options;
    const { membership = nobodyElse, reattachWithinMs = defaultReattachWithinMs } = options;
    const executions = this.executions;
    this.time = options.time ?? new NodeTime(clock);
    this.storage = new TenantStorage(store, clock);
    const shared = {
      clock,
      time: this.time,
      store,
      executions,
      now: () => this.now(),
      deliver: (executionId: string, event: ExecutionEvent) => this.deliver(executionId, event),
      bug: options.listener.bug,
    };
    this.breakpoints = new BreakpointTable(clock, ids);
    this.health = new StoreHealth(store, clock, (fault) => options.listener.storeHealth(fault));
    const failed = (error: unknown) => this.health.readFailed(error);
    this.queue = new ExecutionQueue({
      time: this.time,
      store,
      executions,
      slots: options.slots,
      weights: options.priorityWeights,
      durations: options.durations ?? new Durations(),
      bounds: options.waiting,
      revive: (waiting) => this.executionRecovery.wake(waiting),
      giveUp: async (record, why) => {
        this.batches.ended(await this.executionRecovery.giveUp(record, why));
        this.dependants.ended();
      },
      pump: () => this.actor.send({ type: 'pump' }),
      awake: (executionId) => this.actor.send({ type: 'awake', executionId }),
      letGo: (execution) => this.actor.send({ type: 'letGo', execution }),
      left: (executionId) => this.cluster?.left(executionId),
      quarantined: (use) => this.cluster?.quarantines.judged(this.slots, use),
      isMuted: () => this.cluster?.isAlone === false,
      failed,
    });
    this.slots = this.queue.slots;
    this.cluster = options.cluster && this.#clusterDesk(options.cluster, failed);
    this.slots.setResources(options.resources);
    this.quarantines = new TaskQuarantines(this.slots, {
      toWall: (ms) => Math.round(this.time.toWall(this.time.now() + ms)),
      pump: () => this.actor.send({ type: 'pump' }),
      changed: (task, quarantine) => options.listener.quarantine?.(task, quarantine),
      cluster: () => this.cluster,
    });
    this.dependants = new Dependants({
      ...shared,
      clock: this.time,
      revive: (executionId) => this.queue.passivation.revive(executionId),
      failed,
    });
    this.cache = new ExecutionCache(options.cache ?? noCache, {
      now: () => Math.round(clock.now()),
      answer: (executionId, result) => this.actor.send({ type: 'answer', executionId, result }),
      letGo: (executionId) => this.actor.send({ type: 'unpark', executionId }),
      bug: options.listener.bug,
    });
    this.alarms = new Alarms(this.time, (executionId, at) =>
      this.deliver(executionId, { type: 'alarm', at }),
    );
    this.time.onSlept(() => {
      this.alarms.moved();
      this.queue.passivation.moved();
    });
    this.committer = new Committer(store, clock, {
      committed: (log) => this.#committed(log),
      refused: (log, conflict) => {
        if (conflict !== undefined) {
          log.fail(
            'ownerId' in conflict
              ? claimedBy(conflict.ownerId)
              : unknownDependency('depends_on', conflict.lacking),
          );
        }
        this.#forget(log);
      },
      health: (error) => {
        this.health.written(error);
        if (error !== undefined) return;
        this.queue.backlog.retry();
        this.actor.send({ type: 'pump' });
      },
      fenced: (error) => {
        this.health.written(error);
        options.listener.fenced?.(error);
      },
    });
    const overload = options.overload && new Overload(options.overload);
    this.quotas = new TenantQuotas(
      store,
      (tenant) => ({ ...this.queue.loadOf(tenant), storedBytes: this.storage.of(tenant) }),
      (tenant, quota) => {
        this.storage.watch(tenant, quota.storedBytes !== undefined);
        this.slots.setQuota(tenant, quota);
        this.cluster?.setQuota(tenant, quota);
        this.actor.send({ type: 'pump' });
      },
    );
    this.gate = new AdmissionGate({
      committer: this.committer,
      store,
      slots: this.slots,
      queueLimit,
      quotas: this.quotas,
      overload,
      now: () => clock.monotonic(),
      mayAct: () => membership.mayAct(),
      isCordoned: () => options.isCordoned?.() === true,
    });
    this.dispatch = new DispatchGate(this.gate, this.committer, membership);
    this.queueViews = new QueueViewing({
      slots: this.slots,
      time: this.time,
      recordOf: (id) => this.queue.recordOf(id),
      maySay: (scope, id) => this.isSeen(scope, id),
      block: () => this.dispatch.block,
    });
    this.attempts = new AttemptRunner({
      ...shared,
      runtimes: options.runtimes,
      slots: this.slots,
      quarantines: this.quarantines,
      cutoffs: options.cutoffs,
      random: options.random,
      gone: (executionId) => this.actor.send({ type: 'gone', executionId }),
      unavailable: (task) => this.cluster?.unavailable(task),
      readHealth: (error) => (error === undefined ? this.health.readWorks() : this.health.readFailed(error)),
    });
    this.actor = createActor(
      createSupervisorLogic(executions, { clock, time: this.time }, this.alarms, this.queue, {
        wake: (executionId) => void this.queue.wake(executionId),
        letGo: ({ log }) => this.admissions.forget(log),
        cache: this.cache,
        startAttempt: (execution, attempt) => {
          if (attempt === 1) began(overload, execution, clock.monotonic());
          this.cluster?.runs(execution.task);
          this.attempts.start(execution, attempt);
        },
        leaves: (execution) => this.cluster?.leaves(execution) === true,
        placed: (execution) => this.cluster?.placed(execution),
        isClaimed: (executionId) => this.cluster?.isClaimed(executionId) === true,
        mayDispatch: () => this.dispatch.block === undefined,
        holds: ({ log }, state) => this.breakpoints.holds(log.record, state),
        chartFailed: ({ executionId }, error) => options.listener.bug(error, executionId),
      }),
    ).start();
    // Nothing starts while the node may be taken for dead: what waited then may.
    this.stopPumping = membership.onChange(() => this.actor.send({ type: 'pump' }));
    const surroundings: LogSurroundings = {
      clock,
      store,
      room: new OutputRoom(store),
      touched: (log, urgent) => this.committer.touch(log, urgent),
      unread: ({ executionId }) => this.queue.consider(executions.get(executionId)),
      limitReached: ({ executionId }, message) =>
        this.deliver(executionId, {
          type: 'limit',
          at: this.now(),
          cause: { code: 'OUTPUT_LIMIT', message },
        }),
    };
    this.elsewhere = options.links && this.#elsewhere(options.links);
    this.admissions = new Admissions({
      ...shared,
      elsewhere: this.elsewhere,
      ids,
      surroundings,
      checkCordon: () => this.gate.checkCordon(),
      checkOpen: (tenant, priority) => this.gate.checkAdmission(this.queue.pending, tenant, priority),
      checkAnswer: (tenant) => this.gate.checkAnswer(tenant),
      cache: this.cache,
      checkTask: (task, isLater) => this.quarantines.check(task, isLater),
      checkPlace: (task) => this.checkPlace(task),
      likelyMs: (record) => this.queue.estimates.likely(record, this.now()),
      boundsRunning: (tenant) => boundsRunning(this.quotas.of(tenant)),
      reserves: (task) => this.reserves(task),
      placement: (task) => this.placement(task),
      revive: (executionId) => this.queue.passivation.revive(executionId),
      spawn: (execution) => this.actor.send({ type: 'spawn', execution }),
      stores: (tenant, bytes) => this.storage.add(tenant, bytes),
      cancel: (executionId, reason) => this.cancel(executionId, reason),
      ...(options.cluster && { checkShared: async (record) => this.cluster?.checkKeys(record) }),
    });
    this.batches = new BatchDesk({
      ...shared,
      ids,
      checkCordon: () => this.gate.checkCordon(),
      checkOpen: (tenant, priority, count) =>
        this.gate.checkAdmission(this.queue.pending, tenant, priority, count),
      reserve: (tenant, count) => this.queue.reserve(tenant, count),
      checkTask: (task) => this.quarantines.check(task, false),
      checkPlace: (task) => this.checkPlace(task),
      reserves: (task) => this.reserves(task),
      placement: (task) => this.placement(task),
      stores: (tenant, bytes) => this.storage.add(tenant, bytes),
      adopt: (line, since, wakesAt) => this.queue.adopt(line, since, wakesAt),
      shares: (batchId) => this.cluster?.takesBatch(batchId) === true,
      follows: () => this.dependants.admitted(),
      cancel: (executionId, reason, by) => this.order(executionId, { kind: 'cancel', reason }, by),
      failed,
    });
    this.controls = new Controls({
      ...shared,
      glance: (executionId) => this.attachHere(executionId, 'glance'),
      live: (executionId) => executions.get(executionId),
      runtimeOf: (task) => this.attempts.runtimeOf(task),
      isWritable: () => this.committer.healthy,
    });
    this.executionRecovery = new ExecutionRecovery({
      ...shared,
      surroundings,
      attempts: this.attempts,
      revive: (execution, then) => {
        executions.add(execution);
        this.actor.send({ type: 'revive', execution, then });
      },
    });
    this.takeover = new Takeover({
      ...shared,
      ...{ membership, reattachWithinMs, failed },
      takeUp: (stored, planned) => this.executionRecovery.takeOver(stored, planned),
      adopt: (line, since, wakesAt) => this.queue.adopt(line, since, wakesAt),
      batches: () => this.batches.open(),
      lookAtOthers: async () => {
        await this.dependants.open();
        this.batches.lookAgain();
      },
      taken: (count) => options.listener.tookOver?.(count),
    });
    this.givingAway = new GivingAway({
      ...{ clock, executions, slots: this.slots, membership, failed },
      stopTaking: () => {
        void this.takeover.close();
        this.queue.stopReviving();
      },
      ahead: () => this.queue.passivation.ahead,
      handOver: (executionId) => this.actor.send({ type: 'handOver', executionId }),
      released: (execution) => this.actor.send({ type: 'released', execution }),
      told: async () => this.cluster?.told(),
    });
  }

  /** See Executions. */
  attach(executionId: string, purpose: 'observe' | 'glance' = 'observe'): Promise<LogCursor> {
    if (this.elsewhere !== undefined) return this.elsewhere.attach(executionId, purpose);
    return this.attachHere(executionId, purpose);
  }

  /** Of one that this node has, or that has ended. */
  async attachHere(executionId: string, purpose: 'observe' | 'glance' = 'observe'): Promise<LogCursor> {
    const live = this.executions.get(executionId);
    if (live !== undefined) {
      const cursor = new LiveCursor(live.log, { counts: purpose === 'observe' });
      await cursor.admitted();
      return cursor;
    }
    const record = await this.options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    if (isTerminal(record.status)) return new StoredCursor(this.options.store, record);
    await this.queue.passivation.revive(executionId);
    if (this.executions.has(executionId)) return this.attachHere(executionId, purpose);
    if (this.queue.closed) throw unknownHere();
    throw notInState(record, 'it is being restored; try again in a moment');
  }

  /** Asks whoever has the execution. Resolves when what comes of it is durable; rejects as Executions says. */
  order(executionId: string, action: LinkAction, by: string | undefined): Promise<Changed> {
    const here = () => this.controls.order(executionId, action, by);
    return this.elsewhere === undefined ? here() : this.elsewhere.deliver(executionId, action, by, here);
  }

  #elsewhere(links: Links): Elsewhere {
    const { options, executions } = this;
    const { membership = nobodyElse } = options;
    const parts = this;
    return new Elsewhere({
      ...{ store: options.store, links, clock: options.clock },
      has: (executionId) => executions.has(executionId),
      doubted: (executionId) => {
        const execution = executions.get(executionId);
        const isOwn = membership.mayAct() && execution?.handOver !== 'releasing';
        return execution === undefined || isOwn ? undefined : { committed: execution.log.committed };
      },
      attachHere: (executionId, purpose) => this.attachHere(executionId, purpose),
      leftHere: (executionId) => this.controls.leave(executionId),
      claiming: async (executionId, work) => this.cluster?.claiming(executionId, work),
      explainUnowned: async (executionId, scope) => {
        const here = await this.cluster?.explain(executionId, scope);
        const peer = options.cluster?.dispatcher();
        if (here !== undefined || peer === undefined) return here;
        // It may be another node's by then, or the link broken.
        return links.explain(peer, executionId, scope).catch(() => undefined);
      },
      get leaving() {
        return parts.left;
      },
    });
  }

  /**
   * What attempts of the task take of what is counted; undefined where nothing of theirs is. Throws failed_precondition
   * where that is more than its tenant may have.
   */
  reserves(task: Task): Reserved | undefined {
    const tenant = tenantOf(task);
    const quota = this.quotas.of(tenant);
    const { resources, cluster } = this.options;
    const isCounted = resources !== undefined || cluster?.largest() !== undefined;
    if (!isCounted && quota.memoryBytes === undefined) return undefined;
    const reserves = reservedBy(limitsAsked(task.definition));
    assertFits(tenant, quota, reserves);
    return reserves;
  }

  checkPlace(task: Task): void {
    const { place, cluster } = this.options;
    if (place === undefined || task.definition.runsOn === undefined) return;
    // In a cluster it waits for a node that fits, which may be still to come.
    if (cluster === undefined) assertRunsOn(task, place);
  }

  /** Which nodes of a cluster may run executions of the task; undefined where any may, or there is no cluster. */
  placement(task: Task): string | undefined {
    const { definition } = task;
    if (this.options.cluster === undefined) return undefined;
    const name = artifactPlacement(task);
    if (definition.runsOn === undefined && name === undefined) return undefined;
    return placementKey({ ...definition, task: name });
  }

  #clusterDesk(view: ClusterView, failed: (error: unknown) => void): ClusterDesk {
    return new ClusterDesk({
      ...{ view, failed, time: this.time, executions: this.executions, slots: this.slots },
      store: this.options.store,
      durations: this.options.durations ?? new Durations(),
      weights: this.options.priorityWeights,
      boundsRunning: (record) => boundsRunning(this.quotas.of(tenantOf(record))),
      resources: this.options.resources,
      runtimes: this.options.runtimes,
      takes: (waiting) => this.queue.takes(waiting),
      isAhead: (executionId) => this.queue.passivation.isAhead(executionId),
      isReviving: (executionId) => this.queue.passivation.isReviving(executionId),
      behind: () => this.queue.backlog.size,
      revive: (executionId) => this.queue.passivation.revive(executionId),
      reviveClaimed: (executionId) => this.queue.reviveClaimed(executionId),
      released: (execution) => this.actor.send({ type: 'released', execution }),
      handOver: (executionId) => this.actor.send({ type: 'handOver', executionId }),
      deliver: (executionId, event) => this.deliver(executionId, event),
      cancel: (executionId, reason) => this.order(executionId, { kind: 'cancel', reason }, undefined),
      pump: () => this.actor.send({ type: 'pump' }),
      quarantined: (task) => this.quarantines.told(task),
    });
  }

  /** The execution whose run it waits for, where that is to end both. */
  runFor(executionId: string): string | undefined {
    const execution = this.executions.get(executionId);
    return execution && this.cache.runFor(execution);
  }

  cancel(executionId: string, reason: string): void {
    this.deliver(executionId, { type: 'cancel', at: this.now(), reason });
  }

  /** What this node knows of who waits. Throws permission_denied. */
  nodeQueue(scope: Scope, mostLines: number | undefined): NodeQueue {
    const here = this.queueViews.view(scope, mostLines);
    const unowned = this.cluster?.queue(scope, mostLines);
    return unowned === undefined ? { here } : { here, unowned };
  }

  isSeen(scope: Scope, executionId: string): boolean {
    const record = this.executions.get(executionId)?.log.record;
    return record !== undefined && sees(scope, record);
  }

  now(): number {
    return Math.round(this.time.now());
  }

  deliver(executionId: string, event: ExecutionEvent): void {
    this.actor.send({ type: 'deliver', executionId, event });
  }

  #committed(log: LiveLog): void {
    const { executionId } = log;
    const execution = this.executions.get(executionId);
    if (execution === undefined) return;
    this.attempts.settle();
    this.givingAway.committed();
    const record = log.committed as ExecutionRecord;
    if (log.complete) {
      this.storage.add(tenantOf(record), record.outputBytes);
      if (record.status === 'completed' && execution.answer === undefined) this.queue.estimates.learn(record);
      this.#forget(log);
      if (record.cache !== undefined) this.cache.ended(execution);
      this.dependants.ended();
      if (record.batch !== undefined) this.batches.ended(record);
    } else if (execution.handOver !== 'no') {
      if (execution.handOver === 'placed' && log.isSettled) this.cluster?.placed(execution);
      if (record.attempt === 0) this.cluster?.supersede(record);
    } else if (record.attempt === 0) {
      if ((execution.invocation?.input.byteLength ?? 0) > keptInputBytes) execution.invocation = undefined;
      if (!execution.speculative || execution.behind === 'yes') {
        this.actor.send({ type: 'admitted', executionId });
      }
      if (record.blocked === true) this.dependants.admitted();
      endOldest(execution, this.executions, (id, reason) => this.cancel(id, reason));
      this.queue.consider(execution);
    } else if (execution.rests) this.queue.consider(execution);
  }

  #forget(log: LiveLog): void {
    const { executionId } = log;
    const execution = this.executions.get(executionId);
    this.executions.delete(executionId);
    if (execution !== undefined) this.actor.send({ type: 'reap', execution });
    if (execution?.log.record.cache !== undefined && !log.complete) this.cache.refused(execution);
    // What another node has now goes on.
    if (log.complete || log.committed === undefined) this.breakpoints.forget(executionId);
    this.admissions.forget(log);
  }
}

/** What is urgent, or has waited before a limit of its own, does not wait as the others do, and says nothing of them. */
function began(overload: Overload | undefined, { log, stopwatch }: LiveExecution, now: number): void {
  const { priority = 'normal', gates } = log.record;
  if (gates !== undefined) return;
  if (priority === 'low' || priority === 'normal') overload?.began(now - stopwatch.admitted, now);
}
