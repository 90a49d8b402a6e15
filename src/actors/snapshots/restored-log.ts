import type { NewEvent } from '../../domain/event.ts';
import { damaged } from '../../domain/snapshot/refusal.ts';
import type { LoggedChange } from '../../machines/replay.ts';
import type { Store } from '../../stores/store.ts';

/** What is staged in one transaction: small enough not to hold up the commits of others. */
const batchBytes = 2 * 1024 * 1024;
const batchEvents = 4096;
/** The machine is made of all of a log's transitions at once. */
const maxChanges = 1_000_000;
const maxChangeBytes = 64 * 1024 * 1024;

/**
 * A log on its way into the store: staged in pieces, but for the last, which goes with the commit of its record. A
 * short log is not staged at all.
 */
export class RestoredLog {
  readonly #store: Store;
  readonly #executionId: string;
  readonly #changes: LoggedChange[] = [];
  #changeBytes = 0;
  #batch: NewEvent[] = [];
  #bytes = 0;
  #staged = 0;

  constructor(store: Store, executionId: string) {
    this.#store = store;
    this.#executionId = executionId;
  }

  /** Its transitions so far. */
  get changes(): readonly LoggedChange[] {
    return this.#changes;
  }

  /** The last event that is staged; 0 for none. */
  get staged(): number {
    return this.#staged;
  }

  /** What is not staged. */
  get rest(): readonly NewEvent[] {
    return this.#batch;
  }

  /** Keeps what the machine is made of, and no event. */
  note(events: readonly NewEvent[]): void {
    for (const event of events) {
      if (event.kind !== 'transition') continue;
      this.#changes.push(event);
      this.#changeBytes += event.contextPatch.length;
    }
    if (this.#changes.length > maxChanges || this.#changeBytes > maxChangeBytes) {
      throw damaged(1, `the log has more than ${maxChanges} transitions, or ${maxChangeBytes} bytes of them`);
    }
  }

  /** Rejects with StoreError, and a RequestError where there are more transitions than a machine is made of. */
  async add(events: readonly NewEvent[]): Promise<void> {
    this.note(events);
    const bytes = events.reduce((sum, event) => sum + sizeOf(event), 0);
    const last = this.#batch.at(-1);
    const full = this.#bytes + bytes > batchBytes || this.#batch.length + events.length > batchEvents;
    if (full && last !== undefined) {
      await this.#store.stage(this.#executionId, this.#batch);
      this.#staged = last.sequence;
      this.#batch = [];
      this.#bytes = 0;
    }
    this.#batch.push(...events);
    this.#bytes += bytes;
  }

  /** Leaves nothing of it. */
  async drop(): Promise<void> {
    if (this.#staged > 0) await this.#store.unstage(this.#executionId);
  }
}

function sizeOf(event: NewEvent): number {
  if (event.kind === 'chunk') return event.data.byteLength;
  return event.kind === 'transition' ? event.contextPatch.length : 0;
}
