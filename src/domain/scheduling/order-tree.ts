import { OrderNode } from './order-node.ts';
import { type Leaf, type PriorityWeights, priorities, priorityWeights } from './priority.ts';

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

  constructor(weights: PriorityWeights = priorityWeights) {
    this.#weights = weights;
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
    const rank = priorities.indexOf(priority);
    const floor = this.#child(this.tenant(tenant), priority, this.#weights[priority], rank);
    return this.#child(floor, fairnessKey, 1, rank);
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
      if (node.waiting === 0) node.since = this.#serial++;
      node.waiting += 1;
    }
  }

  /** Puts a node that has got work that can start, and what is above it, among those that can be next. */
  wake(leaf: OrderNode): void {
    let node = leaf;
    for (let { above } = node; above !== undefined; node = above, above = node.above) {
      if (!node.hasWork || !node.isOpen || above.ready.has(node)) return;
      node.used = Math.max(node.used, above.reached);
      above.ready.add(node);
    }
  }

  /** Takes what has no more work that can start from those that can be next. */
  rest(leaf: OrderNode): void {
    let node = leaf;
    for (let { above } = node; above !== undefined; node = above, above = node.above) {
      if (node.hasWork && node.isOpen) return;
      above.ready.delete(node);
    }
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
      this.#size -= 1;
    }
    this.#forgetAt = 2 * Math.max(maxIdle, this.#size);
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
