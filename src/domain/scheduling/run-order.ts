/**
 * Who runs next. What waits stands in lines at the leaves of a tree: tenant, priority, fairness key. Each node of the
 * tree has a weight, and `used`: the milliseconds of slots that it has really used, divided by its weight. The way down
 * goes each time to the child with work that has the least of `used` and of what its running attempts are expected to
 * take. A child that gets work after it had none waiting begins no lower than where the others are, so that nobody
 * hoards by idling, and what is cancelled before it runs costs nothing.
 */
import { IndexedHeap, type Placed } from './indexed-heap.ts';
import { WaitingLine } from './waiting-line.ts';

export const priorities = ['low', 'normal', 'high', 'urgent'] as const;
export type Priority = (typeof priorities)[number];

/** Of the milliseconds of slots, each against the others of its tenant that have work. */
export const priorityWeights: Readonly<Record<Priority, number>> = {
  low: 1,
  normal: 4,
  high: 16,
  urgent: 64,
};

/** Where an execution waits. */
export interface Leaf {
  readonly tenant: string;
  readonly priority: Priority;
  /** Of the request or its task; empty is one for all that have none. */
  readonly fairnessKey: string;
}

/** Nodes without work that are remembered for what they have had; beyond it, who has had least is forgotten first. */
const maxIdle = 4096;

interface Running {
  readonly leaf: Node;
  readonly expectedMs: number;
}

export class RunOrder {
  readonly #root = new Node('', undefined, 1, 0);
  /** Where each that waits does. */
  readonly #waiting = new Map<string, Node>();
  readonly #running = new Map<string, Running>();
  #serial = 0;
  #nodes = 0;
  /** When there are so many, those without work are looked through. */
  #forgetAt = 2 * maxIdle;

  get waiting(): number {
    return this.#waiting.size;
  }

  /** How many nodes of the tree are kept. */
  get nodes(): number {
    return this.#nodes;
  }

  /** It waits; `first` before all others of its leaf, as a retry does. One that waits or runs already stays where it is. */
  add(id: string, leaf: Leaf, first = false): void {
    if (this.#waiting.has(id) || this.#running.has(id)) return;
    if (this.#nodes > this.#forgetAt) this.#forget();
    const node = this.#nodeOf(leaf);
    node.line.add(id, first);
    this.#waiting.set(id, node);
    count(node, 1);
    this.#wake(node);
  }

  /** It waits no more. False where it did not. */
  remove(id: string): boolean {
    const node = this.#waiting.get(id);
    if (node === undefined) return false;
    this.#waiting.delete(id);
    node.line.delete(id);
    count(node, -1);
    rest(node);
    return true;
  }

  /** Who is next; undefined where nobody waits. */
  next(): string | undefined {
    let node = this.#root;
    for (let below = node.ready.least; below !== undefined; below = node.ready.least) node = below;
    return node.line.head;
  }

  /** Takes who is next, which runs from now on for a time that is expected. Undefined where nobody waits. */
  take(expectedMs: (id: string) => number): string | undefined {
    const id = this.next();
    const node = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || node === undefined) return undefined;
    for (let each: Node = node, above = each.above; above !== undefined; each = above, above = each.above) {
      above.reached = Math.max(above.reached, each.used);
    }
    this.#waiting.delete(id);
    node.line.take();
    count(node, -1);
    this.#begin(id, node, expectedMs(id));
    rest(node);
    return id;
  }

  /** It runs without having been next, such as one that ran before a restart. */
  hold(id: string, leaf: Leaf, expectedMs: number): void {
    if (this.#running.has(id)) return;
    this.remove(id);
    this.#begin(id, this.#nodeOf(leaf), expectedMs);
  }

  /** Its attempt is gone after so many milliseconds of its slot. False where it did not run. */
  end(id: string, usedMs: number): boolean {
    const run = this.#running.get(id);
    if (run === undefined) return false;
    this.#running.delete(id);
    charge(run.leaf, Math.max(0, usedMs), -run.expectedMs, -1);
    // Nobody is left to whom those that come next would owe anything.
    for (let above = run.leaf.above; above !== undefined && isIdle(above); above = above.above)
      above.reached = Math.max(above.reached, above.most);
    return true;
  }

  /** How many of a tenant run. */
  runningOf(tenant: string): number {
    return this.#root.below.get(tenant)?.running ?? 0;
  }

  /** How many wait in a leaf. */
  waitingIn({ tenant, priority, fairnessKey }: Leaf): number {
    return this.#root.below.get(tenant)?.below.get(priority)?.below.get(fairnessKey)?.waiting ?? 0;
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  /** Those that wait in the leaf of one, in their order; undefined where it does not wait. */
  lineOf(id: string): Pick<WaitingLine, 'size' | 'first' | typeof Symbol.iterator> | undefined {
    return this.#waiting.get(id)?.line;
  }

  /**
   * Who runs before one that waits, or that would come now to a leaf: the first of its line, at most so many, and about
   * how many there are. Others are counted by their weights, as if all took the same time.
   */
  ahead(id: string, leaf: Leaf, most: number): { readonly keys: readonly string[]; readonly count: number } {
    const node = this.#waiting.get(id) ?? this.#nodeOf(leaf);
    const keys: string[] = [];
    for (const each of node.line) {
      if (each === id || keys.length >= most) break;
      keys.push(each);
    }
    const before = keys.length < most ? keys.length : Math.max(node.line.most(id), keys.length);
    let places = before;
    for (let each = node, above = each.above; above !== undefined; each = above, above = each.above) {
      let others = 0;
      let weights = 0;
      for (const other of above.ready) {
        if (other === each) continue;
        others += other.waiting;
        weights += other.weight;
      }
      places += Math.min(others, ((places + 1) * weights) / each.weight);
    }
    return { keys, count: Math.round(places) };
  }

  #begin(id: string, leaf: Node, expectedMs: number): void {
    const expected = Math.max(0, expectedMs);
    this.#running.set(id, { leaf, expectedMs: expected });
    charge(leaf, 0, expected, 1);
  }

  /** Puts a leaf that has got work, and what is above it, among those that can be next. */
  #wake(leaf: Node): void {
    for (let node = leaf, above = node.above; above !== undefined; node = above, above = node.above) {
      if (above.ready.has(node)) return;
      node.used = Math.max(node.used, above.reached);
      node.since = this.#serial++;
      above.ready.add(node);
    }
  }

  #nodeOf({ tenant, priority, fairnessKey }: Leaf): Node {
    const owner = this.#child(this.#root, tenant, 1, 0);
    const rank = priorities.indexOf(priority);
    const floor = this.#child(owner, priority, priorityWeights[priority], rank);
    return this.#child(floor, fairnessKey, 1, 0);
  }

