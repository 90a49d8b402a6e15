import { type CommitEntry, type CommitResult, Fenced, InDoubtError, StoreError } from '../../store.ts';
import { isRefusal, mayGoAgain, sqlStateOf, storeFailure, undoneCode } from '../engine/failure.ts';
import { NotSent, type Session } from '../engine/session.ts';
import type { BatchChange } from './batch-arrays.ts';
import { allOf, commitStatement, decodeAnswer, type EncodedCommit, encodeCommit } from './encoded-commit.ts';
import { encodePlain, type PlainCommit, plainStatement } from './plain-commit.ts';

interface Numbered {
  readonly no: number;
  /** The position of its first event. */
  readonly base: number;
  readonly staging: boolean;
  readonly entries: readonly CommitEntry[];
  readonly batch: BatchChange | undefined;
  /** Absent where it hangs on more than what the shorter function knows. */
  readonly plain: PlainCommit | undefined;
  /** Made where it is needed. */
  encoded?: EncodedCommit;
}

/** With which the shorter function does nothing: unique_violation, serialization_failure, deadlock_detected, and its own. */
const insteadCodes = ['23505', '40001', '40P01', 'SP005'];

/** A batch was not made; its message is what was in the way, as JSON. */
export class UndoneError extends Error {}

/**
 * Commits of one incarnation, one at a time and each with its number. One whose answer was lost is made again under the
 * same number before any other: the engine then either says what it had said, or does it.
 */
export class Commits {
  readonly #session: Session;
  readonly #me: number;
  readonly #staged = new Set<string>();
  /** Results of commits that were in doubt, for who asks again. */
  readonly #found = new WeakMap<readonly CommitEntry[], CommitResult[]>();
  #last: Promise<unknown> = Promise.resolve();
  #no = 0;
  #next: number;
  #inDoubt: Numbered | undefined;
  #written = 0;

  constructor(session: Session, me: number, next: number) {
    this.#session = session;
    this.#me = me;
    this.#next = next;
  }

  /** Bytes of logs and inputs that were committed; never less. */
  get written(): number {
    return this.#written;
  }

  /** `batch` is made with its members, or nothing is: what is in the way of it is thrown as UndoneError. */
  commit(entries: readonly CommitEntry[], staging = false, batch?: BatchChange): Promise<CommitResult[]> {
    const done = this.#last.then(() => this.#commit(entries, staging, batch));
    this.#last = done.catch(() => {});
    return done;
  }

  /** Every event from now on has a later position: positions grow along a log, whoever has written it. */
  advance(position: number): void {
    this.#next = Math.max(this.#next, position + 1);
  }

  /** The log of that execution is no longer staged. */
  dropped(executionId: string): void {
    this.#staged.delete(executionId);
  }

  async #commit(
    entries: readonly CommitEntry[],
    staging: boolean,
    batch: BatchChange | undefined,
  ): Promise<CommitResult[]> {
    if (this.#inDoubt !== undefined) {
      const { entries: before } = this.#inDoubt;
      this.#found.set(before, await this.#make(this.#inDoubt));
    }
    const found = this.#found.get(entries);
    if (found !== undefined) {
      this.#found.delete(entries);
      return found;
    }
    const base = this.#next;
    const plain =
      staging || batch !== undefined ? undefined : encodePlain(entries, (id) => this.#staged.has(id), base);
    return this.#make({ no: this.#no + 1, base, staging, entries, batch, plain });
  }

  async #make(commit: Numbered): Promise<CommitResult[]> {
    const { no, base, staging, entries, plain } = commit;
    const { results, next, bytes } =
      plain !== undefined && (await this.#isMade(commit, plain))
        ? { ...allOf(entries, base), bytes: plain.bytes }
        : await this.#ask(commit);
    this.#inDoubt = undefined;
    this.#no = no;
    this.#next = Math.max(this.#next, next);
    this.#written += bytes;
    for (const [index, { executionId, record }] of entries.entries()) {
      if (results[index]?.ok !== true) continue;
      if (staging) this.#staged.add(executionId);
      else if (record !== undefined) this.#staged.delete(executionId);
    }
    return results;
  }

  /** By the shorter function: all of it is made, or nothing was. */
  async #isMade(commit: Numbered, { values }: PlainCommit): Promise<boolean> {
    try {
      const [row] = await this.#session.run({ ...plainStatement, values: [this.#me, commit.no, ...values] });
      return row?.done === true;
    } catch (error) {
      if (isRefusal(error) && insteadCodes.includes(sqlStateOf(error) ?? '')) return false;
      throw this.#failure(commit, error);
    }
  }

  async #ask(
    commit: Numbered,
  ): Promise<{ readonly results: CommitResult[]; readonly next: number; readonly bytes: number }> {
    const { no, base, staging, entries, batch } = commit;
    commit.encoded ??= encodeCommit(entries, (id) => this.#staged.has(id), batch);
    const { encoded } = commit;
    const values = [this.#me, no, base, staging, ...encoded.values];
    let answer: unknown;
    for (let tries = 1; answer === undefined; tries++) {
      try {
        const [row] = await this.#session.run({ ...commitStatement, values });
        answer = row?.answer;
      } catch (error) {
        if (mayGoAgain(error) && tries < 5) continue;
        throw this.#failure(commit, error);
      }
    }
    return { ...decodeAnswer(String(answer), encoded, base), bytes: encoded.bytes };
  }

  #failure(commit: Numbered, error: unknown): Error {
    const what = 'cannot commit';
    const was = this.#inDoubt === commit;
    if (error instanceof NotSent) {
      const cause = error.cause;
      return was ? new InDoubtError(`${what}: ${error.message}`, { cause }) : storeFailure(what, cause);
    }
    if (sqlStateOf(error) === undoneCode) {
      this.#inDoubt = undefined;
      return new UndoneError(error instanceof Error ? error.message : '');
    }
    const failure = storeFailure(what, error);
    if (failure instanceof Fenced || error instanceof StoreError) return failure;
    // Of one in doubt it may be only the question that was refused.
    if (isRefusal(error) && !was) return failure;
    this.#inDoubt = commit;
    return new InDoubtError(failure.message, { cause: error });
  }
}
