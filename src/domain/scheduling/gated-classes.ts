/**
 * What waits, by the gates that it has to pass. What a closed gate holds is not in the tree of the order; a gate that
 * opens lets the first of the classes before it back, and when it closes it holds them again.
 */
import type { Gate, GateUse } from './gate.ts';
import { classKey, Gates } from './gates.ts';
import type { OrderNode } from './order-node.ts';
import type { OrderTree } from './order-tree.ts';
import { cameBefore, WaitingClass } from './waiting-class.ts';

/**
 * Leaves of a priority that a gate which opens lets back at once: among so many the tree chooses. Of more, each comes
 * among them in its turn.
 */
const maxOffered = 8;

const none: readonly never[] = [];

/** Each class stands in its leaf, or before the first of its gates that is closed. */
export class GatedClasses {
  readonly gates = new Gates((gate) => (gate.open ? this.#opened(gate) : this.#closed(gate)));
  /** In milliseconds of any clock that only goes on. */
  now = 0;
  readonly #tree: OrderTree;
  /** Leaves that may have lost their last work that can start: looked at when all gates have turned. */
  readonly #tired = new Set<OrderNode>();

  constructor(tree: OrderTree) {
    this.#tree = tree;
  }

  /** Lets all gates of an attempt count it, or count it no more. */
  passed(leaf: OrderNode, gates: readonly Gate[], count: (gate: Gate) => void): void {
    const own = leaf.tenant.gates;
    for (const gate of gates) count(gate);
    for (const gate of own) count(gate);
    for (const gate of gates) this.gates.check(gate.meter, this.now);
    for (const gate of own) this.gates.check(gate.meter, this.now);
  }

  gatesOf(uses: readonly GateUse[]): Gate[] {
    const gates: Gate[] = [];
    for (const use of uses) {
      const gate = this.gates.of(use, this.now);
      if (gate !== undefined) gates.push(gate);
    }
    return gates;
  }

  classOf(leaf: OrderNode, uses: readonly GateUse[]): WaitingClass {
    if (uses.length === 0) {
      leaf.plain ??= new WaitingClass(leaf, '', none);
      return leaf.plain;
    }
    const gates = this.gatesOf(uses);
    const key = classKey(uses);
    leaf.classes ??= new Map();
    const known = leaf.classes.get(key);
    if (known !== undefined) return known;
    const made = new WaitingClass(leaf, key, gates);
    leaf.classes.set(key, made);
    for (const gate of gates) gate.users += 1;
    return made;
  }

  /** Puts a class where it can be next, or before the first gate that is closed; says whether it can be next. */
  place(queue: WaitingClass): boolean {
    for (const gate of queue.gates) {
      if (gate.open) continue;
      this.#hold(queue, gate);
      return false;
    }
    for (const gate of queue.gates) gate.passing.add(queue);
    queue.heldBy = undefined;
    queue.heap = queue.leaf.open;
    queue.leaf.open.add(queue);
    this.#tree.wake(queue.leaf);
    return true;
  }

  #hold(queue: WaitingClass, gate: Gate): void {
    queue.heldBy = gate;
    gate.held.add(queue);
    this.gates.holds(gate, this.now);
  }

  /** Its first are gone, or one from the middle. */
  shortened(queue: WaitingClass): void {
    const { leaf, heldBy, line } = queue;
    if (line.size > 0) {
      queue.heap?.moved(queue);
      return;
    }
    if (queue === leaf.plain) {
      this.#tree.rest(leaf);
      return;
    }
    if (heldBy !== undefined) {
      heldBy.held.delete(queue);
      queue.heldBy = undefined;
    } else {
      leaf.open.delete(queue);
      for (const gate of queue.gates) gate.passing.delete(queue);
      this.#tired.add(leaf);
    }
    queue.heap = undefined;
    leaf.classes?.delete(queue.key);
    for (const gate of queue.gates) {
      gate.users -= 1;
      if (gate.held.size + gate.passing.size === 0) this.gates.unreserve(gate, this.now);
    }
  }

  /** Lets the first of a leaf back that a gate holds which is open, and that no other holds. */
  #offer(gate: Gate, leaf: OrderNode): void {
    while (gate.open) {
      const queue = gate.held.first(leaf);
      if (queue === undefined) return;
      gate.held.delete(queue);
      if (this.place(queue)) return;
    }
  }

  /** One of those that a gate has let back has left, of that leaf: others take its place. */
  offerMore(gate: Gate, leaf: OrderNode): void {
    if (!gate.open || gate.held.size === 0) return;
    this.#offer(gate, leaf);
    for (const other of gate.held.leaves(1)) this.#offer(gate, other);
    this.#offerAny(gate);
  }

  /** Holds nothing at a gate that is open and has let back nobody: those that it let back may be held by others. */
  #offerAny(gate: Gate): void {
    while (gate.open && gate.passing.size === 0 && gate.held.size > 0) {
      for (const leaf of gate.held.leaves(1)) this.#offer(gate, leaf);
    }
  }

  #opened(gate: Gate): void {
    if (gate.owner !== undefined) this.#tree.wake(gate.owner);
    for (const leaf of gate.held.leaves(maxOffered)) this.#offer(gate, leaf);
    this.#offerAny(gate);
  }

  #closed(gate: Gate): void {
    if (gate.owner !== undefined) this.#tired.add(gate.owner);
    const queues = gate.passing.takeAll();
    for (const queue of queues) {
      for (const other of queue.gates) other.passing.delete(queue);
      queue.leaf.open.delete(queue);
      this.#hold(queue, gate);
      this.#tired.add(queue.leaf);
    }
    for (const { gates, leaf } of queues) for (const other of gates) this.offerMore(other, leaf);
  }

  /** Of what resources have held for long, the one that would be next has kept for it what is released. */
  reserve(): void {
    for (const gate of this.gates.longHeld) {
      const [leaf] = gate.held.leaves(1);
      const held = leaf === undefined ? undefined : gate.held.first(leaf);
      if (held === undefined) this.gates.longHeld.delete(gate);
      else if (this.#isBeforeAll(held)) {
        this.gates.reserve(gate, this.now);
        this.settle();
      }
    }
  }

  /** It would be next if no gate held it. */
  #isBeforeAll(queue: WaitingClass): boolean {
    const { leaf } = queue;
    const next = this.#tree.next();
    if (!leaf.tenant.isOpen) return false;
    if (next === undefined) return true;
    if (next === leaf) return leaf.first === undefined || cameBefore(queue, leaf.first);
    return this.#tree.precedes(leaf, next);
  }

  /** All gates have turned: what has no work left that can start leaves the tree. */
  settle(): void {
    if (this.#tired.size === 0) return;
    for (const node of this.#tired) this.#tree.rest(node);
    this.#tired.clear();
  }
}
