import type { DatabaseSync } from 'node:sqlite';
import type { LogEvent } from '../../../domain/event.ts';
import { StoreError } from '../../store.ts';
import { guardReading } from '../file/failure.ts';
import { ReadTurn } from './read-turn.ts';

/**
 * How the caller's thread reads: what SQLite throws becomes a StoreError that says what could not be done, a closed
 * store says so, and what costs rows or bytes waits for its turn of the event loop.
 */
export class Reading {
  readonly #db: DatabaseSync;
  readonly #turn = new ReadTurn();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** At once, for what costs next to nothing. Throws StoreError. */
  now<T>(what: string, work: () => T): T {
    if (!this.#db.isOpen) throw new StoreError(`${what}: the store is closed`);
    return guardReading(what, work);
  }

  /** A row by its key, of which somebody may ask for very many. */
  async one<T>(what: string, work: () => T): Promise<T> {
    if (this.#turn.isOver) await this.#turn.begin();
    this.#turn.spendRows(1);
    return this.now(what, work);
  }

  async list<T>(what: string, work: () => T[]): Promise<T[]> {
    await this.#turn.begin();
    const found = this.now(what, work);
    // What finds nothing has looked, too.
    this.#turn.spendRows(found.length + 1);
    return found;
  }

  async page(what: string, work: () => LogEvent[]): Promise<LogEvent[]> {
    await this.#turn.begin();
    const page = this.now(what, work);
    this.#turn.spend(page);
    return page;
  }
}
