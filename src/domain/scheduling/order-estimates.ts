/** Who runs before one, and how long gates will likely hold it, as far as what waits and runs now can say it. */
import type { Gate } from './gate.ts';
import type { OrderNode } from './order-node.ts';
import type { WaitingClass } from './waiting-class.ts';

/** The first of a line, and about how many run before one. */
export interface Ahead {
  readonly keys: readonly string[];
  readonly count: number;
}

/**
 * Of one that waits in a class, or would come to it now: the first of its line, at most so many. Others are counted by
 * their weights, as if all took the same time.
 */
export function aheadOf(queue: WaitingClass, id: string, most: number): Ahead {
  const { line } = queue;
  const keys: string[] = [];
  for (const each of line) {
    if (each === id || keys.length >= most) break;
    keys.push(each);
  }
  let places = keys.length < most ? keys.length : Math.max(line.most(id), keys.length);
  for (let each = queue.leaf, above = each.above; above !== undefined; each = above, above = each.above) {
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

interface WaitFacts {
  /** Of each attempt. */
  readonly expectedMs: number;
  /** In its line; less than 0 where so many more are before it that no gate knows of. */
  readonly behind: number;
  readonly now: number;
}

/** Milliseconds until the last of the gates of a leaf, and of its tenant, lets one through. */
export function longestWait(
  { rank, tenant }: OrderNode,
  gates: readonly Gate[],
  { expectedMs, behind, now }: WaitFacts,
): number {
  const wait = (gate: Gate, waiting: number): number =>
    gate.waitMs(Math.max(0, waiting - behind), expectedMs, now);
  let longest = 0;
  for (const gate of gates) {
    const waiting = gate.waiting.reduce((sum, count, of) => (of < rank ? sum : sum + count), 0);
    longest = Math.max(longest, wait(gate, waiting));
  }
  if (tenant.gates.length === 0) return longest;
  let waiting = 0;
  for (const each of tenant.below.values()) if (each.rank >= rank) waiting += each.waiting;
  for (const gate of tenant.gates) longest = Math.max(longest, wait(gate, waiting));
  return longest;
}
