import type { GateUse, QuarantineUse, Resources, Trouble } from '../../domain/scheduling/gate.ts';
import type { MeterUse, NodeChanges, OrderUse } from '../../domain/scheduling/order-use.ts';
import type { OrderView, ViewWanted } from '../../domain/scheduling/order-view.ts';
import type { Places } from '../../domain/scheduling/places.ts';
import type { Leaf, PriorityWeights } from '../../domain/scheduling/priority.ts';
import type { QuarantineState, Verdict } from '../../domain/scheduling/quarantine-gate.ts';
import { RunOrder, type TenantLimits } from '../../domain/scheduling/run-order.ts';
import type { HeldBy } from '../../domain/scheduling/waiting-class.ts';

/** What is known of the executions that ask for slots. */
export interface SlotUsers {
  /** Of priorities, where they are not as usual. */
  readonly weights?: PriorityWeights | undefined;
  /** Where one waits. */
  leafOf(executionId: string): Leaf;
  /** Milliseconds that its attempt will likely take. */
  expectedMs(executionId: string): number;
  /** Milliseconds, of any clock that only goes on. */
  now(): number;
  /** Nobody can start before a gate opens by itself, in so many milliseconds: `take` is to be asked again then. */
  opensIn?(ms: number): void;
  /** What was used is to be kept, as `takeChanges` gives it. */
  changed?(): void;
  /** It holds no slot any more, or does not wait for one. */
  left?(executionId: string): void;
  /** A quarantine has begun, goes on otherwise, or has ended, as attempts ended. */
  quarantined?(use: QuarantineUse): void;
}

export interface HeldKey {
  readonly use: GateUse;
  /** Since it closed last. */
  readonly heldForMs: number;
  /** Infinity where an attempt has to end first. */
  readonly opensInMs: number;
  /** Those whose attempts keep it closed. */
  readonly holders: Iterable<string>;
  /** Of memory and processors: what there is in all. */
  readonly total?: Resources;
  /** Of a task that is quarantined. */
  readonly task?: HeldTask;
}

/** What is known of a task that is quarantined. */
export interface HeldTask extends Pick<Trouble, 'failures' | 'last' | 'probes' | 'probe'> {
  readonly heldForMs: number;
  /** Until one is let through to try; absent while one tries. */
  readonly probeInMs?: number;
}

/** Where one stands among those of its line, from 1. */
export interface QueuePlace {
  readonly place: number;
  readonly length: number;
  /** Retries, which go before all others. */
  readonly retries: number;
}

const alike: SlotUsers = {
  leafOf: () => ({ tenant: 'default', priority: 'normal', fairnessKey: '' }),
  expectedMs: () => 0,
  now: () => 0,
};

/** A fixed number of slots, and who waits for one, in the order in which they run (`domain/scheduling/run-order.ts`). */
export class Slots {
  #total: number;
  readonly #users: SlotUsers;
  readonly #order: RunOrder;
  /** Since when each has its slot. */
  readonly #since = new Map<string, number>();
  readonly #begunAt: number;
  constructor(total: number, users: SlotUsers = alike) {
    this.#total = total;
    this.#users = users;
    this.#begunAt = users.now();
    this.#order = new RunOrder(users.weights, () => users.changed?.());
    this.#order.onQuarantine((use) => users.quarantined?.(use));
  }

  get total(): number {
    return this.#total;
  }

  /** There are so many from now on. What runs goes on. */
  set total(total: number) {
    this.#total = total;
  }

  /** Nodes that what waits is given to, before anything waits. */
  setPlaces(places: Places): void {
    this.#order.setPlaces(places);
  }

  /** They have more or less room than before. */
  placesChanged(places: Places): void {
    this.#order.placesChanged(places);
  }

  get running(): number {
    return this.#since.size;
  }

  get queued(): number {
    return this.#order.waiting;
  }

  holds(key: string): boolean {
    return this.#since.has(key);
  }

  waits(key: string): boolean {
    return this.#order.isWaiting(key);
  }

  runningOf(tenant: string): number {
    return this.#order.runningOf(tenant);
  }

  /** What all that holds slots reserves of what there is to hand out, but for those. */
  reservedBut(keys: Iterable<string>): Resources {
    return this.#order.reservedBut(keys);
  }

  /** Bytes that those of a tenant which run reserve. */
  memoryOf(tenant: string): number {
    return this.#order.memoryOf(tenant);
  }

  waitingIn(leaf: Leaf): number {
    return this.#order.waitingIn(leaf);
  }

