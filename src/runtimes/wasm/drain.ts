import { type RingMemory, RingReader, type RingRecord } from './ring.ts';

/** Read from a thread in one turn of the event loop. */
const drainBytes = 256 * 1024;

/** Handles a record; a promise means no more until it resolves. */
type Take = (record: RingRecord) => Promise<void> | undefined;

/** Hands on what a ring holds, record by record, at the pace of whoever takes it. */
export class Drain {
  readonly #reader: RingReader;
  readonly #take: Take;
  readonly #onEmpty: () => void;
  #blocked = false;

  /** @param onEmpty called whenever the end of the ring was reached */
  constructor(memory: RingMemory, take: Take, onEmpty: () => void) {
    this.#reader = new RingReader(memory);
    this.#take = take;
    this.#onEmpty = onEmpty;
  }

  /**
   * Reads until the end of the ring or until whoever takes the output asks to wait. A guest that writes as fast as
   * it is read would never let this end, so it goes on in a later turn of the event loop.
   */
  run(): void {
    if (this.#blocked) return;
    this.#reader.hush();
    let budget = drainBytes;
    for (let record = this.#reader.next(); record !== undefined; record = this.#reader.next()) {
      const wait = this.#take(record);
      budget -= record.data.length;
      if (wait !== undefined || budget <= 0) {
        this.#blocked = true;
        if (wait === undefined) setImmediate(() => this.#goOn());
        else void wait.then(() => this.#goOn());
        return;
      }
      this.#reader.release();
    }
    this.#onEmpty();
  }

  #goOn(): void {
    this.#blocked = false;
    this.#reader.release();
    this.run();
  }
}
