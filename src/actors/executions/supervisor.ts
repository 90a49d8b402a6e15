/**
 * Accepts executions and owns them until their end is durable. A request goes: admission rule → log and
 * actor → slot → attempt → result → reap. See `supervisor-logic.ts` for the actor itself, and `supervisor-parts.ts` for
 * how the parts hear of one another.
 *
 * - Acceptance is heard only when the admission is committed (I2). An attempt may be dispatched before that where
 *   nothing outside can notice: wasm without preopens or network, no invocation id.
 * - What waits for a slot does not keep a large input in memory: it is read back from the store at dispatch.
 */
import type { Batches } from '../../domain/batch/batch.ts';
import { notFound, type RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type {
  Admission,
  AdmissionRequest,
  Adoption,
  Changed,
  Executions,
  Rehearsal,
  RelatedExecution,
  RelatedExecutions,
  Transfers,
} from '../../domain/executions.ts';
import type { Explanation, Explanations } from '../../domain/explanation.ts';
import type { LinkedExecutions } from '../../domain/links.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { ResourcesView } from '../../domain/node-feed.ts';
import type { QueueView, QueueViews } from '../../domain/queue-view.ts';
import { leafOf } from '../../domain/scheduling/line.ts';
import { type Reserved, rulesOf } from '../../domain/scheduling/task-gates.ts';
import { type Scope, sees, tenantOf, wholeNode } from '../../domain/scope.ts';
import { isDamage } from '../../domain/store-error.ts';
import type { RuntimeKind, Task } from '../../domain/task.ts';
import { SnapshotIncompatible } from '../../machines/migrations.ts';
import { explain } from '../explain/explaining.ts';
import { answering, joining, type RehearsingHost, rehearse } from '../explain/rehearsing.ts';
import { untilDurable } from '../log/durable.ts';
import type { BreakpointTable } from './breakpoints.ts';
import type { ExecutionCache } from './cache/execution-cache.ts';
import { ClusterQueueView } from './cluster/cluster-queue-view.ts';
import type { TaskQuarantines } from './quarantines.ts';
import { mayFollowAgain } from './recovery/execution-recovery.ts';
import { type RecoveryReport, recoverUnfinished } from './recovery/node-recovery.ts';
import { notInState } from './recovery/stored-execution.ts';
import { replacedBy } from './superseding.ts';
import { nobodyElse, type SupervisorOptions, SupervisorParts } from './supervisor-parts.ts';
import type { TenantQuotas } from './tenant-quotas.ts';

const pageOfDependants = 100;

function ifDamaged(error: unknown): undefined {
  if (!isDamage(error)) throw error;
}

export class Supervisor implements Executions, Transfers, Explanations {
  readonly #parts: SupervisorParts;
  readonly breakpoints: BreakpointTable;
  readonly quotas: TenantQuotas;
  readonly quarantines: TaskQuarantines;
  readonly queueViews: QueueViews;
  readonly batches: Batches;
  readonly cache: ExecutionCache;

  constructor(options: SupervisorOptions) {
    this.#parts = new SupervisorParts(options);
    const { breakpoints, quotas, quarantines, cache } = this.#parts;
    this.cache = cache;
    this.breakpoints = breakpoints;
    this.quotas = quotas;
    this.quarantines = quarantines;
    const { membership = nobodyElse, links, clock } = options;
    this.queueViews = new ClusterQueueView({
      ...{ membership, links, clock },
      here: (scope, mostLines) => this.#parts.nodeQueue(scope, mostLines),
    });
    this.batches = this.#parts.batches;
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
    for (const execution of this.#parts.executions.values()) {
      if (!sees(scope, execution.log.record)) continue;
      load.live += 1;
      if (execution.pending) load.pending += 1;
      if (this.#parts.slots.holds(execution.executionId)) {
        const { memory = 0, cpu = 0 } = execution.log.record.reserves ?? {};
        load.running += 1;
        reserved.memoryBytes += memory;
        reserved.processors += cpu;
      } else if (this.#parts.slots.waits(execution.executionId)) load.queued += 1;
    }
    const { resources: total } = this.#parts.options;
    return total === undefined ? load : { ...load, resources: { reserved, total } };
  }

  /** What runs and waits, by task, in no order; a task may come several times, and empty is what only the store knows. */
  *loads(): Iterable<{
    readonly tenant: string;
    readonly task: string;
    readonly running: number;
    readonly waiting: number;
  }> {
    const { executions, slots, queue } = this.#parts;
    for (const { executionId, log, pending } of executions.values()) {
      const running = slots.holds(executionId) ? 1 : 0;
      const waiting = pending ? 1 : 0;
      if (running + waiting === 0) continue;
      yield { tenant: tenantOf(log.record), task: log.record.taskName, running, waiting };
    }
    for (const each of queue.passivation.pendingByTenant()) yield { ...each, task: '', running: 0 };
  }

  get load(): {
    readonly live: number;
    readonly running: number;
    readonly pending: number;
    readonly slots: number;
  } {
    return {
      live: this.#parts.executions.size,
      running: this.#parts.slots.running,
      pending: this.#parts.queue.pending,
      slots: this.#parts.slots.total,
    };
  }

  /** Of one that lives. */
  runtimeOf(executionId: string): RuntimeKind | undefined {
    return this.#parts.executions.get(executionId)?.task.definition.runtime;
  }

  /** Who waits on this node. */
  queueHere(): QueueView {
    return this.#parts.queueViews.view(wholeNode);
  }

  /** Executions that wait for a slot. */
  get queueLength(): number {
    return this.#parts.queue.length;
  }

  /** Executions that wait and are not live. */
  get passive(): number {
    return this.#parts.queue.passivation.size;
  }

  /** Those of them that have not begun, and those of these that wait for a slot. */
  get passiveLoad(): { readonly pending: number; readonly queued: number } {
    const { pending, queued } = this.#parts.queue.passivation;
    return { pending, queued };
  }

  admit(request: AdmissionRequest): Promise<Admission> {
    return this.#parts.admissions.admit(request);
  }

  async rehearse(request: AdmissionRequest): Promise<Rehearsal> {
    const { joins, record, answer } = await this.#parts.admissions.rehearse(request);
    if (joins) return joining(record);
    if (answer !== undefined) return answering(answer, this.#parts.options.clock.now());
    const { estimates, backlog } = this.#parts.queue;
    const { scope = wholeNode, startAfterMs } = request;
    const host: RehearsingHost = {
      slots: this.#parts.slots,
      time: this.#parts.time,
      behind: (leaf) => backlog.behind(leaf),
      maySay: (id) => this.#parts.isSeen(scope, id),
      block: () => this.#parts.dispatch.block,
      waitMs: (of) => estimates.wait(of, this.#parts.now()),
      likelyMs: (of) => estimates.likely(of, this.#parts.now()),
    };
    const replaces = replacedBy(record, this.#parts.executions);
    const dependencies: string[] = [];
    for (const { executionId } of record.dependsOn ?? []) {
      const dependency = await this.record(executionId);
      if (dependency?.status !== 'completed') dependencies.push(executionId);
    }
    return rehearse(host, { record, leaf: leafOf(record), startAfterMs, replaces, dependencies });
  }

  attach(executionId: string, purpose: 'observe' | 'glance' = 'observe'): Promise<LogCursor> {
    return this.#parts.attach(executionId, purpose);
  }

  /** As it is now, of one that lives or that the store has. */
  async record(executionId: string): Promise<ExecutionRecord | undefined> {
    return (
      this.#parts.executions.get(executionId)?.log.record ?? this.#parts.options.store.execution(executionId)
    );
  }

  cancel(executionId: string, reason: string, by?: string): Promise<Changed> {
    return this.#parts.order(executionId, { kind: 'cancel', reason }, by);
  }

  suspend(executionId: string, by?: string): Promise<Changed> {
    return this.#parts.order(executionId, { kind: 'suspend' }, by);
  }

  resume(executionId: string, by?: string): Promise<Changed> {
    return this.#parts.order(executionId, { kind: 'resume' }, by);
  }

  async detach(executionId: string, by?: string): Promise<ExecutionRecord> {
    return (await this.#parts.order(executionId, { kind: 'detach' }, by)).record;
  }

  /** What other nodes may ask of the executions that this one has. */
  get linked(): LinkedExecutions {
    const { elsewhere } = this.#parts;
    return {
      attach: async (executionId, observes) => {
        await elsewhere?.assertHere(executionId);
        return this.#parts.attachHere(executionId, observes ? 'observe' : 'glance');
      },
      deliver: async (executionId, action, by) => {
        await elsewhere?.assertHere(executionId);
        return this.#parts.controls.order(executionId, action, by);
      },
      explain: async (executionId, scope) => {
        const unowned = await this.#parts.cluster?.explain(executionId, scope);
        if (unowned !== undefined) return unowned;
        await elsewhere?.assertHere(executionId);
        return this.#explainHere(executionId, scope);
      },
      queue: (scope, mostLines) => this.#parts.nodeQueue(scope, mostLines),
    };
  }

  async delete(executionId: string): Promise<void> {
    const { store } = this.#parts.options;
    const live = this.#parts.executions.get(executionId)?.log.record;
    if (live === undefined && (await store.delete(executionId))) {
      this.#parts.storage.deleted();
      return;
    }
    const record = live ?? (await store.execution(executionId));
    if (record === undefined) throw notFound('execution', executionId);
    if (isTerminal(record.status)) throw await this.#followed(record);
    throw notInState(record, 'only what has ended can be deleted; cancel it first');
  }

  async related(record: ExecutionRecord, scope: Scope): Promise<RelatedExecutions> {
    const { executionId, dependsOn = [] } = record;
    const dependants = await this.#parts.options.store.dependants(executionId, '', pageOfDependants);
    const read = async (ids: readonly string[]): Promise<Omit<RelatedExecution, 'dependency'>[]> => {
      const found: Omit<RelatedExecution, 'dependency'>[] = [];
      for (const id of ids) {
        const record = await this.record(id).catch(ifDamaged);
        if (record === undefined || sees(scope, record)) found.push({ executionId: id, record });
      }
      return found;
    };
    const byId = new Map(dependsOn.map((dependency) => [dependency.executionId, dependency]));
    const followed = await read([...byId.keys()]);
    const following = await read(dependants);
    return {
      dependencies: followed.map((each) => ({ ...each, dependency: byId.get(each.executionId) })),
      dependants: following.map((each) => ({
        ...each,
        dependency: each.record?.dependsOn?.find((dependency) => dependency.executionId === executionId),
      })),
    };
  }

  async #followed(record: ExecutionRecord): Promise<RequestError> {
    const { store } = this.#parts.options;
    const unfinished: string[] = [];
    for (let after = ''; ; ) {
      const page = await store.dependants(record.executionId, after, pageOfDependants);
      for (const id of page) {
        const dependant = await this.record(id);
        if (dependant !== undefined && !isTerminal(dependant.status)) unfinished.push(id);
      }
      const last = page.at(-1);
      if (last === undefined || unfinished.length > 0) break;
      after = last;
    }
    const who = unfinished.length === 0 ? 'another' : unfinished.slice(0, 3).join(', ');
    return notInState(record, `it is kept for ${who}, which depends on it and has not ended`);
  }

  async adopt(executionId: string, restored: Adoption): Promise<ExecutionRecord> {
    this.#parts.gate.checkOpen();
    const record = await this.#parts.options.store.execution(executionId);
    if (record === undefined) throw notFound('execution', executionId);
    try {
      const { log } = await this.#parts.executionRecovery.restore(record, restored);
      await untilDurable(log);
      return log.committed ?? record;
    } catch (error) {
      if (error instanceof SnapshotIncompatible) return this.#parts.executionRecovery.giveUp(record, error);
      throw error;
    }
  }

  /**
   * Takes up what an earlier run of the node left unfinished; `planned` says that it was told to stop. Resolves when
   * what was lost of it is durable; nothing is dispatched before.
   */
  async recover(planned = false): Promise<RecoveryReport> {
    const { store } = this.#parts.options;
    this.#parts.dispatch.recovering = true;
    await this.quotas.open();
    await this.#parts.cluster?.quarantines.open(this.#parts.slots);
    await this.#parts.queue.keeper.open();
    const report = await recoverUnfinished(store, this.#parts.time, (stored) => {
      this.#parts.executionRecovery.takeUp(stored, planned);
      this.#parts.options.listener.revived?.(stored.record);
    });
    for (const runtime of this.#parts.options.runtimes.values()) runtime.endRecovery?.();
    const waiting = await this.#parts.queue.open();
    await this.#parts.takeover.open();
    await this.#parts.committer.drained();
    this.#parts.queue.keeper.opened();
    this.#parts.dispatch.recovering = false;
    await this.#parts.dependants.open();
    await this.#parts.batches.open();
    this.#parts.cluster?.open();
    this.#parts.takeover.watch();
    this.#parts.actor.send({ type: 'pump' });
    return waiting > 0 ? { ...report, waiting } : report;
  }

  /** Throws a RequestError where nothing is accepted now, or no more of a tenant. */
  checkOpen(tenant?: string): void {
    if (tenant === undefined) this.#parts.gate.checkOpen();
    else this.#parts.gate.checkAdmission(this.#parts.queue.pending, tenant, 'urgent');
  }

  async nodeOf(record: ExecutionRecord): Promise<string> {
    return (await this.#parts.elsewhere?.nodeOf(record)) ?? '';
  }

  estimate(record: ExecutionRecord): number {
    return this.#parts.queue.estimates.of(record, this.#parts.now());
  }

  explain(executionId: string, scope: Scope = wholeNode): Promise<Explanation> {
    const { elsewhere } = this.#parts;
    const here = () => this.#explainHere(executionId, scope);
    return elsewhere === undefined ? here() : elsewhere.explain(executionId, scope, here);
  }

  async #explainHere(executionId: string, scope: Scope): Promise<Explanation> {
    return explain(
      {
        store: this.#parts.options.store,
        slots: this.#parts.slots,
        glance: (id) => this.#parts.attachHere(id, 'glance'),
        taskOf: (id) => this.#parts.executions.get(id)?.task,
        placeOf: (id) => this.#parts.queue.placeOf(id),
        runFor: (id) => this.#parts.runFor(id),
        waitMs: (record) => this.#parts.queue.estimates.wait(record, this.#parts.now()),
        maySay: (id) => this.#parts.isSeen(scope, id),
        dependencyOf: async (id) => {
          const record = await this.record(id).catch(ifDamaged);
          return record !== undefined && sees(scope, record) ? record : undefined;
        },
        block: () => this.#parts.dispatch.block,
        time: this.#parts.time,
      },
      executionId,
    );
  }

  /** See SupervisorParts. */
  reserves(task: Task): Reserved | undefined {
    return this.#parts.reserves(task);
  }

  /** A task has a new revision: its limits hold for those that wait, too. */
  limitsChanged(task: Task): void {
    this.#parts.slots.setRules(task.taskId, task.revision, rulesOf(task));
    this.#parts.cluster?.setRules(task.taskId, task.revision, rulesOf(task));
    this.#parts.cluster?.registered(task);
    this.#parts.actor.send({ type: 'pump' });
  }

  /** Refuses new executions from now on, and starts no attempt. */
  stopAccepting(): void {
    this.#parts.gate.close();
  }

  /** Resolves when no attempt runs any more and what came of them is durable. */
  async quiet(): Promise<void> {
    await this.#parts.attempts.quiet();
    await this.#parts.committer.drained();
  }

  /** Other nodes, where there are any, may have what waits from now on, and what runs as soon as it does. */
  giveAway(): Promise<void> {
    return this.#parts.givingAway.begin();
  }

  /**
   * Lets go of everything that is live, for the next start to take up: an attempt that can be followed again runs on,
   * any other is lost. Resolves when what happened until now is durable.
   */
  async leave(): Promise<void> {
    const looking = this.#parts.takeover.close();
    if (looking !== undefined) await looking;
    this.#parts.givingAway.close();
    this.#parts.left = true;
    this.#parts.attempts.close();
    for (const { log, task } of this.#parts.executions.values()) {
      // Where the disk does not know yet that it can be followed, and never will, the next start ends it, as after a crash.
      if (mayFollowAgain(log.record, task)) this.#parts.attempts.runtimeOf(task)?.release?.(log.executionId);
      log.leave();
    }
    await this.#parts.queue.keeper.keep();
    await this.#parts.committer.drained();
  }

  /** Stops the timers; what still lives is not heard of any more. */
  close(): void {
    this.#parts.attempts.close();
    void this.#parts.takeover.close();
    this.#parts.stopPumping();
    this.#parts.dependants.close();
    this.#parts.batches.close();
    this.#parts.health.close();
    this.#parts.alarms.close();
    this.#parts.cluster?.close();
    this.#parts.queue.close();
    this.#parts.storage.close();
    this.#parts.actor.stop();
  }
}
