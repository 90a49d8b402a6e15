/** What a run of the hostile suite has seen; the oracle judges it. */
import type { ErrorCode, ErrorOrigin, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import type { Exit } from '../support/server.ts';

/** Calls are made all the time; those that begin between two slices are not measured. */
export type Phase = 'calm' | 'attack' | 'between';

export interface InnocentCall {
  readonly innocent: string;
  readonly phase: Phase;
  /** From the call to the result, milliseconds. */
  readonly ms: number;
  /** What is wrong with its end; empty for nothing. */
  readonly problem: string;
}

export interface AttackEnd {
  readonly status: ExecutionStatus;
  readonly code: ErrorCode;
  readonly origin: ErrorOrigin;
  readonly message: string;
}

export interface Attack {
  readonly name: string;
  /** Counted from the start of its lane, so that it can be found again by the seed. */
  readonly number: string;
  /** Code and reason of a call that was refused, with its message. */
  readonly refusals: readonly { readonly code: string; readonly reason: string; readonly message: string }[];
  readonly ends: readonly AttackEnd[];
  /** What it has printed or said and should not know. */
  readonly leaks: readonly string[];
  /** May be accepted although it can never start: its bytes are made at random. */
  readonly random: boolean;
}

/** What the node's own process uses. */
export interface NodeUse {
  readonly residentBytes: number;
  /** After a garbage collection, what lies outside of the heap included. */
  readonly heapBytes: number;
  /** Without the files of cells, of which some are kept for the next ones. */
  readonly descriptors: number;
}

export interface History {
  readonly calls: readonly InnocentCall[];
  readonly attacks: readonly Attack[];
  /** Before the first attack, the most of each at any time, and when all was over. */
  readonly use: {
    readonly before: NodeUse;
    readonly most: Omit<NodeUse, 'heapBytes'>;
    readonly after: NodeUse;
  };
  /** What has changed outside of the folders of the attackers. */
  readonly touched: readonly string[];
  /** Executions that had not ended when all was over. */
  readonly unfinished: readonly string[];
  /** What is left of attackers or the node once its server is gone. */
  readonly remains: readonly string[];
  /** Lines of the server that speak of a bug. */
  readonly bugs: readonly string[];
  readonly exit: Exit;
}
