import { RequestError } from '../../domain/errors.ts';
import type { LogEvent } from '../../domain/event.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Store } from '../../stores/store.ts';
import type { LiveLog } from './live-log.ts';
import type { LogWaiter } from './log-waiters.ts';

interface LiveCursorOptions {
  /** False for a reader that does not count as an observer. */
  readonly counts?: boolean;
  /** Hears once how the reader left, after it no longer counts. */
  readonly closed?: (how: 'done' | 'gone') => void;
}

/** A reader of a log that still grows, or that did when the reader came. */
export class LiveCursor implements LogCursor {
  readonly #log: LiveLog;
  readonly #options: LiveCursorOptions;
  #waiter: LogWaiter | undefined;
  closed = false;

  constructor(log: LiveLog, options: LiveCursorOptions = {}) {
    this.#log = log;
    this.#options = options;
    log.opened();
    if (options.counts !== false) log.observers++;
  }

  get executionId(): string {
    return this.#log.executionId;
  }

  get record(): ExecutionRecord {
    const record = this.#log.committed;
    if (record === undefined) throw new Error('the admission is not durable yet');
    return record;
  }

  get left(): boolean {
    return this.#log.left;
  }

  admitted(): Promise<ExecutionRecord> {
    return this.#log.admitted();
  }

  read(from: number, maxBytes: number): Promise<readonly LogEvent[]> {
    return this.#log.read(from, maxBytes);
  }

  beyond(sequence: number): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter = { sequence, wake: resolve };
      if (this.#log.wait(waiter)) this.#waiter = waiter;
      else resolve();
    });
  }

  wake(): void {
    if (this.#waiter === undefined) return;
    this.#log.forget(this.#waiter);
    this.#waiter.wake();
    this.#waiter = undefined;
  }

  close(how: 'done' | 'gone'): void {
    if (this.closed) return;
    this.closed = true;
    this.wake();
    if (this.#options.counts !== false) this.#log.observers--;
    this.#options.closed?.(how);
    this.#log.closed();
  }
}

/** A reader of a finished execution's log in the store. */
export class StoredCursor implements LogCursor {
  readonly record: ExecutionRecord;
  readonly left = false;
  closed = false;
  readonly #store: Store;

  constructor(store: Store, record: ExecutionRecord) {
    this.#store = store;
    this.record = record;
  }

  get executionId(): string {
    return this.record.executionId;
  }

  async admitted(): Promise<ExecutionRecord> {
    return this.record;
  }

  read(from: number, maxBytes: number): Promise<readonly LogEvent[]> {
    return this.#store.events(this.executionId, { from, maxBytes });
  }

  /** Rejects with unavailable for a log that has not ended and that nobody here goes on with. */
  async beyond(sequence: number): Promise<void> {
    if (this.closed || isTerminal(this.record.status) || sequence < this.record.lastSequence) return;
    throw new RequestError('unavailable', `${this.executionId} is not live on this node now; try again`, {
      reason: 'STORE_UNAVAILABLE',
      retryAfterMs: 1000,
      metadata: { execution: this.executionId },
    });
  }

  wake(): void {}

  close(): void {
    this.closed = true;
  }
}
