import type { JsonValue } from '../../domain/execution.ts';
import type { WarmPolicy } from '../../domain/task.ts';
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
  /** CPU time of the thread, in microseconds, when its job began; negative before it has. */
  readonly cpuStart: Float64Array;
}

export const claim = { open: 0, started: 1, taken: 2, done: 3 } as const;

export function claimWord(batch: number, state: number): number {
  return (batch << 2) | state;
}

/**
 * Kinds of ring records. A reply is JSON text of an AttemptOutcome in `replyPart` records and one `replyEnd`; a
 * notice is a line of JSON text, and several may come as one.
 */
export const recordKind = { stdout: 0, stderr: 1, replyPart: 2, replyEnd: 3, notice: 4 } as const;

/** What has become of a program that a worker was asked to have ready. */
export type Notice =
  | { readonly program: number; readonly state: 'ready' }
  | { readonly program: number; readonly state: 'failed'; readonly reason: string }
  /** Its live instance has failed, or has served as often as it may. */
  | { readonly program: number; readonly state: 'spent' };

/** What a task runs, sent to a worker once for as long as it holds it. */
export interface Program {
  readonly key: number;
  /** The transpiled component; a worker compares it with its digest when it loads it. */
  readonly source: SourceFile;
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
  readonly warm: WarmPolicy;
}

export interface SourceFile {
  readonly url: string;
  /** Hex. */
  readonly sha256: string;
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

/** Jobs in order, and the programs among them that the worker does not hold. */
export interface Batch {
  readonly kind: 'batch';
  readonly batch: number;
  readonly programs: readonly Program[];
  readonly jobs: readonly Job[];
}

/** A program to load before it is needed, and to keep an instance of alive where `live`; answered by a notice. */
export interface Preparation {
  readonly kind: 'prepare';
  readonly program: number;
  readonly live: boolean;
  /** The program itself, where the worker does not hold it. */
  readonly programs: readonly Program[];
}

/** A program that the worker need not hold any more. */
interface Dismissal {
  readonly kind: 'dismiss';
  readonly program: number;
}

/** From the pool to a worker. */
export type WorkerMessage = Batch | Preparation | Dismissal;
