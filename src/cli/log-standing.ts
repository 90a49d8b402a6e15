import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { ExecutionResult, StreamExecutionResult } from '../server/gen/spearlet/function_pb.js';
import { durationText } from './duration.ts';
import { sizeText } from './size.ts';

/** Where an execution stands between two of its events, or between two answers about it. */
export class LogStanding {
  #state: string;
  /** Unknown while the event that led here has not been among those that were asked for. */
  #since: number | undefined;
  #attempt: number;
  #outputBytes = 0;

  constructor({ state = '', attempt = 0 }: Partial<Pick<ExecutionResult, 'state' | 'attempt'>> = {}) {
    this.#state = state;
    this.#attempt = attempt;
  }

  take(event: StreamExecutionResult): void {
    if (event.event.case === 'chunk') this.#outputBytes += event.event.value.data.length;
    this.#enter(
      stateOf(event),
      event.attempt,
      event.time === undefined ? undefined : timestampMs(event.time),
    );
  }

  /** Of an answer, whose state began at an instant that it does not tell. */
  takeResult(result: ExecutionResult, now: number): void {
    this.#outputBytes = Number(result.outputBytes);
    this.#enter(result.state, result.attempt, now);
  }

  /** `running.attempting for 12 s, attempt 2, 3.2 MiB of output`; `waiting for the server` before the first event. */
  text(now: number): string {
    if (this.#state === '') return 'waiting for the server';
    // By two clocks, ours and the server's.
    const age = this.#since === undefined ? '' : ` for ${durationText(Math.max(0, now - this.#since))}`;
    const parts = [`${this.#state}${age}`];
    if (this.#attempt > 1) parts.push(`attempt ${this.#attempt}`);
    if (this.#outputBytes > 0) parts.push(`${sizeText(this.#outputBytes)} of output`);
    return parts.join(', ');
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
