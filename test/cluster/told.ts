import type { ExecutionResult, StreamExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import type { Kind } from './kinds.ts';

export const modes = ['async', 'sync', 'stream'] as const;
export type Mode = (typeof modes)[number];

/** What a client was told of one invocation. */
export interface Told {
  readonly kind: Kind;
  readonly mode: Mode;
  readonly invocationId: string;
  /** Of all answers. */
  readonly executionIds: Set<string>;
  /** Of what it heard, each once and in order. */
  readonly heard: StreamExecutionResult[];
  /** Ends that answers named, and what a look at some node has said after the end. */
  readonly ends: ExecutionResult[];
  /** What its program wrote of itself; empty for none. */
  readonly beats: string;
  /** Somebody asked for its end, … */
  wasToEnd: boolean;
  /** … and was told that this is what it will come to. */
  isCancelled: boolean;
  /** What can be said against it already. */
  readonly wrong: string[];
  isExplained: boolean;
}