  /** Retries go before the others of their leaf: their execution was accepted long ago. */
  request(key: string, retry: boolean): void {
    this.#order.add(key, this.#users.leafOf(key), retry);
  }

  /** Gives it a slot, beyond those that there are where all are taken: what runs already is not made to wait. */
  hold(key: string): void {
    if (this.#since.has(key)) return;
    const now = this.#users.now();
    this.#order.hold(key, this.#users.leafOf(key), this.#users.expectedMs(key), now - this.#begunAt);
    this.#since.set(key, now);
  }

  /** Gives up the slot, or the place in the queue. */
  release(key: string): void {
    const since = this.#since.get(key);
    if (since === undefined) {
      if (this.#order.remove(key)) this.#users.left?.(key);
      return;
    }
    this.#since.delete(key);
    const now = this.#users.now();
    this.#order.end(key, now - since, now - this.#begunAt);
    this.#users.left?.(key);
  }

  /**
   * Where a key that waits stands among those of its leaf: its place, from 1, how many they are, and how many of them
   * are retries. Undefined for one that does not wait. Takes as long as the line is.
   */
  place(key: string): QueuePlace | undefined {
    const line = this.#order.lineOf(key);
    if (line === undefined) return undefined;
    let place = 0;
    for (const each of line) {
      place += 1;
      if (each === key) break;
    }
    return { place, length: line.size, retries: line.first };
  }

  /**
   * Who gets a slot before this key: the first of them, at most so many, and about how many there are: those before it
   * in its line, and what others take meanwhile by their weights. For a key that does not wait, as many as if it came
   * now; undefined where it has its slot.
   */
  ahead(key: string, most: number): { readonly keys: readonly string[]; readonly count: number } | undefined {
    if (this.#since.has(key)) return undefined;
    return this.#order.ahead(key, this.#users.leafOf(key), most);
  }

  /** Milliseconds until gates let one through that waits, or that would come now; see `RunOrder.gateWait`. */
  gateWait(key: string, leaf: Leaf, expectedMs: number, stored: number): number {
    if (this.#since.has(key)) return 0;
    const now = this.#users.now() - this.#begunAt;
    return this.#order.gateWait(key, leaf, { expectedMs, stored, now });
  }

  /** What a tenant may have of the slots from now on. What runs goes on. */
  setQuota(tenant: string, limits: TenantLimits): void {
    this.#order.setQuota(tenant, limits);
  }

  /** What the node may hand out to those that reserve some of it; undefined for any amount. */
  setResources(total: Resources | undefined): void {
    this.#order.setResources(total);
  }

  /**
   * These are all limits of a task from now on, for all that wait and for those that come. What runs goes on, and what it
   * has no more holds nobody back.
   */
  setRules(taskId: string, revision: number, rules: readonly GateUse[]): void {
    this.#order.replaceRules(taskId, revision, rules);
  }

  /** What came of the attempt of one that has a slot. */
  judge(key: string, verdict: Verdict): void {
    this.#order.judge(key, verdict, this.#users.now() - this.#begunAt);
  }

  /** Of a task that is quarantined; `isFull` says that no more could be let through to try. */
  quarantineOf(use: QuarantineUse): (HeldTask & { readonly isFull: boolean }) | undefined {
    const found = this.#order.quarantineOf(use, this.#users.now() - this.#begunAt);
    return found === undefined ? undefined : { ...this.#heldTask(found.trouble), isFull: found.isFull };
  }

  /** What came of the attempt of one that need not have a slot here. */
  judgeOf(use: QuarantineUse, key: string, verdict: Verdict): void {
    this.#order.judgeOf(use, key, verdict, this.#users.now() - this.#begunAt);
  }

  /** With its times in milliseconds from now; undefined where it is not quarantined. */
  quarantineState(use: QuarantineUse): QuarantineState | undefined {
    const state = this.#order.quarantineState(use);
    return state && laterBy(state, this.#begunAt - this.#users.now());
  }

  /** It is so from now on, as another has judged, with times as above. */
  putQuarantine(use: QuarantineUse, state: QuarantineState | undefined): void {
    const now = this.#users.now() - this.#begunAt;
    this.#order.putQuarantine(use, state && laterBy(state, now), now);
  }

  /** What is quarantined. */
  quarantines(): readonly QuarantineUse[] {
    return this.#order.quarantines();
  }

  /** Others judge what fails, and hold it back; or these slots do. */
  setTold(areTold: boolean): void {
    this.#order.setTold(areTold, this.#users.now() - this.#begunAt);
  }

  /** Forgets all failures of a task. Says whether it was quarantined. */
  resetQuarantines(taskId: string): boolean {
    return this.#order.resetQuarantines(taskId);
  }

  #heldTask({ since, probeAt, failures, last, probes, probe }: Trouble): HeldTask {
    const now = this.#users.now() - this.#begunAt;
    return {
      ...{ failures, last, probes, heldForMs: now - since },
      ...(probe !== undefined && { probe }),
      ...(probeAt !== undefined && { probeInMs: Math.max(0, probeAt - now) }),
    };
  }

  /**
   * Begins with what an earlier run of the node has used, before anything waits or runs; `restored` says that all of
   * that does again. `now` is this instant as the kept ones count.
   */
  restore({ nodes, meters, emptyAt }: OrderUse, now: number): void {
    const later = now - (this.#users.now() - this.#begunAt);
    this.#order.restore({
      nodes,
      meters: meters.map(({ meter, fullAt }) => ({ meter, fullAt: fullAt - later })),
      emptyAt: emptyAt - later,
    });
  }

  restored(): void {
    this.#order.restored();
  }

  /** What was used since the last time is to be kept; `notKept` says that it was not. */
  takeChanges(): NodeChanges {
    return this.#order.takeChanges(this.#users.now() - this.#begunAt);
  }

  notKept(changes: NodeChanges): void {
    this.#order.notKept(changes);
  }

  /** The buckets of rates that one with a slot has taken a token from, to be kept with its dispatch; `now` as above. */
  metersOf(key: string, now: number): readonly MeterUse[] {
    const meters = this.#order.metersOf(key);
    if (meters.length === 0) return meters;
    const later = now - (this.#users.now() - this.#begunAt);
    return meters.map(({ meter, fullAt }) => ({ meter, fullAt: fullAt + later }));
  }

  /** What besides slots holds back a key that waits; undefined where nothing does. Times are milliseconds from now. */
  heldBy(key: string): HeldKey | undefined {
    if (this.#since.has(key)) return undefined;
    const held = this.#order.heldBy(key, this.#users.leafOf(key));
    return held === undefined ? undefined : this.heldKey(held);
  }

  /** What besides slots would hold back one that came now to a leaf. */
  holdFor(leaf: Leaf): HeldKey | undefined {
    const held = this.#order.holdFor(leaf, this.#users.now() - this.#begunAt);
    return held === undefined ? undefined : this.heldKey(held);
  }

  /** So many more wait in the store in a leaf with the same gates, or fewer; none of them is among those that wait here. */
  store(leaf: Leaf, count: number): void {
    this.#order.store(leaf, count);
  }

  /** Who waits in which line, and what holds them; see `order-view.ts`. */
  view(wanted: ViewWanted): OrderView {
    return this.#order.view(wanted, this.#users.now() - this.#begunAt);
  }

  /** A hold of such a view, with its times in milliseconds from now. */
  heldKey({ gate, since, opensAt, holders, total, trouble }: HeldBy): HeldKey {
    const now = this.#users.now() - this.#begunAt;
    const task = trouble === undefined ? undefined : this.#heldTask(trouble);
    return {
      ...{ use: gate, heldForMs: task?.heldForMs ?? now - since, opensInMs: opensAt - now, holders },
      ...(total !== undefined && { total }),
      ...(task !== undefined && { task }),
    };
  }

  /** Those that hold a slot, in the order in which they got it, at most so many. */
  holders(most: number): string[] {
    const holders: string[] = [];
    if (most <= 0) return holders;
    for (const key of this.#since.keys()) {
      holders.push(key);
      if (holders.length >= most) break;
    }
    return holders;
  }

  /** The next key to run, which now holds a slot; undefined where there is no slot or nobody waits. */
  take(): string | undefined {
    if (this.#since.size >= this.total) return undefined;
    const now = this.#users.now();
    const key = this.#order.take(this.#users.expectedMs, now - this.#begunAt);
    if (key !== undefined) this.#since.set(key, now);
    else if (this.#order.nextOpening < Number.POSITIVE_INFINITY) {
      this.#users.opensIn?.(this.#order.nextOpening + this.#begunAt - now);
    }
    return key;
  }
}

function laterBy(state: QuarantineState, ms: number): QuarantineState {
  return { ...state, since: state.since + ms, probeAt: state.probeAt + ms };
}
