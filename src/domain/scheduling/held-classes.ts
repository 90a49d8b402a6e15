import { IndexedHeap, type Placed } from './indexed-heap.ts';
import type { OrderNode } from './order-node.ts';
import { cameBefore, type WaitingClass } from './waiting-class.ts';

/** Of one leaf the classes that a gate holds, by who came first. */
interface HeldLeaf extends Placed {
  readonly leaf: OrderNode;
  readonly classes: IndexedHeap<WaitingClass>;
  /** What it had used when it was last looked at: no more than it has now. */
  used: number;
}

interface HeldLeaves {
  readonly byLeaf: Map<OrderNode, HeldLeaf>;
  /** By what they have used; made when they are too many for all to be let back at once. */
  order: IndexedHeap<HeldLeaf> | undefined;
}

/**
 * The classes that one gate holds: by priority, so that none is passed by one of a lower one when the gate opens; of each
 * by leaf, so that the tree can choose among leaves; and of a leaf by who came first.
 */
export class HeldClasses {
  /** Where it is the only one, as before most of many values: all the rest is made with a second. */
  #only: WaitingClass | undefined;
  #byRank: (HeldLeaves | undefined)[] | undefined;
  #size = 0;

  /** How many classes. */
  get size(): number {
    return this.#size;
  }

  add(queue: WaitingClass): void {
    this.#size += 1;
    if (this.#size === 1) {
      this.#only = queue;
      return;
    }
    if (this.#only !== undefined) this.#sort(this.#only);
    this.#only = undefined;
    this.#sort(queue);
  }

  #sort(queue: WaitingClass): void {
    const { leaf } = queue;
    this.#byRank ??= [];
    this.#byRank[leaf.rank] ??= { byLeaf: new Map(), order: undefined };
    const { byLeaf, order } = this.#byRank[leaf.rank] as HeldLeaves;
    let held = byLeaf.get(leaf);
    if (held === undefined) {
      held = { leaf, classes: new IndexedHeap(cameBefore), used: leaf.used, place: -1 };
      byLeaf.set(leaf, held);
      order?.add(held);
    }
    held.classes.add(queue);
    queue.heap = held.classes;
  }

  delete(queue: WaitingClass): void {
    if (queue === this.#only) {
      this.#only = undefined;
      this.#size = 0;
      return;
    }
    const { leaf } = queue;
    const leaves = this.#byRank?.[leaf.rank];
    const held = leaves?.byLeaf.get(leaf);
    if (leaves === undefined || !held?.classes.delete(queue)) return;
    queue.heap = undefined;
    this.#size -= 1;
    if (held.classes.size > 0) return;
    leaves.byLeaf.delete(leaf);
    leaves.order?.delete(held);
    if (this.#size === 0) this.#byRank = undefined;
    else if (leaves.byLeaf.size === 0 && this.#byRank !== undefined) this.#byRank[leaf.rank] = undefined;
  }

  /** The first come of a leaf. */
  first(leaf: OrderNode): WaitingClass | undefined {
    if (this.#only !== undefined) return this.#only.leaf === leaf ? this.#only : undefined;
    return this.#byRank?.[leaf.rank]?.byLeaf.get(leaf)?.classes.least;
  }

  /** At most so many leaves of each priority, those that have used least. */
  leaves(most: number): OrderNode[] {
    if (this.#only !== undefined) return [this.#only.leaf];
    const found: OrderNode[] = [];
    for (const leaves of this.#byRank ?? []) {
      if (leaves === undefined) continue;
      const { byLeaf } = leaves;
      if (byLeaf.size <= most) found.push(...byLeaf.keys());
      else {
        leaves.order ??= ordered(byLeaf.values());
        found.push(...least(leaves.order, most));
      }
    }
    return found;
  }
}

function ordered(leaves: Iterable<HeldLeaf>): IndexedHeap<HeldLeaf> {
  const order = new IndexedHeap<HeldLeaf>(
    (a, b) => a.used < b.used || (a.used === b.used && a.leaf.since < b.leaf.since),
  );
  for (const held of leaves) {
    held.used = held.leaf.used;
    order.add(held);
  }
  return order;
}

function least(order: IndexedHeap<HeldLeaf>, most: number): OrderNode[] {
  const found: HeldLeaf[] = [];
  while (found.length < most) {
    const first = order.least;
    if (first === undefined) break;
    if (first.used < first.leaf.used) {
      first.used = first.leaf.used;
      order.moved(first);
    } else {
      order.delete(first);
      found.push(first);
    }
  }
  for (const each of found) order.add(each);
  return found.map(({ leaf }) => leaf);
}
