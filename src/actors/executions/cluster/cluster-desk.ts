/** A node's part in a cluster: what it leaves to the dispatcher and takes from it, and the dispatcher while it is here. */
import type { Durations } from '../../../domain/durations.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import type { Explanation } from '../../../domain/explanation.ts';
import type { PeerNode } from '../../../domain/links.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import { type Lack, type NodePlace, placedOf, revisionName, whyNotOn } from '../../../domain/placement.ts';
import type { QueueView } from '../../../domain/queue-view.ts';
import type { Quota } from '../../../domain/quota.ts';
import type { GateUse, QuarantineUse, Resources } from '../../../domain/scheduling/gate.ts';
import type { PlacingNode } from '../../../domain/scheduling/places.ts';
import type { PriorityWeights } from '../../../domain/scheduling/priority.ts';
import type { Verdict } from '../../../domain/scheduling/quarantine-gate.ts';
import { hasToBeKnown } from '../../../domain/scheduling/task-gates.ts';
import type { Scope } from '../../../domain/scope.ts';
import type { RuntimeKind, Task } from '../../../domain/task.ts';
import type { ExecutionEvent } from '../../../machines/execution-context.ts';
import type { Runtime, SecretSource } from '../../../runtimes/runtime.ts';
import type { ClusterQueue } from '../../../stores/cluster-queue.ts';
import type { Store, WaitingExecution } from '../../../stores/store.ts';
import type { Slots } from '../../queue/slots.ts';
import type { NodeTime } from '../../time/node-time.ts';
import type { LiveExecution } from '../live-execution.ts';
import type { LiveExecutions } from '../live-executions.ts';
import { Abilities } from './abilities.ts';
import { Dispatcher, wishOf } from './dispatcher.ts';
import { explainUnowned } from './explain-unowned.ts';
import { HandOver } from './hand-over.ts';
import { SharedKeys } from './shared-keys.ts';
import { SharedQuarantines, taskOf } from './shared-quarantines.ts';

/** The cluster as a node sees it. */
export interface ClusterView {
  readonly queue: ClusterQueue;
  /** Of this node. */
  readonly secrets: SecretSource;
  /** What this node has. */
  readonly place: NodePlace;
  /** Other nodes know with the next renewals what it lacks. */
  tellLacks(lacks: NodePlace['lacks']): void;
  /** Others know with the next renewals which revisions of tasks it has run of late. */
  tellWarm(tasks: readonly string[]): void;
  /** Nodes that take executions. */
  nodes(): readonly PlacingNode[];
  /** The most memory and processors that any node has for attempts; undefined where nobody counts them. */
  largest(): Resources | undefined;
  /** No other node lives. */
  isAlone(): boolean;
  /** This node gives away what waits. */
  isDispatcher(): boolean;
  /** The one that does, where it is another and can be asked. */
  dispatcher(): PeerNode | undefined;
  /** It takes executions: it may write, and nobody has cordoned it. */
  mayRun(): boolean;
  /** Resolves when all nodes that live have seen what this one has changed. Rejects with StoreError. */
  settled(): Promise<void>;
  /** Any of that may be different now. */
  onChange(listener: () => void): void;
}

export interface ClusterDeskHost {
  readonly view: ClusterView;
  /** Its time is one that nobody sets. */
  readonly time: NodeTime;
  readonly store: Store;
  readonly executions: LiveExecutions;
  readonly slots: Slots;
  readonly durations: Durations;
  readonly runtimes: ReadonlyMap<RuntimeKind, Runtime>;
  readonly weights?: PriorityWeights | undefined;
  boundsRunning(record: ExecutionRecord): boolean;
  /** What attempts may reserve here at once; undefined where nobody counts. */
  readonly resources: Resources | undefined;
  /** It waits in the order of the slots, and is not live. */
  takes(waiting: WaitingExecution): void;
  isAhead(executionId: string): boolean;
  isReviving(executionId: string): boolean;
  /** So many of what waits here are only in the store. */
  behind(): number;
  /** Live again; undefined where it does not wait any more. */
  revive(executionId: string): Promise<LiveExecution | undefined>;
  /** The same of one that nobody had until now. */
  reviveClaimed(executionId: string): Promise<LiveExecution | undefined>;
  /** Nobody owns it any more. */
  released(execution: LiveExecution): void;
  /** It waits here for a slot, and is to be nobody's. */
  handOver(executionId: string): void;
  deliver(executionId: string, event: ExecutionEvent): void;
  /** Somebody may have a slot. */
  pump(): void;
  /** Whoever has it; resolves when that is durable. Rejects with a RequestError. */
  cancel(executionId: string, reason: string): Promise<unknown>;
  /** A task is quarantined now, or is not any more. */
  quarantined(task: Task): void;
  failed(error: unknown): void;
}

