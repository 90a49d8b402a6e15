/**
 * Gives what nobody owns to nodes with a free slot, for the whole cluster: the order of runs, the gates and the quotas
 * are those of one node, over rows of all of them. One node does it, as long as it holds the lease.
 *
 * queued ─► lines ─► order ─► a node that fits and has room ─► grant ─► that node ─► freed
 *
 * 1. Whatever nodes say may be missed: all of it is found in the store, within `lookMs`.
 * 2. What was given to a node counts until the node says that it holds no slot, or is no more.
 * 3. What a node runs of its own it says while something waits. When that begins all are asked, and none is given
 *    anything before it has answered: what was given to one without room would wait there.
 * 4. A grant is one statement with the buckets that it takes from. Where another node was first, nothing was given.
 */
import type { Timer } from '../../../domain/clock.ts';
import type { Durations } from '../../../domain/durations.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import { type Lack, revisionName } from '../../../domain/placement.ts';
import type { QueueView } from '../../../domain/queue-view.ts';
import type { Quota } from '../../../domain/quota.ts';
import type { GateUse, QuarantineUse } from '../../../domain/scheduling/gate.ts';
import { leafOf } from '../../../domain/scheduling/line.ts';
import type { MeterUse } from '../../../domain/scheduling/order-use.ts';
import { Places, type PlacingNode, type Wish } from '../../../domain/scheduling/places.ts';
import type { PriorityWeights } from '../../../domain/scheduling/priority.ts';
import { type Scope, sees } from '../../../domain/scope.ts';
import type { ClusterQueue, ClusterSaying, Grant } from '../../../stores/cluster-queue.ts';
import type { Store } from '../../../stores/store.ts';
import { QueueViewing } from '../../explain/queue-viewing.ts';
import { Estimates } from '../../queue/estimates.ts';
import { OpeningTimer } from '../../queue/opening-timer.ts';
import { Slots } from '../../queue/slots.ts';
import type { NodeTime } from '../../time/node-time.ts';
import { OrderKeeper } from '../order-keeper.ts';
import { ClusterLines } from './cluster-lines.ts';

export interface DispatcherHost {
  /** Its time is one that nobody sets. */
  readonly time: NodeTime;
  readonly store: Pick<Store, 'order' | 'saveOrder' | 'quotas'>;
  readonly queue: ClusterQueue;
  readonly durations: Durations;
  readonly weights?: PriorityWeights | undefined;
  /** Those that take executions now. */
  nodes(): readonly PlacingNode[];
  /** Takes up the quarantines that there are. Rejects with StoreError. */
  quarantines(slots: Slots): Promise<void>;
  /** A quarantine is another, as attempts ended on any node. */
  quarantined(slots: Slots, use: QuarantineUse): void;
  /** Makes one live here whose alarm has rung. */
  wake(executionId: string): Promise<unknown>;
  failed(error: unknown): void;
}

interface Said {
  readonly node: number;
  readonly task: string;
  readonly lack: Lack | undefined;
  readonly at: number;
}

/** Grants in one statement. */
const grantsAtOnce = 100;
/** Whose alarm is due is looked for so often, and nodes are told so often that something waits. */
const tickMs = 250;
/** So long all nodes have to say what they run before those that have are given anything, in milliseconds. */
const patienceMs = 100;
/** What was missed is looked for so often. */
const lookMs = 2000;
/** Alarms that are rung in one turn. */
const alarmsAtOnce = 100;
/** What a node said that it lacks counts for so long, in milliseconds; by then its renewals say it as well. */
const lacksForMs = 10_000;
/** A node is asked to fetch the same again after so many milliseconds. */
const fetchAgainMs = 5000;
/** A statement that failed is tried again after so many milliseconds. */
const againMs = 250;

