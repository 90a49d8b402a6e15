import type { JsonValue } from '../../domain/execution.ts';
import type { WitFunction } from '../../domain/wit/types.ts';
import type { RingMemory } from './ring.ts';

/** How many jobs one message may hold; each has a slot of that many in `ThreadMemory.claims`. */
export const maxBatch = 32;

/** What both sides of a worker thread share. */
export interface ThreadMemory {
  readonly ring: RingMemory;
  /**
   * One word a slot: `batch << 2 | claim`. A job is run by whoever moves it from `open`: the worker, to
   * `started` and then `done`, or the pool, to `taken` where it gives the job to another thread or drops it.
   */
  readonly claims: Int32Array;
}

export const claim = { open: 0, started: 1, taken: 2, done: 3 } as const;

export function claimWord(batch: number, state: number): number {
  return (batch << 2) | state;
}

/** Kinds of ring records. A reply is JSON text of an AttemptOutcome in `replyPart` records and one `replyEnd`. */
export const recordKind = { stdout: 0, stderr: 1, replyPart: 2, replyEnd: 3 } as const;

/** What a task runs, sent to each worker once. */
export interface Program {
  readonly key: number;
  /** URL of the transpiled component. */
  readonly source: string;
  readonly cores: readonly CompiledModule[];
  readonly imports: readonly string[];
  /** The export `wasi:cli/run@…`, or empty. */
  readonly command: string;
  readonly functions: readonly WitFunction[];
  readonly name: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly preopens: Readonly<Record<string, string>>;
  readonly allowNetwork: boolean;
}

export interface CompiledModule {
  readonly file: string;
  readonly module: WebAssembly.Module;
  readonly instances: number;
  /** Bytes. */
  readonly memoryCap: number;
}

export interface Job {
  readonly slot: number;
  readonly program: number;
  /** Runs in the program's live instance and leaves it alive, where it ends well. */
  readonly reuse: boolean;
  /** Empty for the command. */
  readonly functionName: string;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  readonly input: Uint8Array;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface WorkerData {
  readonly name: string;
  readonly memory: ThreadMemory;
}

/** From the pool to a worker: programs that it has not seen, and jobs in order. */
export interface Batch {
  readonly batch: number;
  readonly programs: readonly Program[];
  readonly jobs: readonly Job[];
}