/** Tasks of which others are told that they have run here. */
const mostWarm = 64;

export class ClusterDesk {
  readonly #host: ClusterDeskHost;
  readonly #handOver: HandOver;
  readonly #keys: SharedKeys;
  readonly quarantines: SharedQuarantines;
  readonly #abilities: Abilities;
  readonly #claimed = new Map<string, number>();
  readonly #warm = new LruMap<string, true>(mostWarm);
  #dispatcher: Dispatcher | undefined;
  #opening: Promise<void> = Promise.resolve();
  #saying: Promise<void> = Promise.resolve();
  /** How attempts ended is being told. */
  #judging: Promise<void> = Promise.resolve();
  #wasAlone = true;
  #open = false;
  #closed = false;

  constructor(host: ClusterDeskHost) {
    this.#host = host;
    const { view } = host;
    this.#abilities = new Abilities({
      ...{ time: host.time, runtimes: host.runtimes, secrets: view.secrets },
      taskRevision: (taskId, revision) => host.store.taskRevision(taskId, revision),
      changed: (task, lack) => this.#lacking(task, lack),
    });
    this.#keys = new SharedKeys({ queue: view.queue, clock: host.time, cancel: host.cancel });
    this.quarantines = new SharedQuarantines({
      ...{ store: host.store, clock: host.time, slots: host.slots, failed: host.failed },
      now: () => host.time.toWall(host.time.now()),
      settled: () => view.settled(),
      judge: () => (this.isAlone ? host.slots : this.#dispatcher?.slots),
      forget: (taskId) => view.queue.say({ kind: 'forget', taskId }),
      // What a node that is alone judges it says itself.
      changed: (use) => void (this.isAlone || this.#quarantineChanged(use)),
    });
    this.#handOver = new HandOver({
      ...host,
      judged: () => this.#judging,
      queue: view.queue,
      isAlone: () => view.isAlone(),
      mayRun: () => view.mayRun(),
      fits: (placement) => this.#fits(placement),
      canRun: (placement) => this.#canRun(placement),
      exceeds: (record) => this.#exceeds(record),
      redeliver: (executionId, events) => this.#redeliver(executionId, events),
    });
    view.queue.onSaying((saying) => {
      if (saying?.kind === 'fetch' && saying.node === view.queue.me) this.#abilities.fetch(saying.task);
      this.#handOver.heard(saying);
      this.#dispatcher?.heard(saying);
    });
    view.onChange(() => this.#changed());
  }

  /** Of this node, while it is the one that gives away what waits. */
  get dispatcher(): Dispatcher | undefined {
    return this.#dispatcher;
  }

  get isAlone(): boolean {
    return this.#host.view.isAlone();
  }

  /** Begins to take what others leave. */
  open(): void {
    this.#open = true;
    this.#wasAlone = this.isAlone;
    this.#host.slots.setTold(!this.isAlone);
    this.#handOver.open();
    this.#changed();
  }

  close(): void {
    this.#closed = true;
    this.#abilities.close();
    this.#handOver.close();
    this.#dispatcher?.close();
    this.quarantines.close();
  }

  /** An attempt has ended here of what a quarantine may hold back. */
  judge(use: QuarantineUse, executionId: string, verdict: Verdict): void {
    const { view, failed } = this.#host;
    this.#judging = this.#judging
      .then(() => view.queue.say({ kind: 'verdict', use, executionId, verdict }))
      .catch(failed);
  }

  leaves(execution: LiveExecution): boolean {
    return this.#open && this.#handOver.leaves(execution);
  }

  placed(execution: LiveExecution): void {
    this.#handOver.placed(execution);
  }

  /** It holds no slot of this node any more. */
  left(executionId: string): void {
    this.#handOver.left(executionId);
  }

  /** Resolves when the dispatcher knows what holds no slot of this node any more. */
  told(): Promise<void> {
    return this.#handOver.told();
  }

  /** Rejects with resource_exhausted where so many on any node have not ended as a key of its task refuses beyond. */
  async checkKeys(record: ExecutionRecord): Promise<void> {
    if (!this.isAlone) await this.#keys.check(record);
  }

  /** Its admission is durable: it takes the place of others, where its task says so. */
  supersede(record: ExecutionRecord): void {
    if (!this.isAlone && hasToBeKnown(record)) void this.#keys.supersede(record);
  }

  isClaimed(executionId: string): boolean {
    return this.#claimed.has(executionId);
  }

  /** Members of a batch that wait for a slot go to the dispatcher; false where this node runs them itself. */
  takesBatch(batchId: string): boolean {
    if (!this.#open || this.isAlone) return false;
    this.#host.view.queue.releaseBatch(batchId).catch((error) => this.#host.failed(error));
    return true;
  }

  /** Takes one that nobody owns while `work` does something to it; undefined where another node was first. */
  async claiming<Result>(executionId: string, work: () => Promise<Result>): Promise<Result | undefined> {
    if (!(await this.#host.view.queue.claim(executionId))) return undefined;
    this.#claimed.set(executionId, (this.#claimed.get(executionId) ?? 0) + 1);
    try {
      await this.#host.reviveClaimed(executionId);
      return await work();
    } finally {
      const left = (this.#claimed.get(executionId) ?? 1) - 1;
      if (left > 0) this.#claimed.set(executionId, left);
      else {
        this.#claimed.delete(executionId);
        this.#host.handOver(executionId);
      }
    }
  }

  /** Who waits that nobody owns; undefined where another node gives them away. Throws permission_denied. */
  queue(scope: Scope, mostLines: number | undefined): QueueView | undefined {
    return this.isAlone ? undefined : this.#dispatcher?.queue(scope, mostLines);
  }

  /** Why one waits that nobody owns; undefined where another node gives away what waits. */
  async explain(executionId: string, scope: Scope): Promise<Explanation | undefined> {
    const dispatcher = this.#dispatcher;
    return dispatcher && explainUnowned(dispatcher, this.#host, executionId, scope);
  }

  setQuota(tenant: string, quota: Quota): void {
    this.#dispatcher?.setQuota(tenant, quota);
  }

  setRules(taskId: string, revision: number, rules: readonly GateUse[]): void {
    this.#dispatcher?.setRules(taskId, revision, rules);
  }

  /** Resolves when what this node knows of leases is so. */
  settled(): Promise<void> {
    return this.#opening;
  }

  #fits(placement: string | undefined): boolean {
    if (placement === undefined) return true;
    const placed = placedOf(placement);
    const { lacks } = this.#abilities;
    return placed !== undefined && whyNotOn(placed, { ...this.#host.view.place, lacks }) === undefined;
  }

  /** Where it cannot, others have heard so when this resolves. */
  async #canRun(placement: string | undefined): Promise<boolean> {
    const can = await this.#abilities.canRun(placement);
    if (!can) await this.#saying;
    return can;
  }

  #lacking(task: string, lack: Lack | undefined): void {
    const { view, failed } = this.#host;
    const node = view.queue.me;
    view.tellLacks(this.#abilities.lacks);
    this.#saying = this.#saying
      .then(() => view.queue.say({ kind: 'lacks', node, task, ...(lack !== undefined && { lack }) }))
      .catch(failed);
  }

  /** An attempt of the task begins here. */
  runs({ taskId, revision }: Task): void {
    const name = revisionName(taskId, revision);
    const isNew = !this.#warm.has(name);
    this.#warm.set(name, true);
    if (isNew) this.#host.view.tellWarm([...this.#warm].map(([task]) => task));
  }

  /** A task is new, or has changed. */
  registered(task: Task): void {
    this.#abilities.registered(task);
  }

  /** An attempt did not find what it was to run. */
  unavailable(task: Task): void {
    this.#abilities.forget(task);
  }

  /** It reserves more than this node has in all, and another one has more. */
  #exceeds(record: ExecutionRecord): boolean {
    const { resources, view } = this.#host;
    const { reserves } = wishOf(record);
    if (reserves === undefined || resources === undefined) return false;
    const largest = view.largest() ?? resources;
    const isBeyond = (kind: keyof Resources) =>
      reserves[kind] > resources[kind] && largest[kind] > resources[kind];
    return isBeyond('memoryBytes') || isBeyond('processors');
  }

  async #redeliver(executionId: string, events: readonly ExecutionEvent[]): Promise<void> {
    await this.claiming(executionId, async () => {
      for (const event of events) this.#host.deliver(executionId, event);
    });
  }

  #changed(): void {
    if (!this.#open || this.#closed) return;
    const { view } = this.#host;
    const { isAlone } = this;
    const isJoined = this.#wasAlone && !isAlone;
    if (isAlone !== this.#wasAlone) this.#judgesChanged(isAlone);
    this.#wasAlone = isAlone;
    if (isJoined) this.#handAllOver();
    if (view.isDispatcher() && (this.#dispatcher === undefined || isJoined)) this.#begin();
    else if (!view.isDispatcher() && this.#dispatcher !== undefined) this.#end();
    else this.#dispatcher?.nodesChanged();
  }

  /** Another node has come: what waits here may run there. */
  #handAllOver(): void {
    const { executions, slots, handOver } = this.#host;
    for (const { executionId } of executions.values()) if (slots.waits(executionId)) handOver(executionId);
  }

  /** One order judges what fails, and the others are told: that of a node that is alone, or that of the dispatcher. */
  #judgesChanged(isAlone: boolean): void {
    this.#host.slots.setTold(!isAlone);
    this.#dispatcher?.slots.setTold(isAlone);
    this.#host.pump();
  }

  async #quarantineChanged(use: QuarantineUse): Promise<void> {
    const task = await this.#host.store.taskRevision(taskOf(use), use.version ?? 0).catch(() => undefined);
    if (task !== undefined) this.#host.quarantined(task);
  }

  #end(): void {
    this.#dispatcher?.close();
    this.#dispatcher = undefined;
  }

  /** Anew also where another node has come, before anything is given to it: what runs here is counted from now on. */
  #begin(): void {
    this.#end();
    const { view, time, store, durations, weights, failed } = this.#host;
    const dispatcher = new Dispatcher({
      ...{ time, store, durations, weights, failed },
      queue: view.queue,
      nodes: () => view.nodes(),
      quarantines: (slots) => this.quarantines.open(slots),
      quarantined: (slots, use) => this.quarantines.judged(slots, use),
      wake: (executionId) => this.#rung(executionId),
    });
    this.#dispatcher = dispatcher;
    dispatcher.slots.setTold(this.isAlone);
    this.#opening = this.#opening
      .then(() => (this.#dispatcher === dispatcher ? dispatcher.open() : undefined))
      .catch((error: unknown) => {
        failed(error);
        if (this.#dispatcher !== dispatcher) return;
        dispatcher.close();
        this.#dispatcher = undefined;
      });
  }

  /** Its alarm rings as soon as it is live, and is done then. */
  async #rung(executionId: string): Promise<void> {
    this.#claimed.set(executionId, (this.#claimed.get(executionId) ?? 0) + 1);
    try {
      await this.#host.reviveClaimed(executionId);
    } finally {
      this.#claimed.delete(executionId);
      this.#host.handOver(executionId);
    }
  }
}
