/**
 * Who runs next. What waits stands at the leaves of a tree: tenant, priority, fairness key. Each node of the tree has a
 * weight, and `used`: the milliseconds of slots that it has really used, divided by its weight. The way down goes each
 * time to the child with work that has the least of `used` and of what its running attempts are expected to take. A child
 * that gets work after it had none begins no lower than where the others are, so that nobody hoards by idling, and what
 * is cancelled before it runs costs nothing.
 *
 * At a leaf there is a line for each class: those that have to pass the same gates (`gated-classes.ts`).
 */
import type { Gate, GateUse, QuarantineUse, Resources, Trouble } from './gate.ts';
import { GatedClasses } from './gated-classes.ts';
import { classKey, type Gates } from './gates.ts';
import { type Ahead, aheadOf, longestWait } from './order-estimates.ts';
import type { OrderNode } from './order-node.ts';
import { OrderTree } from './order-tree.ts';
import type { MeterUse, NodeChanges, OrderUse } from './order-use.ts';
import { type OrderView, type ViewWanted, viewOf } from './order-view.ts';
import type { Places } from './places.ts';
import type { Leaf, PriorityWeights } from './priority.ts';
import type { QuarantineState, Verdict } from './quarantine-gate.ts';
import { RateGate } from './rate-gate.ts';
import { type HeldBy, holdBy, holdOf, type WaitingClass } from './waiting-class.ts';
import type { WaitingLine } from './waiting-line.ts';

interface Running {
  readonly leaf: OrderNode;
  readonly gates: readonly Gate[];
  readonly expectedMs: number;
  /** Since when, as far as it was not known of before. */
  readonly since: number;
}

interface GateWaitFacts {
  /** Of each attempt. */
  readonly expectedMs: number;
  /** Of its line, that wait in the store; 0. */
  readonly stored?: number;
  readonly now?: number;
}

/** What an administrator grants to a tenant; absent is without limit. */
export interface TenantLimits {
  /** Against the other tenants; 1. */
  readonly weight?: number;
  /** Attempts at a time. */
  readonly running?: number;
  /** Reserved by those that run. */
  readonly memoryBytes?: number;
  readonly rate?: { readonly units: number; readonly perMs: number; readonly burst: number };
}

const none: readonly never[] = [];

/** Something counts its attempts. */
function isGated(leaf: OrderNode, gates: readonly Gate[]): boolean {
  return gates.length > 0 || leaf.tenant.gates.length > 0;
}

function countWaiting({ gates, leaf: { rank } }: WaitingClass, count: number): void {
  for (const { waiting } of gates) waiting[rank] = (waiting[rank] ?? 0) + count;
}

export class RunOrder {
  readonly #tree: OrderTree;
  /** Where each that waits does. */
  readonly #waiting = new Map<string, WaitingClass>();
  readonly #running = new Map<string, Running>();
  readonly #classes: GatedClasses;
  readonly #gates: Gates;
  #serial = 0;

  /** `changed` hears that what was used is to be kept, once until `takeChanges` gives it. */
  constructor(weights?: PriorityWeights, changed?: () => void) {
    this.#tree = new OrderTree(weights, changed);
    this.#classes = new GatedClasses(this.#tree);
    this.#gates = this.#classes.gates;
  }

