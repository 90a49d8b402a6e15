/** The nodes that share a store, for those who look at them and take them out of it. */
import type { Labels } from './labels.ts';

/** One run of a node that may write. */
export interface ClusterNode {
  /** The same after a restart on the same data folder. */
  readonly nodeId: string;
  readonly name: string;
  /** Of this run; 0 for a node that shares its store with nobody. */
  readonly incarnation: number;
  /** The node that tells. */
  readonly self: boolean;
  /** Its lease is not over. */
  readonly alive: boolean;
  /** The node chart's state. */
  readonly state: string;
  /** It takes nothing new. */
  readonly cordoned: boolean;
  readonly version: string;
  /** Wall clock, milliseconds since the epoch; 0 where it has not said so yet. */
  readonly startedAt: number;
  readonly labels: Labels;
  /** HOST:PORT where callers reach it; empty before it listens. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** HOST:PORT where other nodes reach it; empty where they cannot. */
  readonly clusterAddress: string;
  readonly slots: number;
  readonly running: number;
  /** Those that wait on it. */
  readonly pending: number;
  /** Why it cannot write the store; empty where it can. */
  readonly storeFault: string;
}

export const nodeOrders = ['cordon', 'uncordon', 'drain'] as const;
export type NodeOrder = (typeof nodeOrders)[number];

export interface Ordered {
  /** False where it was so already. */
  readonly changed: boolean;
  readonly node: ClusterNode;
}

export interface Cluster {
  /** By name. */
  nodes(): readonly ClusterNode[];
  /** How many executions wait for a slot that are no node's yet; undefined where nobody knows. Never rejects. */
  unowned(): Promise<number | undefined>;
  /** Calls `listener` when something of them may have changed, until the returned function is called. */
  onChange(listener: () => void): () => void;
  /**
   * Asks it of a node, by its name or id, whichever it is; a drain may name a node that is `to` have what that one has.
   * Rejects with not_found, invalid_argument and failed_precondition where that one is not fit for it, and unavailable
   * where a node does not answer.
   */
  order(node: string, order: NodeOrder, by: string, to?: string): Promise<Ordered>;
}

/** What a node does that is asked of it; resolves with whether that changed something. */
export interface OrderedNode {
  /** `heir` is the run of another node that a drain gives everything to; 0 for whichever node takes it. */
  obey(order: NodeOrder, by: string, heir?: number): Promise<boolean>;
}
