import type { LogEvent } from '../domain/event.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { CommitTap } from '../domain/node-feed.ts';

/**
 * Passes what becomes durable on to whoever looks. A tap that throws is dropped and its error told: nothing that looks
 * at an execution may touch it (I5).
 */
export class CommitHub {
  readonly #taps = new Set<CommitTap>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** The tap hears of every commit until the answer is called. */
  add(tap: CommitTap): () => void {
    this.#taps.add(tap);
    return () => void this.#taps.delete(tap);
  }

  committed(record: ExecutionRecord, events: readonly LogEvent[]): void {
    for (const tap of this.#taps) {
      try {
        tap(record, events);
      } catch (error) {
        this.#taps.delete(tap);
        this.#failed(error);
      }
    }
  }
}
