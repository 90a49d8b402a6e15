import type { NewEvent } from '../event.ts';
import { type ExecutionRecord, isTerminal } from '../execution.ts';
import { damaged } from './refusal.ts';

/** Holds the events of a document against its record: numbered without a gap (I3), sealed where it has ended (I4). */
export class LogCheck {
  readonly #record: ExecutionRecord;
  #last: NewEvent | undefined;
  #state = '';
  #bytes = 0;
  #chunks = 0;

  constructor(record: ExecutionRecord) {
    this.#record = record;
  }

  /** `line` is where the event stands. Throws a RequestError. */
  add(event: NewEvent, line: number): void {
    const { lastSequence, attempt } = this.#record;
    const last = this.#last;
    const wanted = (last?.sequence ?? 0) + 1;
    if (event.sequence !== wanted)
      throw damaged(line, `has event ${event.sequence} where ${wanted} should stand`);
    if (event.sequence > lastSequence) {
      throw damaged(line, `has event ${event.sequence}, and the record ends with ${lastSequence}`);
    }
    if (last === undefined && (event.kind !== 'transition' || event.from !== '')) {
      throw damaged(line, 'has a first event that is not the admission');
    }
    if (last !== undefined && event.time < last.time) {
      throw damaged(line, `has event ${event.sequence}, which is older than the one before`);
    }
    if (event.attempt > attempt || event.attempt < (last?.attempt ?? 0)) {
      throw damaged(line, `has event ${event.sequence} of attempt ${event.attempt}, which does not fit`);
    }
    const sealed = event.kind === 'result';
    if (sealed !== (event.sequence === lastSequence && isTerminal(this.#record.status))) {
      throw damaged(line, `has event ${event.sequence}, and the result is the last event of what has ended`);
    }
    if (event.kind === 'transition') this.#state = event.to;
    if (event.kind === 'chunk') {
      this.#bytes += event.data.byteLength;
      this.#chunks += 1;
    }
    this.#last = event;
  }

  /** Throws a RequestError where the log is not all that the record says. */
  end(line: number): void {
    const { lastSequence, status, state, attempt, outputBytes, outputEvents } = this.#record;
    const last = this.#last;
    if (last?.sequence !== lastSequence) {
      throw damaged(line, `follows event ${last?.sequence ?? 0}, and the record ends with ${lastSequence}`);
    }
    if (
      last.status !== status ||
      last.attempt !== attempt ||
      (last.kind !== 'result' && this.#state !== state)
    ) {
      throw damaged(
        line,
        `the log ends in ${this.#state}, attempt ${last.attempt}, and the record in ${state}`,
      );
    }
    if (this.#bytes !== outputBytes || this.#chunks !== outputEvents) {
      throw damaged(
        line,
        `the log has ${this.#bytes} bytes of output in ${this.#chunks} chunks, and the record ${outputBytes} in ${outputEvents}`,
      );
    }
  }
}
