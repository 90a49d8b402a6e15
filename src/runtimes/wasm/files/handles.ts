import { type BigIntStats, closeSync, fdatasyncSync, fstatSync, fsyncSync, futimesSync } from 'node:fs';
import { attempt } from './os-error.ts';
import { FileError, type FileStat, type NewTime } from './port.ts';
import { statOf } from './stat.ts';
import { timesToSet } from './times.ts';

interface Closable {
  close(): void;
}

/** All that one guest has open, and how much that may be. */
export class Handles {
  readonly #most: number;
  readonly #open = new Set<Closable>();

  constructor(most: number) {
    this.#most = most;
  }

  /** @throws FileError, EMFILE, where one more would be too many */
  checkRoom(): void {
    if (this.#open.size >= this.#most) throw new FileError('EMFILE');
  }

  add(handle: Closable): void {
    this.#open.add(handle);
  }

  remove(handle: Closable): void {
    this.#open.delete(handle);
  }

  closeAll(): void {
    for (const handle of [...this.#open]) {
      try {
        handle.close();
      } catch {
        // The descriptor is gone even so, and there is nobody left to tell.
      }
    }
  }
}

/** What every file has that is open by a descriptor of its own. */
export class FileHandle {
  readonly handles: Handles;
  #fd: number | undefined;

  constructor(fd: number, handles: Handles) {
    this.#fd = fd;
    this.handles = handles;
    handles.add(this);
  }

  /** @throws FileError, EBADF, once it is closed */
  get fd(): number {
    if (this.#fd === undefined) throw new FileError('EBADF');
    return this.#fd;
  }

  /** Goes on with another descriptor of the same file. */
  protected replace(fd: number): void {
    closeSync(this.fd);
    this.#fd = fd;
  }

  protected stats(): BigIntStats {
    const { fd } = this;
    return attempt(() => fstatSync(fd, { bigint: true }));
  }

  stat(): FileStat {
    return statOf(this.stats());
  }

  setTimes(accessed: NewTime, modified: NewTime): void {
    const { fd } = this;
    const times = timesToSet(accessed, modified, () => this.stat());
    attempt(() => futimesSync(fd, ...times));
  }

  sync(): void {
    const { fd } = this;
    attempt(() => fsyncSync(fd));
  }

  datasync(): void {
    const { fd } = this;
    attempt(() => fdatasyncSync(fd));
  }

  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    this.handles.remove(this);
    attempt(() => closeSync(fd));
  }
}
