/**
 * How long executions will take yet.
 *
 * - What runs: what runs of the same function took that were longer than it is now.
 * - What waits: those before it, each with the duration of its own function, take the slots as they become free. Where
 *   limits by keys, rates, resources or its tenant's quota hold it for longer, that is how long it waits.
 */
import TinyQueue from 'tinyqueue';
import type { Durations } from '../../domain/durations.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import { leafOf } from '../../domain/scheduling/line.ts';
import { longestMs } from '../../domain/schema/values.ts';
import type { Slots } from './slots.ts';

/** So many of those that run, and of those that wait, are looked at one by one; the rest are taken to be like them. */
const maxRunning = 256;
const maxWaiting = 32;
/** A long queue does not become another one within so many milliseconds. */
const queueAgeMs = 100;

interface Queue {
  readonly takenAt: number;
  /** Milliseconds until those that were looked at have a slot. */
  readonly looked: number;
  /** Milliseconds for each one after them. */
  readonly each: number;
}

type UsedSlots = Pick<Slots, 'running' | 'total' | 'holders' | 'ahead' | 'waits' | 'gateWait'>;

export class Estimates {
  readonly #slots: UsedSlots;
  readonly #durations: Durations;
  readonly #recordOf: (executionId: string) => ExecutionRecord | undefined;
  readonly #behind: (record: ExecutionRecord) => number;
  #queue: Queue | undefined;

  /** `behind` is how many wait in the store in the line of one that is not in the order of the slots. */
  constructor(
    slots: UsedSlots,
    durations: Durations,
    recordOf: (executionId: string) => ExecutionRecord | undefined,
    behind: (record: ExecutionRecord) => number = () => 0,
  ) {
    this.#slots = slots;
    this.#durations = durations;
    this.#recordOf = recordOf;
    this.#behind = behind;
  }

  /** It has completed. */
  learn(record: ExecutionRecord): void {
    this.#durations.learn(functionKey(record), record.executionTimeMs);
  }

  /** Milliseconds from `now` to the likely end of an execution with this record; 0 when it has ended. */
  of(record: ExecutionRecord, now: number): number {
    if (isTerminal(record.status)) return 0;
    const deadline = Math.max(1, record.deadlines.total - now);
    return Math.min(deadline, Math.max(1, Math.round(this.likely(record, now))));
  }

  /** The same, whatever its deadline says. */
  likely(record: ExecutionRecord, now: number): number {
    const wait = record.status === 'pending' ? this.wait(record, now) : 0;
    return Math.min(longestMs, wait + this.#left(record, now));
  }

  /** Milliseconds that a run which begins now will likely take. */
  expected(record: ExecutionRecord | undefined): number {
    return record === undefined ? 0 : this.#durations.typical(functionKey(record));
  }

  #left(record: ExecutionRecord, now: number): number {
    const { startedAt = now } = record;
    return this.#durations.left(functionKey(record), Math.max(0, now - startedAt));
  }

  /** Milliseconds until one that waits likely runs. */
  wait(record: ExecutionRecord, now: number): number {
    const stored = this.#slots.waits(record.executionId) ? 0 : this.#behind(record);
    const slot = this.#slotWait(record, now, stored);
    const gates = this.#slots.gateWait(record.executionId, leafOf(record), this.expected(record), stored);
    return Math.min(longestMs, Math.max(slot, gates));
  }

  /**
   * Milliseconds until it has a slot. A start that was asked for later counts only where something is known of its
   * function: the guess for one without a history is a fixed number, which callers know.
   */
  #slotWait(record: ExecutionRecord, now: number, stored: number): number {
    const { executionId, deadlines } = record;
    const known = this.#durations.knows(functionKey(record));
    const startsIn = Math.max(0, (deadlines.startAt ?? 0) - now);
    const delay = known ? startsIn : 0;
    // It is not in the queue yet.
    if (startsIn > 0 && !known) return 0;
    const ahead = this.#slots.ahead(executionId, maxWaiting);
    if (ahead === undefined) return delay;
    const { keys } = ahead;
    const count = ahead.count + stored;
    if (count < this.#slots.total - this.#slots.running) return delay;
    if (count <= keys.length) return Math.max(delay, this.#look(keys, now).looked);
    let queue = this.#queue;
    if (queue === undefined || now < queue.takenAt || now - queue.takenAt > queueAgeMs) {
      queue = this.#look(keys, now);
      this.#queue = queue;
    }
    return Math.max(delay, queue.looked + (count - keys.length) * queue.each);
  }

  /** Gives each of `keys` the slot that is free first. */
  #look(keys: readonly string[], now: number): Queue {
    const { total, running } = this.#slots;
    const holders = this.#slots.holders(maxRunning).map((id) => this.#leftOf(id, now));
    const free = Math.min(Math.max(0, total - running), keys.length + 1);
    const ends = new TinyQueue([...holders, ...new Array<number>(free).fill(0)]);
    // Where not all that run are looked at, those that are have only their share of the queue to take.
    const share = Math.min(1, ends.length / Math.max(1, total));
    let sum = 0;
    let taken = 0;
    for (const [index, key] of keys.entries()) {
      const left = this.#leftOf(key, now);
      sum += left;
      if (index * share < taken) continue;
      taken += 1;
      ends.push((ends.pop() ?? 0) + left);
    }
    const mean = keys.length === 0 ? 0 : sum / keys.length;
    return { takenAt: now, looked: ends.peek() ?? 0, each: mean / Math.max(1, total) };
  }

  #leftOf(executionId: string, now: number): number {
    const record = this.#recordOf(executionId);
    return record === undefined
      ? 0
      : Math.min(this.#left(record, now), Math.max(0, record.deadlines.total - now));
  }
}

function functionKey(record: ExecutionRecord): string {
  return `${record.taskId}/${record.taskRevision}#${record.functionName}`;
}
