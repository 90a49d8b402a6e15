import type { DatabaseSync } from 'node:sqlite';
import type { NewEvent } from '../../../domain/event.ts';
import { assertNumbered } from '../../entry.ts';
import type { SpaceReserve } from '../../space-reserve.ts';
import { type CommitEntry, type CommitResult, StoreError } from '../../store.ts';
import { freeBytes } from '../retention/usage.ts';
import { type EncodedEntry, encodeEntry, encodeSegments } from './encoded-entry.ts';
import { type Inputs, noRoom } from './inputs.ts';
import type { Writes } from './writes.ts';

/** Entries on their way to the database: their inputs are written first, and those that wait for a record are known. */
export class Commits {
  readonly #db: DatabaseSync;
  readonly #writes: Writes;
  readonly #inputs: Inputs;
  readonly #reserve: SpaceReserve;
  /** Logs that wait for their record. */
  readonly #staged = new Set<string>();

  constructor(db: DatabaseSync, writes: Writes, inputs: Inputs, reserve: SpaceReserve) {
    this.#db = db;
    this.#writes = writes;
    this.#inputs = inputs;
    this.#reserve = reserve;
  }

  get lowSpace(): boolean {
    if (!this.#reserve.missing || !this.#db.isOpen) return false;
    try {
      return freeBytes(this.#db) < this.#reserve.bytes;
    } catch {
      // A database that cannot be asked has no room that is known of.
      return true;
    }
  }

  /** As the port's `commit`. */
  async commit(entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (const entry of entries) assertNumbered(entry);
    const prepared = this.#inputs.prepare(entries);
    const inputs = prepared instanceof Promise ? await this.#noticing(prepared) : prepared;
    try {
      const refused = new Set<number>();
      const encoded: EncodedEntry[] = [];
      for (const [index, entry] of entries.entries()) {
        const input = inputs?.[index];
        if (input === noRoom) refused.add(index);
        else encoded.push(encodeEntry(entry, input, this.#staged.has(entry.executionId)));
      }
      const results = refused.size > 0 && encoded.length === 0 ? [] : await this.#writes.commit(encoded);
      if (this.#staged.size > 0) this.#unmark(encoded, results);
      if (refused.size === 0) return [...results];
      const written = results.values();
      return entries.map((_, index) =>
        refused.has(index) ? { ok: false, conflict: 'space' } : (written.next().value as CommitResult),
      );
    } finally {
      this.#inputs.settled(inputs);
    }
  }

  /** Sends all entries or, where one of their inputs has no room, none. */
  async encoded<Result extends { readonly ok: boolean }>(
    entries: readonly CommitEntry[],
    send: (encoded: readonly EncodedEntry[]) => Promise<Result>,
  ): Promise<Result | { readonly ok: false; readonly conflict: 'space' }> {
    const prepared = this.#inputs.prepare(entries);
    const inputs = prepared instanceof Promise ? await this.#noticing(prepared) : prepared;
    try {
      if (inputs?.some((input) => input === noRoom)) return { ok: false, conflict: 'space' };
      const encoded = entries.map((entry, index) => {
        const input = inputs?.[index];
        return encodeEntry(entry, input === noRoom ? undefined : input, false);
      });
      return await send(encoded);
    } finally {
      this.#inputs.settled(inputs);
    }
  }

  /** As the port's `stage`. */
  async stage(executionId: string, events: readonly NewEvent[]): Promise<void> {
    const last = (events[0]?.sequence ?? 1) - 1;
    assertNumbered({ executionId, expectedLastSequence: last, events });
    // What room is left is for what was accepted.
    if (this.lowSpace) throw new StoreError('cannot stage a log: the disk is full');
    const segments = encodeSegments(events, last);
    const { floor } = this.#writes;
    this.#staged.add(executionId);
    const staged = await this.#writes.send('cannot stage a log', {
      kind: 'stage',
      executionId,
      segments,
      floor,
    });
    if (staged) return;
    this.#staged.delete(executionId);
    throw new StoreError(`cannot stage a log: there is an execution ${executionId}`);
  }

  async unstage(executionId: string): Promise<void> {
    await this.#writes.send('cannot unstage a log', { kind: 'unstage', executionId });
    this.#staged.delete(executionId);
  }

  /** Files fill a disk, too. */
  async #noticing<T>(writing: Promise<T>): Promise<T> {
    try {
      return await writing;
    } catch (error) {
      throw this.#writes.noticed(error);
    }
  }

  /** What has a record now is an execution like any other. */
  #unmark(entries: readonly EncodedEntry[], results: readonly CommitResult[]): void {
    for (const [index, { executionId, record }] of entries.entries()) {
      if (record !== undefined && results[index]?.ok === true) this.#staged.delete(executionId);
    }
  }
}