  #child(above: Node, name: string, weight: number, rank: number): Node {
    const found = above.below.get(name);
    if (found !== undefined) return found;
    const made = new Node(name, above, weight, rank);
    made.used = above.reached;
    above.below.set(name, made);
    this.#nodes += 1;
    return made;
  }

  /** Drops those without work: what would begin no lower if it came back, and of the others the ones that have had least. */
  #forget(): void {
    const idle: Node[] = [];
    const visit = (node: Node): void => {
      for (const child of node.below.values()) visit(child);
      if (node.above !== undefined && node.below.size === 0 && isIdle(node)) idle.push(node);
    };
    visit(this.#root);
    const debt = ({ used, above }: Node): number => used - (above?.reached ?? 0);
    idle.sort((a, b) => debt(b) - debt(a));
    for (const [place, node] of idle.entries()) {
      if (place < maxIdle && debt(node) > 0) continue;
      node.above?.below.delete(node.name);
      this.#nodes -= 1;
    }
    this.#forgetAt = 2 * Math.max(maxIdle, this.#nodes);
  }
}

class Node implements Placed {
  place = -1;
  readonly name: string;
  readonly above: Node | undefined;
  readonly weight: number;
  /** Among equals the higher goes first. */
  readonly rank: number;
  readonly below = new Map<string, Node>();
  /** Of those below, the ones with work waiting. */
  readonly ready = new IndexedHeap<Node>(goesBefore);
  readonly line = new WaitingLine();
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

  constructor(name: string, above: Node | undefined, weight: number, rank: number) {
    this.name = name;
    this.above = above;
    this.weight = weight;
    this.rank = rank;
  }
}

function goesBefore(a: Node, b: Node): boolean {
  const had = a.used + a.expected - (b.used + b.expected);
  if (had !== 0) return had < 0;
  return a.rank === b.rank ? a.since < b.since : a.rank > b.rank;
}

function count(leaf: Node, waiting: number): void {
  for (let node: Node | undefined = leaf; node !== undefined; node = node.above) node.waiting += waiting;
}

/** Adds to what a leaf and all above it have used and are expected to use. */
function charge(leaf: Node, usedMs: number, expectedMs: number, attempts: number): void {
  for (let node: Node | undefined = leaf; node !== undefined; node = node.above) {
    node.running += attempts;
    const { above } = node;
    if (above === undefined) return;
    node.used += usedMs / node.weight;
    // Sums of fractions that are taken away again do not come to nothing by themselves.
    node.expected = node.running === 0 ? 0 : node.expected + expectedMs / node.weight;
    above.most = Math.max(above.most, node.used);
    above.ready.moved(node);
  }
}

function isIdle({ running, line, ready }: Node): boolean {
  return running === 0 && line.size === 0 && ready.size === 0;
}

/** Takes what has no more work waiting from those that can be next. */
function rest(leaf: Node): void {
  for (let node = leaf, above = node.above; above !== undefined; node = above, above = node.above) {
    if (node.line.size > 0 || node.ready.size > 0) return;
    above.ready.delete(node);
  }
}
