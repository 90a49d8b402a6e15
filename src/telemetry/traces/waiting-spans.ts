/** Spans that wait to be sent, kept as text, and beyond a bound as ids of which they are made of the store again. */
import type { Clock, Timer } from '../../domain/clock.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { ExecutionTrace } from '../../domain/trace.ts';
import { type EndedLog, executionSpans } from './execution-spans.ts';

/** Executions whose spans wait, … */
const mostWaiting = 32_768;
/** … and characters of these that are kept in memory: a byte each, or two where a text has what is not Latin. */
const mostKept = 16 * 1024 * 1024;
/** As it was committed. */
interface Fresh {
  readonly record: ExecutionRecord;
  readonly trace: ExecutionTrace;
  /** Undefined where it is in the store alone. */
  readonly log: EndedLog | undefined;
  /** Of its result. */
  readonly position: number;
}

interface Ended {
  readonly executionId: string;
  readonly position: number;
  /** Undefined where they are to be made of the store. */
  readonly spans: Spans | undefined;
}

export interface Spans {
  /** With commas between. */
  readonly text: string;
  readonly count: number;
}

export class WaitingSpans {
  readonly #clock: Clock;
  readonly #came: () => void;
  readonly #fresh: Fresh[] = [];
  readonly #waiting: Ended[] = [];
  /** Characters of those that wait. */
  #kept = 0;
  #writing: Timer | undefined;

  /** `came` hears that there are some to send. */
  constructor(clock: Clock, came: () => void) {
    this.#clock = clock;
    this.#came = came;
  }

  /** Executions. */
  get size(): number {
    return this.#waiting.length + this.#fresh.length;
  }

  /** Of these, those that can be sent. */
  get written(): number {
    return this.#waiting.length;
  }

  get isFull(): boolean {
    return this.size >= mostWaiting;
  }

  /** Of the first; undefined where none waits. */
  get position(): number | undefined {
    return (this.#waiting[0] ?? this.#fresh[0])?.position;
  }

  add(ended: Fresh): void {
    this.#fresh.push(ended);
    // Those that a commit brings are written together, once whoever waits for it has heard.
    this.#writing ??= this.#clock.setTimer(0, () => this.write());
  }

  /** What is in memory of those that have just ended becomes text. */
  write(): void {
    this.#writing?.cancel();
    this.#writing = undefined;
    for (const { record, trace, log, position } of this.#fresh.splice(0)) {
      const hasRoom = log !== undefined && this.#kept < mostKept;
      const spans = hasRoom ? writtenSpans(record, trace, log) : undefined;
      this.#kept += spans?.text.length ?? 0;
      this.#waiting.push({ executionId: record.executionId, position, spans });
    }
    if (this.#waiting.length > 0) this.#came();
  }

  /** From 0 up to `written`. */
  at(place: number): Ended {
    return this.#waiting[place] as Ended;
  }

  /** The first ones need not wait any more. */
  take(count: number): void {
    for (const { spans } of this.#waiting.splice(0, count)) this.#kept -= spans?.text.length ?? 0;
  }
}

export function writtenSpans(record: ExecutionRecord, trace: ExecutionTrace, log: EndedLog): Spans {
  const spans = executionSpans(record, trace, log);
  return { text: spans.map((span) => JSON.stringify(span)).join(), count: spans.length };
}

/** Undefined where not all of it is in this commit. */
export function wholeLog(events: readonly NewEvent[]): EndedLog | undefined {
  if (events[0]?.sequence !== 1) return undefined;
  return {
    transitions: events.filter((event) => event.kind === 'transition'),
    refusals: events.filter((event) => event.kind === 'refusal'),
    lastTime: events.at(-1)?.time ?? 0,
  };
}
