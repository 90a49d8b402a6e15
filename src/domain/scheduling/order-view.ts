/**
 * Who waits in which line, and what holds them, as people look at it. One walk over the tree, which changes nothing:
 * each leaf is looked at once, and so is each of its classes; only of the lines that are told is more made.
 *
 * Of what waits in the store and not in the order, only how many is known, and in which line.
 */
import { classKey } from './gates.ts';
import { Largest } from './largest.ts';
import type { OrderNode } from './order-node.ts';
import type { OrderTree } from './order-tree.ts';
import { type Leaf, type Priority, priorities } from './priority.ts';
import { cameBefore, type HeldBy, holdOf, type WaitingClass } from './waiting-class.ts';

export interface ViewWanted {
  /** Only what is of one. */
  readonly tenant?: string | undefined;
  /** How many wait behind in the store, by leaf and gates. */
  readonly behind: Iterable<{ readonly leaf: Leaf; readonly count: number }>;
  readonly lines: number;
  /** Of one line. */
  readonly classes: number;
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

/** What waits in the store in a leaf, by the key of its class. */
type Behind = Map<string, number>;

export function viewOf(tree: OrderTree, wanted: ViewWanted, now: number): OrderView {
  const { tenant, lines: most } = wanted;
  const { behind, unread } = byLeaf(tree, wanted);
  const lines = new Largest<Found | LineView>(most);
  const all = { lines: 0, running: 0, waiting: 0, held: 0, used: 0 };
  const count = (leaf: OrderNode, shareDue: number): void => {
    all.used += leaf.average(now);
    const stored = behind.get(leaf);
    const waiting = leaf.waiting + (stored === undefined ? 0 : sum(stored.values()));
    if (waiting + leaf.running === 0) return;
    const held = heldIn(leaf, stored);
    all.lines += 1;
    all.running += leaf.running;
    all.waiting += waiting;
    all.held += held;
    lines.offer(waiting, () => ({ leaf, waiting, held, shareDue }));
  };
  const root = tenant === undefined ? tree.root : tree.findTenant(tenant);
  if (root !== undefined) walk(root, 1, count);
  for (const line of unread) {
    all.lines += 1;
    all.waiting += line.waiting;
    lines.offer(line.waiting, () => line);
  }
  const told = lines
    .sorted()
    .map((each) => ('leaf' in each ? lineView(each, behind.get(each.leaf), wanted, now, all.used) : each));
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

/** What waits in the store by leaf, and the lines of which nothing has come to the order yet. */
function byLeaf(
  tree: OrderTree,
  { tenant, behind }: ViewWanted,
): { readonly behind: ReadonlyMap<OrderNode, Behind>; readonly unread: Iterable<LineView> } {
  const known = new Map<OrderNode, Behind>();
  const unread = new Map<string, LineView>();
  for (const { leaf, count } of behind) {
    if (count <= 0 || (tenant !== undefined && leaf.tenant !== tenant)) continue;
    const node = tree.find(leaf);
    const key = classKey(leaf.gates ?? []);
    if (node === undefined) {
      const name = `${leaf.tenant}/${leaf.priority}/${leaf.fairnessKey}`;
      unread.set(name, unreadLine(leaf, count + (unread.get(name)?.waiting ?? 0)));
      continue;
    }
    const classes = known.get(node) ?? new Map<string, number>();
    classes.set(key, count);
    known.set(node, classes);
  }
  return { behind: known, unread: unread.values() };
}

function unreadLine({ tenant, priority, fairnessKey }: Leaf, waiting: number): LineView {
  return {
    ...{ tenant, priority, fairnessKey, waiting },
    ...{ running: 0, held: 0, shareUsed: 0, shareDue: 0, first: undefined },
    classes: [{ waiting, next: undefined }],
    otherClasses: 0,
  };
}

function heldIn(leaf: OrderNode, behind: Behind | undefined): number {
  if (!leaf.tenant.isOpen) return leaf.waiting + (behind === undefined ? 0 : sum(behind.values()));
  let held = 0;
  for (const queue of leaf.classes?.values() ?? []) {
    if (queue.heldBy !== undefined) held += queue.line.size + (behind?.get(queue.key) ?? 0);
  }
  return held;
}

function lineView(
  { leaf, waiting, held, shareDue }: Found,
  behind: Behind | undefined,
  wanted: ViewWanted,
  now: number,
  used: number,
): LineView {
  const classes = new Largest<ClassView>(wanted.classes);
  let count = 0;
  let first: WaitingClass | undefined;
  const seen = new Set<string>();
  const plain = leaf.plain === undefined || leaf.plain.line.size === 0 ? [] : [leaf.plain];
  for (const queue of [...plain, ...(leaf.classes?.values() ?? [])]) {
    const stored = behind?.get(queue.key) ?? 0;
    if (stored > 0) seen.add(queue.key);
    const length = queue.line.size + stored;
    count += 1;
    if (first === undefined || cameBefore(queue, first)) first = queue;
    classes.offer(length, () => classView(queue, length));
  }
  for (const [key, length] of behind ?? []) {
    if (seen.has(key)) continue;
    count += 1;
    classes.offer(length, () => ({ waiting: length, next: undefined }));
  }
  const told = classes.sorted();
  return {
    tenant: leaf.tenant.name,
    priority: priorities[leaf.rank] ?? 'normal',
    fairnessKey: leaf.name,
    running: leaf.running,
    ...{ waiting, held, shareDue },
    shareUsed: used > 0 ? leaf.average(now) / used : 0,
    first: first?.line.head,
    classes: told,
    otherClasses: count - told.length,
  };
}

function classView(queue: WaitingClass, waiting: number): ClassView {
  const heldBy = holdOf(queue);
  return { waiting, next: queue.line.head, ...(heldBy !== undefined && { heldBy }) };
}

function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const each of numbers) all += each;
  return all;
}
