/** The port of a node as one of those that use a store. */

import type { ExecutionRecord } from '../domain/execution.ts';
import type { Labels } from '../domain/labels.ts';
import type { LogOutline, WaitingLineCount } from './store.ts';

/** What a node says of itself when it registers. */
export interface NodeFacts {
  /** Unique among those that live. */
  readonly name: string;
  /** HOST:PORT where other nodes reach it; empty where they cannot. */
  readonly address: string;
  readonly labels: Labels;
  /** What it can do, as JSON. */
  readonly capacity: Readonly<Record<string, unknown>>;
}

/** A run of a node that has its right to write. */
export interface Peer extends NodeFacts {
  /** This run, which no other run of any node shares. */
  readonly incarnation: number;
  /** The same after a restart on the same data folder. */
  readonly nodeId: string;
  /** What it told with its last renewal, as JSON. */
  readonly load: Readonly<Record<string, unknown>>;
  /** Its lease is not over. */
  readonly alive: boolean;
}

/**
 * Work that one node does for all. It is held as long as its holder may write: every write asks for that, so that one
 * that has lost it writes nothing any more.
 */
export interface NamedLease {
  /** Grows with each change of the holder; undefined where this node does not hold it. */
  readonly epoch: number | undefined;
}

/** An unfinished execution whose owner may not write any more. */
export interface Orphan {
  readonly executionId: string;
  /** Of one that has begun and waits in no line: its own node might follow its attempt again. */
  readonly record?: ExecutionRecord;
  /** Of the node that had it. */
  readonly nodeId: string;
  /** That node was told to stop. */
  readonly planned: boolean;
  /** For how long it has had no owner, in milliseconds. */
  readonly since: number;
}

/** What has become of what was claimed. */
export interface Claimed {
  /** This node's: those that wait in no line. */
  readonly executions: readonly ClaimedExecution[];
  /** Those that wait for something else than a slot, this node's, too, by their lines. */
  readonly lines: readonly ClaimedLine[];
  /** How many wait for a slot: they are nobody's, for the dispatcher to give away. */
  readonly queued: number;
}

export interface ClaimedExecution {
  readonly record: ExecutionRecord;
  /** Absent where it has to be read by itself. */
  readonly outline?: LogOutline;
}

export interface ClaimedLine extends WaitingLineCount {
  /** When the first of them came, and when the first alarm of one rings, if any does. */
  readonly since: number;
  readonly wakesAt: number;
}

/** Of each writer the first position that has not been seen. Positions of several writers say nothing of each other. */
export type WriterPositions = ReadonlyMap<number, number>;

export interface OthersChanges {
  readonly executionIds: readonly string[];
  readonly now: WriterPositions;
}

/** Of this run of the node, since its start. */
export interface MembershipCounts {
  /** Renewals that the store has not answered. */
  readonly failedRenewals: number;
  /** Runs of other nodes from which this one has taken the right to write. */
  readonly fenced: number;
}

export interface Membership {
  readonly incarnation: number;
  /** What this node is called among those that live. */
  readonly name: string;
  readonly counts: MembershipCounts;
  /** Those that may write, this node among them, as of the last renewal. */
  peers(): readonly Peer[];
  /** Calls `listener` after each renewal until the returned function is called. */
  onChange(listener: () => void): () => void;
  /** Calls `listener` when a node may not write any more, as soon as this one hears of it: what it had is there to be claimed. */
  onGone(listener: () => void): () => void;
  /** What the next renewal tells the others beside what was told before; of a word that comes again the last. */
  tell(load: Readonly<Record<string, unknown>>): void;
  /** Which run of a node has an execution; undefined where none has that may write. Rejects with StoreError. */
  ownerOf(executionId: string): Promise<Peer | undefined>;
  /** From now on this node asks for it; the same for the same name. */
  lease(name: string): NamedLease;
  /**
   * False from the node's own deadline on, by when others may take it for dead, until it is renewed: nothing begins and
   * nothing is answered meanwhile.
   */
  mayAct(): boolean;
  /** When the last renewal that was answered was sent, of the monotonic clock; infinity where nobody else uses the store. */
  renewedAt(): number;
  /** That deadline, of the monotonic clock; infinity where nobody else uses the store. */
  deadline(): number;
  /**
   * The executions that other nodes have written of since, each once, and where to go on: a vector, as each node counts by
   * itself. A node that is not in it is followed from now on. Looks at no more than `limit` parts of logs of each.
   */
  changes(since: WriterPositions, limit: number): Promise<OthersChanges>;
  /** Unfinished executions without an owner, oldest first: at most `limit` of those behind `afterId`. */
  orphans(afterId: string, limit: number): Promise<Orphan[]>;
  /** Makes those of them this node's that nobody has taken meanwhile. */
  claim(executionIds: readonly string[]): Promise<Claimed>;
  /** Makes unfinished batches this node's that nobody has; false where there were none. */
  claimBatches(): Promise<boolean>;
  /**
   * Of what this node has, others may take all but these from now on. It has been told to stop, and begins nothing of
   * the rest. Rejects with StoreError.
   */
  keepOnly(executionIds: readonly string[]): Promise<void>;
  /**
   * What this node leaves is for that run of another node alone, as long as that may write; false where it may not any
   * more. Rejects with StoreError.
   */
  nameHeir(incarnation: number): Promise<boolean>;
  /** This node was told to stop: what it leaves is for others to take up, at once. */
  leaving(): void;
  /** Gives the right to write back: this node does nothing more. */
  handOver(): Promise<void>;
}

/** Of a node that shares its store with nobody. */
export function soloMembership(nodeId: string, facts: NodeFacts): Membership {
  const lease: NamedLease = { epoch: 1 };
  let load: Peer['load'] = {};
  const self = (): Peer => ({ ...facts, incarnation: 0, nodeId, load, alive: true });
  return {
    incarnation: 0,
    name: facts.name,
    counts: { failedRenewals: 0, fenced: 0 },
    peers: () => [self()],
    onChange: () => () => {},
    onGone: () => () => {},
    tell(told) {
      load = { ...load, ...told };
    },
    ownerOf: () => Promise.resolve(self()),
    lease: () => lease,
    mayAct: () => true,
    renewedAt: () => Number.POSITIVE_INFINITY,
    deadline: () => Number.POSITIVE_INFINITY,
    changes: (since) => Promise.resolve({ executionIds: [], now: since }),
    orphans: () => Promise.resolve([]),
    claim: () => Promise.resolve({ executions: [], lines: [], queued: 0 }),
    claimBatches: () => Promise.resolve(false),
    keepOnly: () => Promise.resolve(),
    leaving() {},
    nameHeir: () => Promise.resolve(false),
    handOver: () => Promise.resolve(),
  };
}
