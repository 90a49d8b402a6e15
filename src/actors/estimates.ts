import { type ExecutionRecord, isTerminal } from '../domain/execution.ts';
import type { Slots } from './slots.ts';

const historyLength = 50;
/** Functions remembered; the one least recently completed goes first. */
const mostFunctions = 10_000;
/** The guess for a function without history, in milliseconds. */
const unknownDurationMs = 5000;

/** How long executions will take, from the last completed ones of the same function. */
export class Estimates {
  readonly #slots: Pick<Slots, 'queued' | 'total'>;
  readonly #durations = new Map<string, number[]>();

  constructor(slots: Pick<Slots, 'queued' | 'total'>) {
    this.#slots = slots;
  }

  /** It has completed. */
  learn(record: ExecutionRecord): void {
    const key = functionKey(record);
    const known = this.#durations.get(key) ?? [];
    this.#durations.delete(key);
    known.push(record.executionTimeMs);
    if (known.length > historyLength) known.shift();
    this.#durations.set(key, known);
    if (this.#durations.size > mostFunctions) {
      for (const oldest of this.#durations.keys()) {
        this.#durations.delete(oldest);
        break;
      }
    }
  }

  /** Milliseconds from `now` to the likely end of an execution with this record; 0 when it has ended. */
  of(record: ExecutionRecord, now: number): number {
    if (isTerminal(record.status)) return 0;
    const median = this.#median(functionKey(record));
    const remaining = Math.max(1, record.deadlines.total - now);
    if (median === undefined) return Math.min(remaining, unknownDurationMs);
    const ahead = record.status === 'pending' ? Math.ceil(this.#slots.queued / this.#slots.total) : 0;
    const wait = Math.max(0, (record.deadlines.startAt ?? 0) - now);
    return Math.min(remaining, Math.max(1, Math.round(wait + median * (1 + ahead))));
  }

  #median(key: string): number | undefined {
    const sorted = this.#durations.get(key)?.toSorted((a, b) => a - b);
    return sorted?.[Math.floor(sorted.length / 2)];
  }
}

function functionKey(record: ExecutionRecord): string {
  return `${record.taskId}/${record.taskRevision}#${record.functionName}`;
}
