import { OrderNode } from './order-node.ts';
import type { NodeChanges, NodeUse } from './order-use.ts';
import {
  isPriority,
  type Leaf,
  type Priority,
  type PriorityWeights,
  priorities,
  priorityWeights,
} from './priority.ts';

/** Nodes without work that are remembered for what they have had; beyond it, who has had least is forgotten first. */
const maxIdle = 4096;

/** The tree of tenants, priorities and fairness keys, and the way down it. */
export class OrderTree {
  readonly root = new OrderNode('', undefined, 1, 0);
  readonly #weights: PriorityWeights;
  #serial = 0;
  #size = 0;
  /** When there are so many, those without work are looked through. */
  #forgetAt = 2 * maxIdle;
  /** Those that are to be kept anew; with each is what is above it. */
  #changed: OrderNode[] = [];
  /** Paths of what was kept and is to be no more. */
  #forgotten: (readonly string[])[] = [];
  readonly #began: () => void;

  /** `began` hears that there is something to keep, once until it is taken. */
  constructor(weights: PriorityWeights = priorityWeights, began: () => void = () => {}) {
    this.#weights = weights;
    this.#began = began;
  }

  /** How many nodes are kept. */
  get size(): number {
    return this.#size;
  }

  /** The leaf that is next; undefined where none has work that can start. */
  next(): OrderNode | undefined {
    let node = this.root;
    for (let below = node.ready.least; below !== undefined; below = node.ready.least) node = below;
    return node === this.root ? undefined : node;
  }

  leaf({ tenant, priority, fairnessKey }: Leaf): OrderNode {
    const floor = this.#floor(tenant, priority);
    return this.#child(floor, fairnessKey, 1, floor.rank);
  }

  /** One that there is. */
  findTenant(name: string): OrderNode | undefined {
    return this.root.below.get(name);
  }

  /** One that there is. */
  find({ tenant, priority, fairnessKey }: Leaf): OrderNode | undefined {
    return this.root.below.get(tenant)?.below.get(priority)?.below.get(fairnessKey);
  }

  tenant(name: string): OrderNode {
    return this.#child(this.root, name, 1, 0);
  }

  /** One more waits in a leaf. */
  arrive(leaf: OrderNode): void {
    let node: OrderNode | undefined = leaf;
    for (; node !== undefined; node = node.above) {
      if (node.waiting === 0) {
        if (node.keepsPlace) node.keepsPlace = false;
        else node.since = this.#serial++;
        if (!node.isChanged) this.touch(node);
      }
      node.waiting += 1;
    }
  }

  /** Puts a node that has got work that can start, and what is above it, among those that can be next. */
  wake(leaf: OrderNode): void {
    let node = leaf;
    for (let { above } = node; above !== undefined; node = above, above = node.above) {
      if (!node.hasWork || !node.isOpen || above.ready.has(node)) return;
      if (node.goesOn) node.goesOn = false;
      else node.used = Math.max(node.used, above.reached);
      above.ready.add(node);
      if (!node.isChanged) this.touch(node);
    }
  }

  /** Takes what has no more work that can start from those that can be next. */
  rest(leaf: OrderNode): void {
    let node = leaf;
    for (let { above } = node; above !== undefined; node = above, above = node.above) {
      if (node.hasWork && node.isOpen) return;
      above.ready.delete(node);
      if (!node.isChanged) this.touch(node);
    }
  }

