import type { LogEvent } from './event.ts';
import type { ExecutionRecord } from './execution.ts';

/**
 * One reader's hold on one execution's event log. Everything it shows is committed (invariant I2), and
 * nothing it does changes the execution (I5).
 */
export interface LogCursor {
  readonly executionId: string;
  /** The record as last committed. Throws before the admission is durable: await `admitted` first. */
  readonly record: ExecutionRecord;
  /** The record, once the admission is durable. Rejects with a RequestError where it could not be made so. */
  admitted(): Promise<ExecutionRecord>;
  /** Committed events with `sequence >= from` in order, about `maxBytes` of output at most; empty where there are none yet. */
  read(from: number, maxBytes: number): Promise<readonly LogEvent[]>;
  /**
   * Resolves when an event after `sequence` is committed (at once if one is), when the log can have none, or at
   * `wake` or `close`; infinity waits for the end of the log. One call at a time.
   */
  beyond(sequence: number): Promise<void>;
  /** Ends a pending `beyond`. */
  wake(): void;
  /** Lets go. `gone` says that the reader went away before it had what it came for. */
  close(how: 'done' | 'gone'): void;
  readonly closed: boolean;
  /** The node goes away before the log ends: `beyond` waits no more, and the log goes on after the next start. */
  readonly left: boolean;
}
