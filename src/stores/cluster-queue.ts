/** What waits for a node of the cluster: rows that no node owns. One node, which holds a lease, gives them away. */
import type { ExecutionRecord } from '../domain/execution.ts';
import type { Lack } from '../domain/placement.ts';
import type { QuarantineUse } from '../domain/scheduling/gate.ts';
import type { MeterUse } from '../domain/scheduling/order-use.ts';
import type { OwnUse } from '../domain/scheduling/places.ts';
import type { Verdict } from '../domain/scheduling/quarantine-gate.ts';
import type { WaitingExecution } from './store.ts';

/** An execution goes to a node, by its incarnation. */
export interface Grant {
  readonly executionId: string;
  readonly node: number;
}

/** An execution that a node has. */
export interface HeldExecution {
  readonly record: ExecutionRecord;
  readonly node: number;
}

/** One that shares the value of a key. */
export interface KeyedExecution {
  readonly record: ExecutionRecord;
  /** A node has it, and it runs there or is about to. */
  readonly isGiven: boolean;
}

/** What nodes say to each other. Whatever is missed is found in the store a little later. */
export type ClusterSaying =
  /** More waits in these lines; in any where they are not named. */
  | { readonly kind: 'queued'; readonly lines?: readonly string[] }
  /** So many wait, as the node that gives them away knows it. */
  | { readonly kind: 'waiting'; readonly count: number }
  /** Something was given to a node. */
  | { readonly kind: 'granted'; readonly nodes: readonly number[] }
  /** A node lacks something of a task, as placements name it; absent where it has it now. */
  | { readonly kind: 'lacks'; readonly node: number; readonly task: string; readonly lack?: Lack }
  /** A node is to fetch the image of a task, as those that have it are busy. */
  | { readonly kind: 'fetch'; readonly node: number; readonly task: string }
  /** An attempt of what a quarantine may hold back has ended. */
  | {
      readonly kind: 'verdict';
      readonly use: QuarantineUse;
      readonly executionId: string;
      readonly verdict: Verdict;
    }
  /** What has failed of a task does not count any more. */
  | { readonly kind: 'forget'; readonly taskId: string }
  /** A node has slots again, and holds so many for what was not given to it; these hold none any more. */
  | {
      readonly kind: 'freed';
      readonly node: number;
      readonly own: number;
      /** Bytes and processor cores that those reserve; absent is none, as older nodes say. */
      readonly memory?: number;
      readonly processors?: number;
      readonly ids: readonly string[];
    };

export interface ClusterQueue {
  /** Of this run of the node. */
  readonly me: number;
  /** Since the start of this run: how many it has left to nobody, and given to nodes. */
  readonly counts: { readonly released: number; readonly given: number };
  /** Nobody owns those from now on that this node does and that stand in a line. Resolves with them. */
  release(executionIds: readonly string[]): Promise<readonly string[]>;
  /** The same of all members of a batch that wait for a slot. */
  releaseBatch(batchId: string): Promise<void>;
  /** This node owns it from now on, or did; false where another was first, or it does not wait any more. */
  claim(executionId: string): Promise<boolean>;
  /** Lines in which somebody waits that nobody owns. */
  lines(): Promise<readonly string[]>;
  /** The first of a line that nobody owns, in its order. */
  waiting(line: string, limit: number): Promise<readonly WaitingExecution[]>;
  /** How many wait that nobody owns. It counts no further than `limit`. */
  count(limit: number): Promise<number>;
  /** Of those, the ones whose alarm is due, the earliest first. */
  due(now: number, limit: number): Promise<readonly string[]>;
  /** Gives each to its node, with the buckets of rates that were taken from. Resolves with those that were there to give. */
  give(grants: readonly Grant[], meters: readonly MeterUse[]): Promise<ReadonlySet<string>>;
  /** Those that were given to this node and that it has not begun. */
  granted(): Promise<readonly WaitingExecution[]>;
  /** Those of a tenant that have not ended and have that value of a key with a `when_full`: at most 1000, the oldest first. */
  withKey(tenant: string, key: string, value: string): Promise<readonly KeyedExecution[]>;
  /** Some of those that wait for a slot, and that this node has without having been given them. */
  strays(limit: number): Promise<readonly string[]>;
  /** All that were given to nodes that live, and hold a slot or are about to. */
  grants(): Promise<readonly HeldExecution[]>;
  /** What was given to nodes that are no more is given to nobody. */
  forgetLost(): Promise<void>;
  /** They hold no slot any more. */
  leave(executionIds: readonly string[], own: OwnUse): Promise<void>;
  /** Records of all that run on nodes that live, with their nodes. */
  running(): Promise<readonly HeldExecution[]>;
  say(saying: ClusterSaying): Promise<void>;
  /** Hears what others say, and with undefined that something may have been missed. */
  onSaying(heard: (saying: ClusterSaying | undefined) => void): void;
}
