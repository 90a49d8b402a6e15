import type { Gate, GateUse, Resources, Trouble } from './gate.ts';
import type { IndexedHeap, Placed } from './indexed-heap.ts';
import type { OrderNode } from './order-node.ts';
import { WaitingLine } from './waiting-line.ts';

/** Those that wait in one leaf and have to pass the same gates. */
export class WaitingClass implements Placed {
  place = -1;
  readonly leaf: OrderNode;
  /** Among those of its leaf; empty for the one without gates. */
  readonly key: string;
  readonly gates: readonly Gate[];
  readonly line = new WaitingLine();
  /** Where it stands: among what its leaf can start, or among what a gate holds. */
  heap: IndexedHeap<WaitingClass> | undefined;
  /** The gate that holds it. */
  heldBy: Gate | undefined;

  constructor(leaf: OrderNode, key: string, gates: readonly Gate[]) {
    this.leaf = leaf;
    this.key = key;
    this.gates = gates;
  }
}

/** By who is next in each: retries before all others, and else who came first. */
export function cameBefore(a: WaitingClass, b: WaitingClass): boolean {
  const isRetry = a.line.first > 0;
  if (isRetry !== b.line.first > 0) return isRetry;
  return a.line.headNumber < b.line.headNumber;
}

/** Why one that waits is not among those that can be next. */
export interface HeldBy {
  readonly gate: GateUse;
  /** When it closed last. */
  readonly since: number;
  /** Infinity where something has to end first. */
  readonly opensAt: number;
  readonly holders: Iterable<string>;
  /** Of memory and processors: what there is in all. */
  readonly total?: Resources;
  /** Of a quarantined task. */
  readonly trouble?: Trouble;
}

/** What holds back a class; undefined where nothing but slots does. */
export function holdOf({ heldBy, leaf }: WaitingClass): HeldBy | undefined {
  const gate = heldBy ?? leaf.tenant.gates.find(({ open }) => !open);
  if (gate === undefined) return undefined;
  return holdBy(gate);
}

export function holdBy(gate: Gate): HeldBy {
  const { use, since, opensAt, holders, total, trouble } = gate;
  return {
    ...{ gate: use, since, opensAt, holders },
    ...(total !== undefined && { total }),
    ...(trouble !== undefined && { trouble }),
  };
}