  /** What a node or one above it has used is not as it is kept. */
  touch(changed: OrderNode): void {
    if (this.#changed.length === 0) this.#began();
    for (
      let node: OrderNode | undefined = changed;
      node !== undefined && !node.isChanged;
      node = node.above
    ) {
      node.isChanged = true;
      this.#changed.push(node);
    }
  }

  /** What has changed since the last time; `extra` is what a node has used that is not added to it yet. */
  takeChanges(extra: (node: OrderNode) => number): NodeChanges {
    const nodes: NodeUse[] = [];
    const forgotten = this.#forgotten;
    const changed = this.#changed;
    this.#forgotten = [];
    this.#changed = [];
    const most = new Map<OrderNode, number>();
    for (const node of changed) {
      node.isChanged = false;
      if (node.isGone) continue;
      if (node.owesNothing) {
        if (node.isKnown) forgotten.push(node.path);
        node.isKnown = false;
        continue;
      }
      const used = node.used + extra(node);
      const { above } = node;
      if (above !== undefined) most.set(above, Math.max(most.get(above) ?? 0, used));
    }
    for (const node of changed) {
      if (node.isGone || node.owesNothing) continue;
      node.isKnown = true;
      nodes.push({
        path: node.path,
        used: node.used + extra(node),
        reached: node.reached,
        most: Math.max(node.most, most.get(node) ?? 0),
        ready: node.above?.ready.has(node) ?? false,
        since: node.waiting > 0 ? node.since : -1,
      });
    }
    return { nodes, forgotten };
  }

  /** All of it is to be kept anew, as what was taken last was not kept. */
  touchAll({ forgotten }: NodeChanges): void {
    this.#forgotten.push(...forgotten);
    const visit = (node: OrderNode): void => {
      for (const child of node.below.values()) visit(child);
      if (!node.isChanged) this.touch(node);
    };
    visit(this.root);
  }

  /** Begins with what was kept. What it does not know of is forgotten. */
  restore(nodes: readonly NodeUse[]): void {
    for (const { path, used, reached, most, ready, since } of [...nodes].sort(
      (a, b) => a.path.length - b.path.length,
    )) {
      const node = this.#nodeAt(path);
      if (node === undefined) {
        this.#forgotten.push(path);
        continue;
      }
      node.isKnown = true;
      node.used = used;
      node.reached = Math.max(node.reached, reached);
      node.most = Math.max(node.most, most);
      node.goesOn = ready;
      node.keepsPlace = since >= 0;
      node.since = since;
      this.#serial = Math.max(this.#serial, since + 1);
      if (node.above !== undefined) node.above.most = Math.max(node.above.most, used);
    }
    if (this.#forgotten.length > 0) this.touch(this.root);
  }

  /** All that waits and runs is there again: who has nothing any more comes back like any other, and is owed nothing. */
  restored(): void {
    const visit = (node: OrderNode): boolean => {
      let isEmpty = node.isIdle && node.stored === 0;
      for (const child of node.below.values()) isEmpty = visit(child) && isEmpty;
      if (!isEmpty) return false;
      node.goesOn = false;
      node.keepsPlace = false;
      node.reached = Math.max(node.reached, node.most);
      return true;
    };
    visit(this.root);
  }

  #nodeAt([tenant, priority, fairnessKey]: readonly string[]): OrderNode | undefined {
    if (tenant === undefined) return this.root;
    if (priority === undefined) return this.tenant(tenant);
    if (!isPriority(priority)) return undefined;
    if (fairnessKey === undefined) return this.#floor(tenant, priority);
    return this.leaf({ tenant, priority, fairnessKey });
  }

  /** It is its turn: who comes back from now on begins no lower than here. */
  reach(leaf: OrderNode): void {
    let node = leaf;
    for (let { above } = node; above !== undefined; node = above, above = node.above) {
      above.reached = Math.max(above.reached, node.used);
    }
  }

  /** Whether one would come before another if both could start. */
  precedes(a: OrderNode, b: OrderNode): boolean {
    let one = a;
    let other = b;
    while (one.above !== other.above && one.above !== undefined && other.above !== undefined) {
      one = one.above;
      other = other.above;
    }
    return one.goesBefore(other);
  }

  /**
   * Where they are many, drops those without work: what would begin no lower if it came back, and of the others the ones
   * that have had least.
   */
  tidy(): void {
    if (this.#size <= this.#forgetAt) return;
    const idle: OrderNode[] = [];
    const visit = (node: OrderNode): void => {
      for (const child of node.below.values()) visit(child);
      if (node.above !== undefined && node.below.size === 0 && node.isIdle && !node.isKept) idle.push(node);
    };
    visit(this.root);
    const debt = ({ used, above }: OrderNode): number => used - (above?.reached ?? 0);
    idle.sort((a, b) => debt(b) - debt(a));
    for (const [place, node] of idle.entries()) {
      if (place < maxIdle && debt(node) > 0) continue;
      node.above?.below.delete(node.name);
      node.isGone = true;
      if (node.isKnown) this.#forgotten.push(node.path);
      this.#size -= 1;
    }
    this.#forgetAt = 2 * Math.max(maxIdle, this.#size);
  }

  #floor(tenant: string, priority: Priority): OrderNode {
    const rank = priorities.indexOf(priority);
    return this.#child(this.tenant(tenant), priority, this.#weights[priority], rank);
  }

  #child(above: OrderNode, name: string, weight: number, rank: number): OrderNode {
    const found = above.below.get(name);
    if (found !== undefined) return found;
    const made = new OrderNode(name, above, weight, rank);
    made.used = above.reached;
    above.below.set(name, made);
    this.#size += 1;
    return made;
  }
}
