import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ExecutionResult, StreamExecutionResult } from '../server/gen/spearlet/function_pb.js';
import { durationText } from './duration.ts';
import { sizeText } from './size.ts';

/** Where an execution stands between two of its events, or between two answers about it. */
export class LogStatus {
  #state: string;
  /** Unknown while the event that led here has not been among those that were asked for. */
  #since: number | undefined;
  #attempt: number;
  #outputBytes = 0;
  #createdAt: number | undefined;

  /** Of an answer, if there is one: how it stood when we began to look. */
  constructor(result?: Pick<ExecutionResult, 'state' | 'attempt' | 'createdAt'>) {
    this.#state = result?.state ?? '';
    this.#attempt = result?.attempt ?? 0;
    this.#createdAt = result?.createdAt === undefined ? undefined : timestampMs(result.createdAt);
  }

  take(event: StreamExecutionResult): void {
    if (event.event.case === 'chunk') this.#outputBytes += event.event.value.data.length;
    this.#enter(
      stateOf(event),
      event.attempt,
      event.time === undefined ? undefined : timestampMs(event.time),
    );
  }

  /** Of the next answer. It does not tell when its state began: about now, where the one before had another. */
  takeResult(result: ExecutionResult, now: number): void {
    this.#outputBytes = Number(result.outputBytes);
    if (result.createdAt !== undefined) this.#createdAt = timestampMs(result.createdAt);
    const wasSeenToBegin = this.#state !== '' && this.#state !== result.state;
    this.#enter(result.state, result.attempt, wasSeenToBegin ? now : undefined);
  }

  /**
   * `running.attempting for 12 s, attempt 2, 3.2 MiB of output`; `pending.queued, created 12 s ago` where nobody told
   * when the state began; `waiting for the server` before the first event.
   */
  text(now: number): string {
    if (this.#state === '') return 'waiting for the server';
    // By two clocks, ours and the server's.
    const parts = [`${this.#state}${this.#ageText(now)}`];
    if (this.#attempt > 1) parts.push(`attempt ${this.#attempt}`);
    if (this.#outputBytes > 0) parts.push(`${sizeText(this.#outputBytes)} of output`);
    return parts.join(', ');
  }

  #ageText(now: number): string {
    if (this.#since !== undefined) return ` for ${durationText(Math.max(0, now - this.#since))}`;
    if (this.#createdAt === undefined) return '';
    return `, created ${durationText(Math.max(0, now - this.#createdAt))} ago`;
  }

  #enter(state: string, attempt: number, since: number | undefined): void {
    if (state === '' || (state === this.#state && this.#since !== undefined)) return;
    this.#state = state;
    this.#since = since;
    this.#attempt = attempt;
  }
}

/** The state that an event leads to; empty for a chunk. */
export function stateOf({ event }: StreamExecutionResult): string {
  if (event.case === 'transition') return event.value.to;
  return event.case === 'result' ? event.value.state : '';
}

/** Output that ends in the middle of a line. */
export function opensLine({ event }: StreamExecutionResult): boolean {
  return event.case === 'chunk' && event.value.data.at(-1) !== 0x0a;
}
