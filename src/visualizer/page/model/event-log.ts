/**
 * The events of one execution that the page has, in order.
 *
 * Append-only. An append costs as much as it brings, and readers are told once for each. Sequence numbers ascend
 * without repeat; they have gaps only where the node's retention took output.
 */
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { ExecutionRow } from './execution-row.ts';
import type { LogEvent } from './log-event.ts';

export class EventLog {
  readonly #events: LogEvent[] = [];
  readonly #length = signal(0);
  /** How many events there are. Read it to be told of new ones. */
  readonly length: ReadonlySignal<number> = this.#length;
  /** The record that it ends with; absent while more may come. Its readers are told once, not with each event. */
  readonly result: ReadonlySignal<ExecutionRow | undefined> = computed(() => {
    const last = this.#events[this.#length.value - 1];
    return last?.kind === 'result' ? last.result : undefined;
  });

  /** Takes what comes after the last event that it has; the rest is known already, as after a reconnect. */
  append(events: readonly LogEvent[]): void {
    let last = this.lastSequence;
    for (const event of events) {
      if (event.sequence <= last) continue;
      this.#events.push(event);
      last = event.sequence;
    }
    this.#length.value = this.#events.length;
  }

  /** By index, from 0. */
  at(index: number): LogEvent | undefined {
    return this.#events[index];
  }

  /** The events from one index up to, and without, another. */
  slice(from: number, to?: number): readonly LogEvent[] {
    return this.#events.slice(from, to);
  }

  get first(): LogEvent | undefined {
    return this.#events[0];
  }

  get last(): LogEvent | undefined {
    return this.#events[this.#events.length - 1];
  }

  get lastSequence(): number {
    return this.last?.sequence ?? 0;
  }

  /** The index of the last event whose sequence number is at most this one; -1 where there is none. */
  indexOf(sequence: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