  get #now(): number {
    return this.#classes.now;
  }

  set #now(now: number) {
    this.#classes.now = now;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** How many nodes of the tree are kept. */
  get nodes(): number {
    return this.#tree.size;
  }

  /** How many gates are kept. */
  get gates(): number {
    return this.#gates.size;
  }

  /** When a gate opens by itself, as `advance` then does; infinity where none does. */
  get nextOpening(): number {
    return this.#gates.nextOpening;
  }

  /** It waits; `first` before all others of its class, as a retry does. One that waits or runs already stays where it is. */
  add(id: string, leaf: Leaf, first = false): void {
    if (this.#waiting.has(id) || this.#running.has(id)) return;
    this.#tree.tidy();
    const node = this.#tree.leaf(leaf);
    const queue = this.#classes.classOf(node, leaf.gates ?? none);
    const { line } = queue;
    const isNew = line.size === 0;
    const isHead = first && line.first === 0;
    line.add(id, first, this.#serial++);
    this.#waiting.set(id, queue);
    countWaiting(queue, 1);
    this.#tree.arrive(node);
    if (isNew && queue === node.plain) this.#tree.wake(node);
    else if (isNew) this.#classes.place(queue);
    else if (isHead) queue.heap?.moved(queue);
    this.#classes.settle();
  }

  /** It waits no more. False where it did not. */
  remove(id: string): boolean {
    const queue = this.#waiting.get(id);
    if (queue === undefined) return false;
    this.#waiting.delete(id);
    queue.line.delete(id);
    countWaiting(queue, -1);
    queue.leaf.depart();
    this.#classes.shortened(queue);
    for (const gate of queue.gates) this.#classes.offerMore(gate, queue.leaf);
    this.#classes.settle();
    return true;
  }

  /** Who is next; undefined where nobody waits that no gate holds. */
  next(): string | undefined {
    return this.#tree.next()?.first?.line.head;
  }

  /**
   * Takes who is next, which runs from now on for a time that is expected. Undefined where nobody waits that no gate
   * holds. `now` is in milliseconds of any clock that only goes on.
   */
  take(expectedMs: (id: string) => number, now = this.#now): string | undefined {
    this.advance(now);
    if (this.#gates.longHeld.size > 0) this.#classes.reserve();
    const queue = this.#tree.next()?.first;
    const id = queue?.line.take();
    if (queue === undefined || id === undefined) return undefined;
    const { leaf, gates } = queue;
    this.#tree.reach(leaf);
    this.#waiting.delete(id);
    countWaiting(queue, -1);
    leaf.depart();
    this.#begin(id, leaf, gates, expectedMs(id));
    this.#classes.shortened(queue);
    if (isGated(leaf, gates)) {
      this.#classes.passed(leaf, gates, (gate) => gate.pass(id, this.#now));
      for (const gate of gates) this.#classes.offerMore(gate, leaf);
      this.#classes.settle();
    }
    return id;
  }

  /** It runs without having been next, such as one that ran before a restart. */
  hold(id: string, leaf: Leaf, expectedMs: number, now = this.#now): void {
    if (this.#running.has(id)) return;
    this.advance(now);
    this.remove(id);
    const node = this.#tree.leaf(leaf);
    const gates = this.#classes.gatesOf(leaf.gates ?? none);
    this.#begin(id, node, gates, expectedMs);
    this.#classes.passed(node, gates, (gate) => gate.hold(id));
    this.#classes.settle();
  }

  /** Its attempt is gone after so many milliseconds of its slot. False where it did not run. */
  end(id: string, usedMs: number, now = this.#now): boolean {
    const run = this.#running.get(id);
    if (run === undefined) return false;
    this.#now = Math.max(this.#now, now);
    this.#running.delete(id);
    const { leaf, gates, expectedMs } = run;
    leaf.note(this.#now);
    leaf.charge(Math.max(0, usedMs), -expectedMs, -1);
    if (!leaf.isChanged) this.#tree.touch(leaf);
    // Nobody is left to whom those that come next would owe anything.
    for (let { above } = leaf; above?.isIdle; above = above.above) {
      above.reached = Math.max(above.reached, above.most);
    }
    if (isGated(leaf, gates)) {
      for (const gate of gates) gate.users -= 1;
      this.#classes.passed(leaf, gates, (gate) => gate.leave(id));
      this.#classes.settle();
    }
    return true;
  }

  /** What came of the attempt of one that runs, before its end. One of which nothing is said tells nothing of its function. */
  judge(id: string, verdict: Verdict, now = this.#now): void {
    this.advance(now);
    this.#gates.judge(id, this.#running.get(id)?.gates ?? none, verdict, this.#now);
    this.#classes.settle();
  }

  /** Of a task that is quarantined, what is known of that; `isFull` says that no more could be let through to try. */
  quarantineOf(
    use: QuarantineUse,
    now = this.#now,
  ): { readonly trouble: Trouble; readonly isFull: boolean } | undefined {
    this.advance(now);
    const gate = this.#gates.quarantine(use);
    if (gate?.trouble === undefined) return undefined;
    const isFull = gate.isTold ? !gate.lets(this.#now) : !gate.open || gate.passing.size > 0;
    return { trouble: gate.trouble, isFull };
  }

  /** What came of an attempt of something that need not run here. */
  judgeOf(use: QuarantineUse, id: string, verdict: Verdict, now = this.#now): void {
    this.advance(now);
    this.#gates.judgeOf(use, id, verdict, this.#now);
    this.#classes.settle();
  }

  /** `quarantined` hears of each quarantine that begins, goes on otherwise, or ends, as attempts end here. */
  onQuarantine(quarantined: (use: QuarantineUse) => void): void {
    this.#gates.quarantined = quarantined;
  }

  quarantineState(use: QuarantineUse): QuarantineState | undefined {
    return this.#gates.quarantine(use)?.state;
  }

  /** What is quarantined now. */
  quarantines(): QuarantineUse[] {
    return [...this.#gates.quarantines()].map(({ use }) => use);
  }

  /** It is so from now on, as another has judged. A probe that this order judges and that does not run is over. */
  putQuarantine(use: QuarantineUse, state: QuarantineState | undefined, now = this.#now): void {
    this.advance(now);
    this.#gates.putQuarantine(use, state && this.#withProbe(state), this.#now);
    this.#classes.settle();
  }

  /** Another order judges from now on, and this one holds nobody back whose task is quarantined; or this one does. */
  setTold(areTold: boolean, now = this.#now): void {
    this.advance(now);
    if (areTold === this.#gates.areTold) return;
    this.#gates.setTold(areTold, this.#now);
    if (!areTold) {
      for (const { use, state } of [...this.#gates.quarantines()]) {
        if (state?.probe !== undefined) this.#gates.putQuarantine(use, this.#withProbe(state), this.#now);
      }
    }
    this.#classes.settle();
  }

  #withProbe({ probe, ...state }: QuarantineState): QuarantineState {
    const isThere = probe !== undefined && (this.#gates.areTold || this.#running.has(probe));
    return isThere ? { ...state, probe } : state;
  }

  /** Forgets all failures of a task. Says whether it was quarantined. */
  resetQuarantines(taskId: string): boolean {
    const held = this.#gates.resetQuarantines(taskId, this.#now);
    this.#classes.settle();
    return held;
  }

  /** Opens what opens by itself until then. */
  advance(now: number): void {
    this.#now = Math.max(this.#now, now);
    if (!this.#gates.isDue(this.#now)) return;
    this.#gates.advance(this.#now);
    this.#classes.settle();
  }

  /** A rule has another limit, before all its values. What runs goes on. */
  change(use: GateUse): void {
    this.#gates.change(use, this.#now);
    this.#classes.settle();
  }

  /** These are all rules of an owner from now on, before all their values: one that it has no more holds nobody back. */
  replaceRules(owner: string, version: number, uses: readonly GateUse[]): void {
    this.#gates.replace(owner, version, uses, this.#now);
    this.#classes.settle();
  }

  /** What the node may hand out to those whose gates name resources; undefined for any amount, as at the beginning. */
  setResources(total: Resources | undefined): void {
    this.#gates.setResources(total, this.#now);
    this.#classes.settle();
  }

  /** Nodes that what waits is given to, before anything waits. */
  setPlaces(places: Places): void {
    this.#gates.setPlaces(places);
  }

  /** They have more or less room than before. */
  placesChanged(places: Places): void {
    this.#gates.check(places, this.#now);
    this.#classes.settle();
  }

  /** From now on; undefined for none. What runs goes on. */
  setQuota(tenant: string, { weight = 1, running, memoryBytes, rate }: TenantLimits = {}): void {
    this.#gates.setMemory(tenant, memoryBytes, this.#now);
    const node = this.#tree.tenant(tenant);
    const what = { rule: `quota ${tenant}`, meter: `quota ${tenant}`, key: 'tenant', value: tenant };
    const before = node.gates;
    node.gates = this.#classes.gatesOf([
      ...(running === undefined ? none : [{ kind: 'quota' as const, ...what, limit: running }]),
      ...(rate === undefined ? none : [{ kind: 'quotaRate' as const, ...what, ...rate }]),
    ]);
    for (const gate of before) gate.users -= 1;
    for (const gate of node.gates) {
      gate.users += 1;
      gate.owner = node;
    }
    for (const [id, { leaf }] of this.#running) {
      if (leaf.tenant !== node) continue;
      for (const gate of node.gates) gate.hold(id);
    }
    for (const gate of node.gates) this.#gates.check(gate.meter, this.#now);
    node.weigh(weight);
    this.#tree.rest(node);
    this.#tree.wake(node);
    this.#classes.settle();
  }

  /**
   * Begins with what an earlier order has used, before anything waits or runs; `restored` says that all of that does
   * again.
   */
  restore({ nodes, meters, emptyAt }: OrderUse): void {
    this.#tree.restore(nodes);
    this.#gates.restore(meters, emptyAt);
  }

  restored(): void {
    this.#tree.restored();
  }

  /** What was used since the last time, also by what runs yet, is to be kept. */
  takeChanges(now = this.#now): NodeChanges {
    this.advance(now);
    const extra = new Map<OrderNode, number>();
    for (const { leaf, since } of this.#running.values()) {
      if (!leaf.isChanged) this.#tree.touch(leaf);
      const usedMs = this.#now - since;
      for (let node = leaf; node.above !== undefined; node = node.above) {
        extra.set(node, (extra.get(node) ?? 0) + usedMs / node.weight);
      }
    }
    return this.#tree.takeChanges((node) => extra.get(node) ?? 0);
  }

  /** What `takeChanges` gave was not kept: the next gives all of it again. */
  notKept(changes: NodeChanges): void {
    this.#tree.touchAll(changes);
  }

  /** The buckets of rates that one which runs has taken a token from, as they are now. */
  metersOf(id: string): readonly MeterUse[] {
    if (!this.#gates.haveRates) return none;
    const run = this.#running.get(id);
    if (run === undefined || !isGated(run.leaf, run.gates)) return none;
    const meters: MeterUse[] = [];
    for (const gate of [...run.gates, ...run.leaf.tenant.gates]) {
      const use = gate instanceof RateGate ? gate.meterUse : undefined;
      if (use !== undefined && !meters.some(({ meter }) => meter === use.meter)) meters.push(use);
    }
    return meters;
  }

  /** How many of a tenant run. */
  runningOf(tenant: string): number {
    return this.#tree.findTenant(tenant)?.running ?? 0;
  }

  /** What all that runs reserves of what there is to hand out, but for those. */
  reservedBut(ids: Iterable<string>): Resources {
    return this.#gates.reservedBut(ids);
  }

  /** Bytes that those of a tenant which run reserve. */
  memoryOf(tenant: string): number {
    return this.#gates.memoryOf(tenant);
  }

  /** How many wait in a leaf with the same gates. */
  waitingIn(leaf: Leaf): number {
    return this.#find(leaf)?.line.size ?? 0;
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Those that wait in the class of one, in their order; undefined where it does not wait. */
  lineOf(id: string): Pick<WaitingLine, 'size' | 'first' | typeof Symbol.iterator> | undefined {
    return this.#waiting.get(id)?.line;
  }

  /** What holds back one that waits, or those of a leaf with the same gates; undefined where nothing but slots does. */
  heldBy(id: string, leaf?: Leaf): HeldBy | undefined {
    const queue = this.#waiting.get(id) ?? (leaf === undefined ? undefined : this.#find(leaf));
    return queue === undefined ? undefined : holdOf(queue);
  }

  /** What would hold back one that came now to a leaf; undefined where nothing but slots would. */
  holdFor({ gates = none, tenant }: Leaf, now = this.#now): HeldBy | undefined {
    const own = this.#tree.findTenant(tenant)?.gates ?? none;
    const closed = [...this.#classes.gatesOf(gates), ...own].find(
      (gate) => !gate.admits(Math.max(now, this.#now)),
    );
    return closed === undefined ? undefined : holdBy(closed);
  }

  /** So many more wait in the store in a leaf with the same gates, or fewer: they are counted, and are not in the order. */
  store(leaf: Leaf, count: number): void {
    if (count !== 0) this.#tree.leaf(leaf).store(classKey(leaf.gates ?? none), count);
  }

  /** Who waits and runs in which leaf, and what holds them. Takes as long as there are leaves and classes. */
  view(wanted: ViewWanted, now = this.#now): OrderView {
    return viewOf(this.#tree, wanted, now);
  }

  /**
   * Who runs before one that waits, or that would come now to a leaf: the first of its line, at most so many, and about
   * how many there are. Others are counted by their weights, as if all took the same time.
   */
  ahead(id: string, leaf: Leaf, most: number): Ahead {
    return aheadOf(this.#waiting.get(id) ?? this.#classes.classOf(this.#tree.leaf(leaf), none), id, most);
  }

  /**
   * Milliseconds until its gates let one through that waits, or that would come now to a leaf behind those of its line
   * in the store, where each attempt takes as long as is expected: the longest that one of them takes. Before it are all
   * of its priority and of higher ones that have to pass the same, but for those behind it in its line. 0 without gates.
   */
  gateWait(id: string, leaf: Leaf, { expectedMs, stored = 0, now = this.#now }: GateWaitFacts): number {
    const known = this.#waiting.get(id);
    const node = known?.leaf ?? this.#tree.leaf(leaf);
    const gates = known?.gates ?? this.#classes.gatesOf(leaf.gates ?? none);
    if (!isGated(node, gates)) return 0;
    const behind = known === undefined ? -stored : known.line.size - known.line.most(id);
    return longestWait(node, gates, { expectedMs, behind, now: Math.max(now, this.#now) });
  }

  #begin(id: string, leaf: OrderNode, gates: readonly Gate[], expectedMs: number): void {
    const expected = Math.max(0, expectedMs);
    this.#running.set(id, { leaf, gates, expectedMs: expected, since: this.#now });
    if (gates.length > 0) for (const gate of gates) gate.users += 1;
    leaf.note(this.#now);
    leaf.charge(0, expected, 1);
  }

  #find(leaf: Leaf): WaitingClass | undefined {
    const node = this.#tree.find(leaf);
    const { gates = none } = leaf;
    return gates.length === 0 ? node?.plain : node?.classes?.get(classKey(gates));
  }
}
