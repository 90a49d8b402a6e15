import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Invocation } from '../../../domain/execution.ts';
import type { ArtifactFiles } from '../../artifacts.ts';
import { emptyInvocation, isEmptyInvocation } from '../../invocation.ts';
import { NoSpareRoom } from '../../space-reserve.ts';
import type { CommitEntry } from '../../store.ts';
import { assertInput, type InputRow } from '../read/row.ts';

/** Above this many bytes a part of an invocation is a file, so that it does not go through the WAL twice. */
const maxRowBytes = 256 * 1024;

/** Stands for an input whose file would take room that is kept. */
export const noRoom = Symbol('no room');

type Prepared = StoredInput | typeof noRoom;

/** An invocation ready for its row: what is large has been written to its file. */
export interface StoredInput {
  readonly invocation: string | null;
  readonly invocationSha256: string | null;
  readonly input: Uint8Array | null;
  readonly inputSha256: string | null;
}

/**
 * The invocations of executions. Equal large parts share a file. It is held while a commit that names it is under way;
 * then it goes with the last row that names it, or by the sweep where a conflict or a crash left none.
 */
export class Inputs {
  readonly #files: ArtifactFiles;
  readonly #select: StatementSync;
  readonly #named: StatementSync;

  constructor(db: DatabaseSync, files: ArtifactFiles) {
    this.#files = files;
    this.#named = db.prepare(
      'SELECT 1 FROM inputs WHERE input_sha256 = ?1 UNION ALL SELECT 1 FROM inputs WHERE invocation_sha256 = ?1',
    );
    this.#select = db.prepare(
      `SELECT execution_id, invocation, invocation_sha256, input, input_sha256, checksum
       FROM inputs WHERE execution_id = ?`,
    );
  }

  /**
   * What is to be inserted for each entry; undefined where no entry has anything. Only large parts make it wait.
   * `settled` is to be called with the answer after the commit. Rejects with StoreError, with nothing held.
   */
  prepare(
    entries: readonly CommitEntry[],
  ): readonly (Prepared | undefined)[] | Promise<readonly (Prepared | undefined)[]> | undefined {
    let stored: (StoredInput | Promise<StoredInput>)[] | undefined;
    let large = false;
    for (const [index, { input }] of entries.entries()) {
      if (input === undefined || isEmptyInvocation(input)) continue;
      stored ??= new Array(entries.length);
      const one = this.#prepareOne(input);
      large ||= one instanceof Promise;
      stored[index] = one;
    }
    return large ? this.#all(stored ?? []) : (stored as StoredInput[] | undefined);
  }

  /** The commit of what `prepare` gave has ended, in whatever way. */
  settled(stored: readonly (Prepared | undefined)[] | undefined): void {
    for (const input of stored ?? []) {
      if (input === undefined || input === noRoom) continue;
      for (const sha256 of [input.invocationSha256, input.inputSha256]) {
        if (sha256 !== null) this.#files.free(sha256);
      }
    }
  }

  /** Whether an execution needs the file. Throws what SQLite throws. */
  names(sha256: string): boolean {
    return this.#named.get(sha256) !== undefined;
  }

  async #all(stored: readonly (StoredInput | Promise<StoredInput>)[]): Promise<readonly Prepared[]> {
    const all = await Promise.allSettled(stored.map(unlessNoRoom));
    const failed = all.find((one) => one.status === 'rejected');
    if (failed === undefined) return all.map((one) => (one as PromiseFulfilledResult<Prepared>).value);
    this.settled(all.map((one) => (one.status === 'fulfilled' ? one.value : undefined)));
    throw failed.reason;
  }

  #prepareOne(invocation: Invocation): StoredInput | Promise<StoredInput> {
    const { input, ...rest } = invocation;
    const text = JSON.stringify(rest);
    const largeText = text.length > maxRowBytes;
    const largeInput = input.byteLength > maxRowBytes;
    if (!largeText && !largeInput) {
      return { invocation: text, invocationSha256: null, input, inputSha256: null };
    }
    return (async () => {
      const textFile = largeText ? await this.#files.hold(Buffer.from(text)) : undefined;
      try {
        const inputFile = largeInput ? await this.#files.hold(input) : undefined;
        return {
          invocation: largeText ? null : text,
          invocationSha256: textFile?.sha256 ?? null,
          input: largeInput ? null : input,
          inputSha256: inputFile?.sha256 ?? null,
        };
      } catch (error) {
        if (textFile !== undefined) this.#files.free(textFile.sha256);
        throw error;
      }
    })();
  }

  /** Of an execution that is known: the empty invocation where it has no row. Throws what SQLite throws. */
  load(executionId: string): Promise<Invocation> {
    const row = this.#select.get(executionId) as InputRow | undefined;
    return row === undefined ? Promise.resolve(emptyInvocation()) : this.#assemble(row);
  }

  async #assemble(row: InputRow): Promise<Invocation> {
    assertInput(row);
    const text =
      row.invocation ?? Buffer.from(await this.#files.load(row.invocation_sha256 ?? '')).toString('utf8');
    const input = row.input ?? (await this.#files.load(row.input_sha256 ?? ''));
    return { ...(JSON.parse(text) as Omit<Invocation, 'input'>), input };
  }
}

async function unlessNoRoom(input: StoredInput | Promise<StoredInput>): Promise<Prepared> {
  try {
    return await input;
  } catch (error) {
    if (error instanceof NoSpareRoom) return noRoom;
    throw error;
  }
}
