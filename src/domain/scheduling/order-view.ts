/**
 * Who waits in which line, and what holds them, as people look at it. One walk over the tree, which changes nothing:
 * each leaf is looked at once, and so is each of its classes; only of the lines that are told is more made.
 *
 * Of what waits in the store and not in the order, only how many is known, and in which line.
 */
import { Largest } from './largest.ts';
import type { OrderNode } from './order-node.ts';
import type { OrderTree } from './order-tree.ts';
import { type Priority, priorities } from './priority.ts';
import { cameBefore, type HeldBy, holdOf, type WaitingClass } from './waiting-class.ts';

export interface ViewWanted {
  /** Only what is of one. */
  readonly tenant?: string | undefined;
  readonly lines: number;
  /** Of one line, … */
  readonly classes: number;
  /** … and of all; but of each line at least one. */
  readonly classesInAll: number;
}

/** Those that wait in a line with the same gates. */
export interface ClassView {
  readonly waiting: number;
  /** Who is next of them; undefined where that is not known yet. */
  readonly next: string | undefined;
  /** Absent where nothing but slots holds them. */
  readonly heldBy?: HeldBy;
}

export interface LineView {
  readonly tenant: string;
  readonly priority: Priority;
  readonly fairnessKey: string;
  readonly running: number;
  readonly waiting: number;
  /** Of those that wait: what something else than slots holds back. */
  readonly held: number;
  /** Of the slots that all lines of the view have had of late, from 0 to 1. */
  readonly shareUsed: number;
  /** Of the slots of the view, by its weight among those that run or could; 0 where nothing of it does. */
  readonly shareDue: number;
  /** Who is next where nothing holds it; undefined where nobody waits, or it is not known yet. */
  readonly first: string | undefined;
  /** The longest first. */
  readonly classes: readonly ClassView[];
  readonly otherClasses: number;
}

export interface OrderView {
  readonly running: number;
  readonly waiting: number;
  readonly held: number;
  /** Those where most wait, first; lines where nobody waits and something runs come last. */
  readonly lines: readonly LineView[];
  readonly otherLines: number;
  /** How many wait in those that are left out. */
  readonly otherWaiting: number;
}

interface Found {
  readonly leaf: OrderNode;
  readonly waiting: number;
  readonly held: number;
  readonly shareDue: number;
}

export function viewOf(tree: OrderTree, wanted: ViewWanted, now: number): OrderView {
  const { tenant, lines: most } = wanted;
  const lines = new Largest<Found>(most);
  const all = { lines: 0, running: 0, waiting: 0, held: 0, used: 0 };
  const count = (leaf: OrderNode, shareDue: number): void => {
    all.used += leaf.average(now);
    const waiting = leaf.waiting + leaf.stored;
    if (waiting + leaf.running === 0) return;
    const held = heldIn(leaf);
    all.lines += 1;
    all.running += leaf.running;
    all.waiting += waiting;
    all.held += held;
    lines.offer(waiting, () => ({ leaf, waiting, held, shareDue }));
  };
  const root = tenant === undefined ? tree.root : tree.findTenant(tenant);
  if (root !== undefined) walk(root, 1, count);
  const classes = Math.floor(wanted.classesInAll / Math.max(1, lines.size));
  const ofEach = Math.max(1, Math.min(wanted.classes, classes));
  const told = lines.sorted().map((found) => {
    const { leaf, ...counted } = found;
    const used = all.used > 0 ? leaf.average(now) / all.used : 0;
    return {
      ...namesOf(leaf),
      ...counted,
      running: leaf.running,
      shareUsed: used,
      ...classesOf(leaf, ofEach),
    };
  });
  return {
    running: all.running,
    waiting: all.waiting,
    held: all.held,
    lines: told,
    otherLines: all.lines - told.length,
    otherWaiting: told.reduce((left, { waiting }) => left - waiting, all.waiting),
  };
}

/** Tells each leaf with the share that is due to it: by weights, among the siblings that run something or could. */
function walk(node: OrderNode, share: number, tell: (leaf: OrderNode, share: number) => void): void {
  if (node.below.size === 0) {
    // A tenant without work is no leaf.
    if (node.above?.above?.above !== undefined) tell(node, share);
    return;
  }
  let weights = 0;
  for (const child of node.below.values()) if (hasPart(child)) weights += child.weight;
  for (const child of node.below.values()) {
    walk(child, hasPart(child) ? (share * child.weight) / weights : 0, tell);
  }
}

function hasPart(node: OrderNode): boolean {
  return node.running > 0 || node.above?.ready.has(node) === true;
}

function heldIn(leaf: OrderNode): number {
  if (!leaf.tenant.isOpen) return leaf.waiting + leaf.stored;
  let held = 0;
  for (const { heldBy, line, key } of leaf.classes?.values() ?? none) {
    if (heldBy !== undefined) held += line.size + (leaf.storedBy?.get(key) ?? 0);
  }
  return held;
}

function namesOf(leaf: OrderNode): Pick<LineView, 'tenant' | 'priority' | 'fairnessKey'> {
  return {
    tenant: leaf.tenant.name,
    priority: priorities[leaf.rank] ?? 'normal',
    fairnessKey: leaf.name,
  };
}

function classesOf(leaf: OrderNode, most: number): Pick<LineView, 'first' | 'classes' | 'otherClasses'> {
  const { plain, classes, storedBy } = leaf;
  const largest = new Largest<ClassView>(most);
  let count = 0;
  let first: WaitingClass | undefined;
  const look = (queue: WaitingClass): void => {
    count += 1;
    if (first === undefined || cameBefore(queue, first)) first = queue;
    const waiting = queue.line.size + (storedBy?.get(queue.key) ?? 0);
    largest.offer(waiting, () => classView(queue, waiting));
  };
  if (plain !== undefined && plain.line.size > 0) look(plain);
  for (const queue of classes?.values() ?? none) look(queue);
  for (const [key, waiting] of storedBy ?? none) {
    // All of those that are read have left, and the next page is on its way.
    const isRead = key === '' ? plain !== undefined && plain.line.size > 0 : classes?.has(key);
    if (isRead) continue;
    count += 1;
    largest.offer(waiting, () => ({ waiting, next: undefined }));
  }
  const told = largest.sorted();
  return { first: first?.line.head, classes: told, otherClasses: count - told.length };
}

function classView(queue: WaitingClass, waiting: number): ClassView {
  const heldBy = holdOf(queue);
  return { waiting, next: queue.line.head, ...(heldBy !== undefined && { heldBy }) };
}

const none: readonly never[] = [];
