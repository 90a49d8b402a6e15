import type { Principal } from '../access.ts';
import type { ExecutionRecord } from '../execution.ts';
import type { Scope } from '../scope.ts';

export interface TakeOptions {
  /** The principal that asks. */
  readonly by?: string;
  /** Moves it: see Transfers.detach. */
  readonly detach: boolean;
  readonly includeEnvironment: boolean;
  /** WebAssembly only. */
  readonly includeArtifact: boolean;
}

/** A document that is ready to be read, once. */
export interface TakenSnapshot {
  /** The record as the document has it. */
  readonly record: ExecutionRecord;
  readonly detached: boolean;
  /** A line each, for people. */
  readonly carried: readonly string[];
  readonly notCarried: readonly string[];
  /** Each piece at most 64 KiB. Whoever reads may stop. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface RestoreOptions {
  readonly hold: boolean;
  readonly asNew: boolean;
  readonly allowCopy: boolean;
  /** Who asks: a task that comes along and reaches the host is an administrator's to bring. */
  readonly principal: Principal;
  /** Of who asks: what is restored belongs to its tenant, wherever it comes from. */
  readonly scope: Scope;
  /** For variables that the document has redacted. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface RestoredExecution {
  readonly record: ExecutionRecord;
  /** The execution that the document is of. */
  readonly originId: string;
  /** Hex SHA-256 of the public key that signed it; empty where none did. */
  readonly signedBy: string;
  /** What could not go on where it was, a line each. */
  readonly notes: readonly string[];
}

/** Carries executions from one node to another. */
export interface Snapshots {
  /** Rejects with not_found, failed_precondition, invalid_argument, and what Transfers.detach rejects with. */
  take(executionId: string, options: TakeOptions): Promise<TakenSnapshot>;
  /**
   * Reads a document to its end before anything is done with it. Where it rejects nothing is left of it: with
   * invalid_argument where it is damaged, permission_denied, already_exists, failed_precondition, aborted. `signal`
   * gives up.
   */
  restore(
    bytes: AsyncIterable<Uint8Array>,
    options: RestoreOptions,
    signal: AbortSignal,
  ): Promise<RestoredExecution>;
}

/** What a task that comes with a snapshot may want of a node that does not know it. */
export const restoreAllowances = ['preopens', 'network', 'process', 'privileges', 'secrets'] as const;
export type RestoreAllowance = (typeof restoreAllowances)[number];
