import { type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StoreError } from '../../store.ts';

/**
 * Whether the files that SQLite holds open are still those of the data folder. Of a file that was deleted, replaced or
 * mounted over it takes writes as before, and the next start finds none of them; without its lock, another server may
 * have begun to write it, too.
 */
export class LockFile {
  readonly #files: readonly { readonly path: string; readonly was: Stats | undefined }[];

  /** Made when the database is open, with its log. */
  constructor(path: string) {
    // The folder, too: what another has in its place may be links to these files.
    this.#files = [path, `${path}-wal`, join(dirname(path), 'lock.db'), dirname(path)].map((file) => ({
      path: file,
      was: found(file),
    }));
  }

  /** Throws StoreError; until the file is back, where it was only moved. */
  assert(what: string): void {
    for (const { path, was } of this.#files) {
      const is = found(path);
      if (is?.ino === was?.ino && is?.dev === was?.dev) continue;
      const now = is === undefined ? 'is no longer there' : 'is another file than the one that is open';
      throw new StoreError(
        `${what}: ${path} ${now}; put it back where it was only moved, else start the server again on what is to go on`,
      );
    }
  }
}

function found(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}
