import type { Gate } from './gate.ts';
import { IndexedHeap, type Placed } from './indexed-heap.ts';
import { cameBefore, type WaitingClass } from './waiting-class.ts';

/** A node of the tree of tenants, priorities and fairness keys. */
export class OrderNode implements Placed {
  place = -1;
  readonly name: string;
  readonly above: OrderNode | undefined;
  /** Whose it is; of the root itself. */
  readonly tenant: OrderNode;
  weight: number;
  readonly standardWeight: number;
  /** Among equals the higher goes first; of a leaf that of its priority. */
  readonly rank: number;
  readonly below = new Map<string, OrderNode>();
  /** Of those below, the ones with work that no gate holds. */
  readonly ready = new IndexedHeap<OrderNode>(goesBefore);
  /** Of a leaf: its classes with gates of which none holds them. */
  readonly open = new IndexedHeap<WaitingClass>(cameBefore);
  /** Of a leaf: those that wait without gates. */
  plain: WaitingClass | undefined;
  /** Of a leaf: its classes with gates. */
  classes: Map<string, WaitingClass> | undefined;
  /** Of a leaf: how many of it wait in the store and in no class, in all and by the key of their class. */
  stored = 0;
  storedBy: Map<string, number> | undefined;
  /** Of a tenant with a quota: what all of its have to pass. */
  gates: readonly Gate[] = none;
  /** Milliseconds of slots by weight. */
  used = 0;
  /** What its running attempts are expected to take, by weight. */
  expected = 0;
  running = 0;
  waiting = 0;
  /** Where a child begins that gets work: the most that one had used when it was next. */
  reached = 0;
  /** The most that a child has used. */
  most = 0;
  /** When it got work, among all. */
  since = 0;
  /** What is kept of it is not as it is now. */
  isChanged = false;
  /** Something of it is kept. */
  isKnown = false;
  /** It is in the tree no more. */
  isGone = false;
  /** It had work before the node was started again: when it has some now, it begins where it was. */
  goesOn = false;
  /** Somebody waited in it then: it keeps its place among equals. */
  keepsPlace = false;
  /** Of a leaf: how many slots it has had of late, until `#averagedAt`. */
  #average = 0;
  #averagedAt = 0;

  constructor(name: string, above: OrderNode | undefined, weight: number, rank: number) {
    this.name = name;
    this.above = above;
    this.tenant = above?.above === undefined ? this : above.tenant;
    this.weight = weight;
    this.standardWeight = weight;
    this.rank = rank;
  }

  /** Something of it can start, as far as slots go. */
  get hasWork(): boolean {
    if (this.plain !== undefined && this.plain.line.size > 0) return true;
    return this.ready.size > 0 || this.open.size > 0;
  }

  /** Of a leaf: the class that is next. */
  get first(): WaitingClass | undefined {
    const gated = this.open.least;
    if (this.plain === undefined || this.plain.line.size === 0) return gated;
    return gated !== undefined && cameBefore(gated, this.plain) ? gated : this.plain;
  }

  /** Nothing of it runs or waits, not even held. */
  get isIdle(): boolean {
    return this.running === 0 && this.waiting === 0;
  }

  /** No gate of its own holds it. */
  get isOpen(): boolean {
    return this.gates.length === 0 || this.gates.every(({ open }) => open);
  }

  /** It is remembered also without work. */
  get isKept(): boolean {
    return this.gates.length > 0 || this.weight !== this.standardWeight || this.stored > 0;
  }

  goesBefore(other: OrderNode): boolean {
    return goesBefore(this, other);
  }

  /** It would begin no lower if it came back. */
  get owesNothing(): boolean {
    const { above, below } = this;
    return (
      above !== undefined &&
      below.size === 0 &&
      this.isIdle &&
      this.stored === 0 &&
      this.used <= above.reached
    );
  }

  /** The names from the top; none for the root. */
  get path(): readonly string[] {
    return this.above === undefined ? [] : [...this.above.path, this.name];
  }

  /** One that waited in it does no more. */
  depart(): void {
    let node: OrderNode | undefined = this;
    for (; node !== undefined; node = node.above) node.waiting -= 1;
  }

  /**
   * Of a leaf: how many slots it has had on average of late, the last minute counting for most of it: an exponentially
   * weighted average, as that of the load of a system.
   */
  average(now: number): number {
    if (now === this.#averagedAt) return this.#average;
    return this.running + (this.#average - this.running) * Math.exp((this.#averagedAt - now) / averageMs);
  }

  /** Of a leaf: its number of attempts is about to change. */
  note(now: number): void {
    this.#average = this.average(now);
    this.#averagedAt = now;
  }

  /** So many more of a class wait in the store, or fewer. */
  store(key: string, count: number): void {
    this.stored += count;
    this.storedBy ??= new Map();
    const stored = (this.storedBy.get(key) ?? 0) + count;
    if (stored > 0) this.storedBy.set(key, stored);
    else this.storedBy.delete(key);
    if (this.storedBy.size === 0) this.storedBy = undefined;
  }

  /** Against its siblings, from now on. */
  weigh(weight: number): void {
    this.expected = (this.expected * this.weight) / weight;
    this.weight = weight;
    this.above?.ready.moved(this);
  }

  /** Adds to what it and all above have used and are expected to use. */
  charge(usedMs: number, expectedMs: number, attempts: number): void {
    for (let node: OrderNode = this; ; ) {
      node.running += attempts;
      const { above } = node;
      if (above === undefined) return;
      node.used += usedMs / node.weight;
      // Sums of fractions that are taken away again do not come to nothing by themselves.
      node.expected = node.running === 0 ? 0 : node.expected + expectedMs / node.weight;
      above.most = Math.max(above.most, node.used);
      above.ready.moved(node);
      node = above;
    }
  }
}

const none: readonly Gate[] = [];

const averageMs = 60_000;

function goesBefore(a: OrderNode, b: OrderNode): boolean {
  const had = a.used + a.expected - (b.used + b.expected);
  if (had !== 0) return had < 0;
  return a.rank === b.rank ? a.since < b.since : a.rank > b.rank;
}
