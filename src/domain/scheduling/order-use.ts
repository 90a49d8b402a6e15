/** What of the order of runs outlives the node: what was used, and how full the buckets of rates are. */

/** A node of the tree: what `OrderNode` has of the same names. */
export interface NodeUse {
  /** Its names from the top: tenant, priority, fairness key. The root has none. */
  readonly path: readonly string[];
  readonly used: number;
  readonly reached: number;
  readonly most: number;
  /** It had work that could start, so that it is no newcomer when it has some again. */
  readonly ready: boolean;
  /** Where it stood among equals: the place of whoever began to wait in it, from 0; -1 where nobody waits. */
  readonly since: number;
}

/** A bucket of a rate. */
export interface MeterUse {
  readonly meter: string;
  /** When it will be full, in milliseconds of the clock that is agreed on. */
  readonly fullAt: number;
}

/** What an order begins with. */
export interface OrderUse {
  readonly nodes: readonly NodeUse[];
  readonly meters: readonly MeterUse[];
  /** Buckets that are not among them were empty then at the latest; minus infinity where they are full. */
  readonly emptyAt: number;
}

/** What has changed of the nodes of the tree. */
export interface NodeChanges {
  readonly nodes: readonly NodeUse[];
  /** Paths of those that are not remembered any more. */
  readonly forgotten: readonly (readonly string[])[];
}
