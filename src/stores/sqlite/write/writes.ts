import type { DatabaseSync } from 'node:sqlite';
import type { SpaceReserve } from '../../space-reserve.ts';
import { type CommitResult, StoreError } from '../../store.ts';
import { guardSqlite, isBusy, isFull } from '../file/failure.ts';
import type { HighWater } from '../file/high-water.ts';
import type { LockFile } from '../file/lock-file.ts';
import { CommitPace } from './commit-pace.ts';
import { Committer } from './committer.ts';
import type { EncodedEntry } from './encoded-entry.ts';
import type { Writer } from './writer.ts';
import type { WriterAnswers, WriterRequest } from './writer-protocol.ts';

/** A commit of so few entries may run on the caller's thread, … */
const fewEntries = 2;
/** … none of which has more bytes than this. */
const smallBytes = 4096;
/** The writer copies the log into the database after so many of them: that takes long enough to be felt. */
const commitsPerCheckpoint = 200;

function isSmall({ segments, input, rows = [] }: EncodedEntry): boolean {
  const bytes = (part: Uint8Array | null | undefined): number => part?.byteLength ?? 0;
  if (rows.some((row) => 'value' in row && row.value.length > smallBytes)) return false;
  return bytes(input?.input) <= smallBytes && segments.every(({ data }) => bytes(data) <= smallBytes);
}

/**
 * The way of every write: to the writer's thread, so that no sync of the disk blocks the caller, but for commits of a
 * few small entries at a time where the disk is quick. A write that finds the disk full gives up the reserve, so that
 * the next ones have room.
 */
export class Writes {
  readonly #db: DatabaseSync;
  readonly #writer: Writer;
  readonly #reserve: SpaceReserve;
  readonly #lockFile: LockFile;
  readonly #highWater: HighWater;
  readonly #committer: Committer;
  readonly #pace = new CommitPace();
  #sinceCheckpoint = 0;

  constructor(
    db: DatabaseSync,
    writer: Writer,
    reserve: SpaceReserve,
    lockFile: LockFile,
    highWater: HighWater,
  ) {
    this.#db = db;
    this.#writer = writer;
    this.#reserve = reserve;
    this.#lockFile = lockFile;
    this.#highWater = highWater;
    this.#committer = new Committer(db);
  }

  /** The first position that may be free, as far as this thread knows. */
  get floor(): number {
    return this.#committer.nextPosition;
  }

  commit(entries: readonly EncodedEntry[]): Promise<readonly CommitResult[]> {
    const here = this.#mayCommitHere(entries) ? this.#commitHere(entries) : undefined;
    if (here !== undefined) return Promise.resolve(here);
    return this.send('cannot commit', { kind: 'commit', entries, floor: this.floor });
  }

  async send<Request extends WriterRequest>(
    what: string,
    request: Request,
  ): Promise<WriterAnswers[Request['kind']]> {
    this.#lockFile.assert(what);
    try {
      const answer = await this.#writer.send(what, request);
      if (request.kind === 'delete' || request.kind === 'dropBatch' || request.kind === 'retain')
        this.#committer.forget();
      return answer;
    } catch (error) {
      throw this.noticed(error);
    }
  }

  /** What a write, also of a file beside the database, was rejected with; gives up the reserve where that is a full disk. */
  noticed(error: unknown): unknown {
    if (!isFull(error) || this.#reserve.missing) return error;
    this.#reserve.release();
    // The first that needs the room is the database, for what the log holds; then the log begins anew in its own.
    this.#writer.checkpoint();
    return error;
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#highWater.close();
  }

  #mayCommitHere(entries: readonly EncodedEntry[]): boolean {
    // Whoever asks a medium that failed whether it works again may have to wait for the answer.
    if (entries.length === 0) return false;
    return entries.length <= fewEntries && this.#writer.idle && entries.every(isSmall) && this.#pace.allows();
  }

  /**
   * Two thread hops cost more than a quick sync of the disk, where hardly anything waits for this thread. Undefined
   * where somebody else holds the database: the writer can wait for that.
   */
  #commitHere(entries: readonly EncodedEntry[]): readonly CommitResult[] | undefined {
    if (!this.#db.isOpen) throw new StoreError('cannot commit: the store is closed');
    this.#lockFile.assert('cannot commit');
    const start = performance.now();
    let results: readonly CommitResult[];
    try {
      results = guardSqlite('cannot commit', () =>
        this.#committer.commit(entries, this.#writer.nextPosition),
      );
    } catch (error) {
      if (!(error instanceof StoreError && isBusy(error.cause))) throw this.noticed(error);
      this.#pace.rest();
      return undefined;
    }
    this.#highWater.write({ next: this.#committer.nextPosition, changes: this.#writer.changes });
    this.#pace.took(performance.now() - start);
    if (++this.#sinceCheckpoint >= commitsPerCheckpoint) {
      this.#sinceCheckpoint = 0;
      this.#writer.checkpoint();
    }
    return results;
  }
}