export class Dispatcher {
  readonly slots: Slots;
  readonly places = new Places();
  readonly #host: DispatcherHost;
  /** Of all that wait in the order, or were given away and hold a slot. */
  readonly #records = new Map<string, ExecutionRecord>();
  readonly #keeper: OrderKeeper;
  readonly #lines: ClusterLines;
  readonly #estimates: Estimates;
  readonly #opening: OpeningTimer;
  readonly #viewing: QueueViewing;
  #given: Grant[] = [];
  #meters: MeterUse[] = [];
  #giving = false;
  /** Those whose grant is on its way to the store. */
  readonly #onTheirWay = new Set<string>();
  /** What nodes have said last of what they lack, by node and task. */
  readonly #said = new Map<string, Said>();
  /** When nodes were asked last to fetch something. */
  readonly #asked = new Map<string, number>();
  #timer: Timer | undefined;
  /** Nodes have been asked what they run, and may answer yet. */
  #patience: Timer | undefined;
  #lookedAt = 0;
  #told = 0;
  /** Nothing waited when it was looked at last. */
  #wasEmpty = true;
  #open = false;
  #closed = false;

  constructor(host: DispatcherHost) {
    this.#host = host;
    const { time, store, queue, weights, durations, failed } = host;
    this.#opening = new OpeningTimer(time, () => this.#pump());
    const recordOf = (id: string) => this.#records.get(id);
    this.slots = new Slots(0, {
      weights,
      leafOf: (id) => leafOf(recordOf(id)),
      expectedMs: (id): number => this.#estimates.expected(recordOf(id)),
      now: () => time.monotonic(),
      opensIn: (ms) => this.#opening.set(ms),
      changed: () => this.#keeper.changed(),
      quarantined: (use) => host.quarantined(this.slots, use),
    });
    this.#estimates = new Estimates(this.slots, durations, recordOf, () => 0);
    this.slots.setPlaces(this.places);
    this.#viewing = new QueueViewing({
      ...{ slots: this.slots, time, recordOf },
      maySay: (scope, id) => {
        const holder = recordOf(id);
        return holder !== undefined && sees(scope, holder);
      },
      block: () => undefined,
      total: () => this.places.all,
    });
    this.#keeper = new OrderKeeper({ time, store, slots: this.slots });
    this.#lines = new ClusterLines({
      ...{ queue, slots: this.slots, records: this.#records, failed },
      pump: () => this.#pump(),
    });
  }

  /** Milliseconds until one that waits in the order likely starts. */
  waitMs(record: ExecutionRecord): number {
    return this.#estimates.wait(record, Math.round(this.#host.time.now()));
  }

  /** What is in scope of what waits here, of at most so many lines. Throws permission_denied. */
  queue(scope: Scope, mostLines: number | undefined): QueueView {
    return this.#viewing.view(scope, mostLines);
  }

  /** What waits in the order; undefined for what does not. */
  recordOf(executionId: string): ExecutionRecord | undefined {
    return this.#records.get(executionId);
  }

  /** Takes up what others have left. Rejects with what the store rejects with. */
  async open(): Promise<void> {
    const { store, queue } = this.#host;
    await this.#keeper.open();
    for (const { tenant, quota } of await store.quotas()) this.slots.setQuota(tenant, quota);
    this.places.setNodes(this.#nodes());
    await queue.forgetLost();
    for (const { record, node } of await this.#held()) this.#hold(record, node);
    await this.#host.quarantines(this.slots);
    this.#keeper.opened();
    await this.#lines.open();
    this.#open = true;
    this.#pump();
    this.#tick();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#patience?.cancel();
    this.#opening.close();
    this.#keeper.close();
    this.#lines.close();
  }

  heard(saying: ClusterSaying | undefined): void {
    if (this.#closed) return;
    if (saying === undefined) void this.#look();
    else if (saying.kind === 'queued') this.#lines.grown(saying.lines);
    else if (saying.kind === 'lacks') {
      const { node, task, lack } = saying;
      this.#said.set(`${node} ${task}`, { node, task, lack, at: this.#host.time.monotonic() });
      this.places.setNodes(this.#nodes());
      this.#pump();
    } else if (saying.kind === 'verdict') {
      const { use, executionId, verdict } = saying;
      this.slots.judgeOf(use, executionId, verdict);
      this.#pump();
    } else if (saying.kind === 'forget') {
      this.slots.resetQuarantines(saying.taskId);
      this.#pump();
    } else if (saying.kind === 'freed') {
      const { own: slots, memory: memoryBytes = 0, processors = 0 } = saying;
      this.places.setOwn(saying.node, { slots, memoryBytes, processors });
      for (const id of saying.ids) if (this.places.nodeOf(id) === saying.node) this.#leave(id);
      this.#pump();
    }
  }

  /** Others take executions now. */
  nodesChanged(): void {
    if (!this.#open || this.#closed) return;
    this.places.setNodes(this.#nodes());
    void this.#look();
  }

  setQuota(tenant: string, quota: Quota): void {
    this.slots.setQuota(tenant, quota);
    this.#pump();
  }

  setRules(taskId: string, revision: number, rules: readonly GateUse[]): void {
    this.slots.setRules(taskId, revision, rules);
    this.#pump();
  }

  #nodes(): readonly PlacingNode[] {
    const nodes = this.#host.nodes();
    if (this.#said.size === 0) return nodes;
    const since = this.#host.time.monotonic() - lacksForMs;
    for (const [key, { at }] of this.#said) if (at < since) this.#said.delete(key);
    const said = [...this.#said.values()];
    return nodes.map((node) => {
      const lacks: Record<string, Lack> = { ...node.place.lacks };
      for (const { node: id, task, lack } of said) {
        if (id !== node.id) continue;
        if (lack === undefined) delete lacks[task];
        else lacks[task] = lack;
      }
      return { ...node, place: { ...node.place, lacks } };
    });
  }

  /** Nodes with free slots fetch what waits for those that have it. */
  async #askToFetch(): Promise<void> {
    const now = this.#host.time.monotonic();
    for (const [key, at] of this.#asked) if (now - at >= fetchAgainMs) this.#asked.delete(key);
    for (const { node, task } of this.places.toFetch()) {
      const key = `${node} ${task}`;
      if (this.#asked.has(key)) continue;
      this.#asked.set(key, now);
      await this.#host.queue.say({ kind: 'fetch', node, task });
    }
  }

  #hold(record: ExecutionRecord, node: number): void {
    this.#records.set(record.executionId, record);
    this.slots.hold(record.executionId);
    this.places.hold(record.executionId, node, wishOf(record).reserves);
  }

  #leave(id: string): void {
    this.places.leave(id);
    this.#records.delete(id);
    this.slots.release(id);
  }

  /** What was given to nodes, and what they run that a gate counts. */
  async #held(): Promise<readonly { readonly record: ExecutionRecord; readonly node: number }[]> {
    const { queue } = this.#host;
    const given = await queue.grants();
    const known = new Set(given.map(({ record }) => record.executionId));
    const running = await queue.running();
    return [
      ...given,
      ...running.filter(({ record }) => !known.has(record.executionId) && isCounted(record) && runs(record)),
    ];
  }

  #pump(): void {
    if (!this.#open || this.#closed) return;
    const { slots, places } = this;
    // While nothing waited no node said what it has begun to run.
    if (this.#wasEmpty && this.#queued > 0) {
      places.forgetOwn();
      this.#patience?.cancel();
      this.#patience = this.#host.time.setTimer(patienceMs, () => {
        this.#patience = undefined;
        this.#pump();
      });
    }
    this.#wasEmpty = false;
    // Who answers first is not for that the one that should have it.
    if (this.#patience !== undefined && !places.isKnown) {
      this.#tell();
      return;
    }
    slots.total = slots.running + Math.max(0, places.free());
    slots.placesChanged(places);
    const now = this.#host.time.now();
    for (let id = slots.take(); id !== undefined; id = slots.take()) {
      const record = this.#records.get(id);
      const node = record && places.give(id, wishOf(record));
      if (record === undefined || node === undefined) {
        slots.release(id);
        if (record !== undefined) slots.request(id, true);
        break;
      }
      this.#given.push({ executionId: id, node });
      this.#meters.push(...slots.metersOf(id, now));
      this.#onTheirWay.add(id);
      slots.placesChanged(places);
      this.#lines.taken(record);
    }
    this.#wasEmpty = this.#queued === 0;
    if (this.#given.length > 0) void this.#give();
    this.#tell();
  }

  async #give(): Promise<void> {
    if (this.#giving) return;
    this.#giving = true;
    while (this.#given.length > 0 && !this.#closed) {
      const grants = this.#given.splice(0, grantsAtOnce);
      const meters = this.#meters;
      this.#meters = [];
      try {
        const given = await this.#host.queue.give(grants, meters);
        for (const { executionId } of grants) if (!given.has(executionId)) this.#leave(executionId);
      } catch (error) {
        this.#host.failed(error);
        this.#meters = [...meters, ...this.#meters];
        this.#given = [...grants, ...this.#given];
        await new Promise<void>((resolve) => void this.#host.time.setTimer(againMs, resolve));
        continue;
      }
      for (const { executionId } of grants) this.#onTheirWay.delete(executionId);
    }
    this.#giving = false;
    this.#pump();
  }

  /**
   * What waits for a slot: while one is free, gates hold all that waits, and nobody passes it, but for what waits for
   * memory or processors. A node that has not said what it runs is asked by that.
   */
  get #waiting(): number {
    const { places } = this;
    return places.isKnown && places.free() > 0 && !places.isShort ? 0 : this.#queued;
  }

  get #queued(): number {
    return this.slots.queued + (this.#lines.goesOn ? 1 : 0);
  }

  /** Nodes that know that something waits do not run what would pass it. */
  #tell(): void {
    const count = this.#waiting;
    if (count > 0 === this.#told > 0) return;
    this.#told = count;
    this.#host.queue.say({ kind: 'waiting', count }).catch((error) => this.#host.failed(error));
  }

  #tick(): void {
    this.#timer = this.#host.time.setTimer(tickMs, () => void this.#ticked());
  }

  async #ticked(): Promise<void> {
    const { queue, time, wake, failed } = this.#host;
    try {
      for (const id of await queue.due(time.now(), alarmsAtOnce)) {
        if (this.#closed) return;
        if (!this.#onTheirWay.has(id) && (await queue.claim(id))) await wake(id);
      }
      const now = time.monotonic();
      if (now - this.#lookedAt >= lookMs) {
        this.#lookedAt = now;
        await this.#look();
      }
      await this.#askToFetch();
      if (this.#told > 0) await queue.say({ kind: 'waiting', count: this.#told });
    } catch (error) {
      failed(error);
    }
    if (!this.#closed) this.#tick();
  }

  /** Finds what was missed. */
  async #look(): Promise<void> {
    if (!this.#open || this.#closed) return;
    const { queue, failed } = this.#host;
    try {
      const before = new Set(
        [...this.#records.keys()].filter(
          (id) => this.places.nodeOf(id) !== undefined && !this.#onTheirWay.has(id),
        ),
      );
      await queue.forgetLost();
      const held = new Set((await this.#held()).map(({ record }) => record.executionId));
      if (this.#closed) return;
      for (const id of before) if (!held.has(id)) this.#leave(id);
      await this.#lines.open();
    } catch (error) {
      failed(error);
    }
    this.#pump();
  }
}

/** What it wants of a node. */
export function wishOf({ placement, reserves, taskId, taskRevision }: ExecutionRecord): Wish {
  const task = revisionName(taskId, taskRevision);
  if (reserves === undefined) return { placement, task };
  const { memory = 0, cpu = 0 } = reserves;
  return { placement, task, reserves: { memoryBytes: memory, processors: cpu } };
}

/** A gate counts it, wherever it runs. */
export function isCounted({ gates, placement }: ExecutionRecord): boolean {
  return gates !== undefined || placement !== undefined;
}

function runs({ state }: ExecutionRecord): boolean {
  return state === 'running.attempting' || state === 'running.stopping';
}
