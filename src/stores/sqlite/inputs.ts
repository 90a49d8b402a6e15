import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Invocation } from '../../domain/execution.ts';
import type { Artifacts } from '../artifacts.ts';
import { emptyInvocation, isEmptyInvocation } from '../invocation.ts';
import type { CommitEntry } from '../store.ts';

/** Above this many bytes a part of an invocation is a file, so that it does not go through the WAL twice. */
const maxRowBytes = 256 * 1024;

/** An invocation ready for its row: what is large has been written to its file. */
export interface StoredInput {
  readonly invocation: string | null;
  readonly invocationSha256: string | null;
  readonly input: Uint8Array | null;
  readonly inputSha256: string | null;
}

interface InputRow {
  readonly invocation: string | null;
  readonly invocation_sha256: string | null;
  readonly input: Uint8Array | null;
  readonly input_sha256: string | null;
}

/**
 * The invocations of executions. Equal large parts share a file, and a file may be left without a row by an
 * entry in conflict or a crash; so files are never deleted with a row, but by a sweep that removes those
 * which no row names and which are older than every commit under way.
 */
export class Inputs {
  readonly #files: Artifacts;
  readonly #select: StatementSync;

  constructor(db: DatabaseSync, files: Artifacts) {
    this.#files = files;
    this.#select = db.prepare(
      'SELECT invocation, invocation_sha256, input, input_sha256 FROM inputs WHERE execution_id = ?',
    );
  }

  /** What is to be inserted for each entry; undefined where no entry has anything. Only large parts make it wait. */
  prepare(
    entries: readonly CommitEntry[],
  ): readonly (StoredInput | undefined)[] | Promise<readonly (StoredInput | undefined)[]> | undefined {
    let stored: (StoredInput | Promise<StoredInput>)[] | undefined;
    let large = false;
    for (const [index, { input }] of entries.entries()) {
      if (input === undefined || isEmptyInvocation(input)) continue;
      stored ??= new Array(entries.length);
      const one = this.#prepareOne(input);
      large ||= one instanceof Promise;
      stored[index] = one;
    }
    return large ? Promise.all(stored ?? []) : (stored as StoredInput[] | undefined);
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
      const textFile = largeText ? await this.#files.put(Buffer.from(text)) : undefined;
      const inputFile = largeInput ? await this.#files.put(input) : undefined;
      return {
        invocation: largeText ? null : text,
        invocationSha256: textFile?.sha256 ?? null,
        input: largeInput ? null : input,
        inputSha256: inputFile?.sha256 ?? null,
      };
    })();
  }

  /** Of an execution that is known: the empty invocation where it has no row. Throws what SQLite throws. */
  load(executionId: string): Promise<Invocation> {
    const row = this.#select.get(executionId) as InputRow | undefined;
    return row === undefined ? Promise.resolve(emptyInvocation()) : this.#assemble(row);
  }

  async #assemble(row: InputRow): Promise<Invocation> {
    const text =
      row.invocation ?? Buffer.from(await this.#files.load(row.invocation_sha256 ?? '')).toString('utf8');
    const input = row.input ?? (await this.#files.load(row.input_sha256 ?? ''));
    return { ...(JSON.parse(text) as Omit<Invocation, 'input'>), input };
  }
}
