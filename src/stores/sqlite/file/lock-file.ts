import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StoreError } from '../../store.ts';

/**
 * A folder says by its times that nothing in it was made, moved or deleted. They go on in steps, of two seconds at most
 * (https://git-scm.com/docs/racy-git has the same trouble): a look so many milliseconds after its times were first seen
 * has seen all that happened at them.
 */
const settledMs = 2000;
/** What is mounted over a file changes nothing of its folder: all is looked at so often, in milliseconds. */
const allEveryMs = 1000;

/**
 * Whether the files that SQLite holds open are still those of the data folder. Of a file that was deleted, replaced or
 * mounted over it takes writes as before, and the next start finds none of them; without its lock, another server may
 * have begun to write it, too.
 *
 * It is asked before each write, so that it mostly looks at the folder alone.
 */
export class LockFile {
  readonly #files: readonly { readonly path: string; readonly was: Stats | undefined }[];
  readonly #folder: string;
  readonly #monotonic: () => number;
  /** None of the files is a link: what it leads to may be in a folder that says nothing here. */
  readonly #isPlain: boolean;
  /** The folder, when its times were first seen, and when all was looked at last. */
  #seen: { readonly folder: Stats; readonly since: number; readonly at: number } | undefined;

  /** Made when the database is open, with its log. */
  constructor(path: string, monotonic = () => performance.now()) {
    this.#folder = dirname(path);
    this.#monotonic = monotonic;
    const files = [path, `${path}-wal`, join(this.#folder, 'lock.db')];
    this.#isPlain = !files.some((file) => lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink());
    // The folder, too: what another has in its place may be links to these files.
    this.#files = [...files, this.#folder].map((file) => ({ path: file, was: found(file) }));
  }

  /** Throws StoreError; until the file is back, where it was only moved. */
  assert(what: string): void {
    const folder = found(this.#folder);
    const now = this.#monotonic();
    const before = folder !== undefined && isSame(folder, this.#seen?.folder) ? this.#seen : undefined;
    if (before !== undefined && before.at - before.since >= settledMs && now - before.at < allEveryMs) return;
    this.#seen = undefined;
    for (const { path, was } of this.#files) {
      const is = found(path);
      if (is?.ino === was?.ino && is?.dev === was?.dev) continue;
      const fault = is === undefined ? 'is no longer there' : 'is another file than the one that is open';
      throw new StoreError(
        `${what}: ${path} ${fault}; put it back where it was only moved, else start the server again on what is to go on`,
      );
    }
    if (folder !== undefined && this.#isPlain) {
      this.#seen = { folder, since: before?.since ?? now, at: now };
    }
  }
}

/** The same folder, in which nothing has changed as far as its times tell. */
function isSame(is: Stats, was: Stats | undefined): boolean {
  return (
    is.mtimeMs === was?.mtimeMs && is.ctimeMs === was.ctimeMs && is.ino === was.ino && is.dev === was.dev
  );
}

function found(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
