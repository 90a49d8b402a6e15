import { readSync, writeSync } from 'node:fs';
import type { Entry } from './anchor.ts';
import { FileHandle, type Handles } from './handles.ts';
import { type Access, hostFlags } from './open-flags.ts';
import { attempt } from './os-error.ts';
import { FileError, type FileFlags, maxTransfer, type OpenFile } from './port.ts';

/** Milliseconds between two looks: the first, and the longest that doubling comes to. */
const firstWait = 1;
const longestWait = 16;

/** A FIFO. It waits as a blocking one does, but never in a system call: a thread that waits here can be ended. */
export class Fifo extends FileHandle implements OpenFile {
  readonly kind = 'file';
  readonly type = 'fifo';
  readonly #access: Access;
  #flags: FileFlags;
  /** The byte by which the open saw that there is a writer. */
  #early: Uint8Array = new Uint8Array();

  private constructor(fd: number, handles: Handles, access: Access, flags: FileFlags) {
    super(fd, handles);
    this.#access = access;
    this.#flags = flags;
  }

  /** Waits until somebody has the other end open, unless `nonblock`: then no reader is ENXIO, no writer is none. */
  static open(entry: Entry, handles: Handles, access: Access, flags: FileFlags): Fifo {
    const wanted = hostFlags(access, { ...flags, append: false });
    const fd = flags.nonblock ? entry.open(wanted) : waitFor('ENXIO', () => entry.open(wanted));
    const fifo = new Fifo(fd, handles, access, flags);
    if (access.read && !access.write && !flags.nonblock) fifo.#awaitWriter();
    return fifo;
  }

  get readable(): boolean {
    return this.#access.read;
  }

  get writable(): boolean {
    return this.#access.write;
  }

  get flags(): FileFlags {
    return this.#flags;
  }

  setFlags(flags: FileFlags): void {
    this.#flags = flags;
  }

  reopen(): OpenFile {
    throw new FileError('ENOTSUP');
  }

  read(into: Uint8Array): number {
    const { fd } = this;
    if (!this.#access.read) throw new FileError('EBADF');
    if (into.length === 0) return 0;
    if (this.#early.length > 0) {
      into.set(this.#early);
      const count = this.#early.length;
      this.#early = new Uint8Array();
      return count;
    }
    return this.#waiting(() => readSync(fd, into, 0, Math.min(into.length, maxTransfer), null));
  }

  write(bytes: Uint8Array): number {
    const { fd } = this;
    if (!this.#access.write) throw new FileError('EBADF');
    return this.#waiting(() => writeSync(fd, bytes, 0, Math.min(bytes.length, maxTransfer), null));
  }

  pread(): number {
    return noSeek();
  }

  pwrite(): number {
    return noSeek();
  }

  seek(): bigint {
    return noSeek();
  }

  tell(): bigint {
    return noSeek();
  }

  truncate(): void {
    throw new FileError('EINVAL');
  }

  allocate(): void {
    noSeek();
  }

  advise(): void {
    noSeek();
  }

  #waiting(call: () => number): number {
    return this.#flags.nonblock ? attempt(call) : waitFor('EAGAIN', call);
  }

  /** A read finds the end of the file for as long as nobody has it open for writing. */
  #awaitWriter(): void {
    const { fd } = this;
    const byte = new Uint8Array(1);
    for (let wait = firstWait; ; wait = longer(wait)) {
      try {
        if (attempt(() => readSync(fd, byte, 0, 1, null)) === 1) {
          this.#early = byte;
          return;
        }
      } catch (error) {
        if (error instanceof FileError && error.errno === 'EAGAIN') return;
        throw error;
      }
      sleep(wait);
    }
  }
}

function noSeek(): never {
  throw new FileError('ESPIPE');
}

function waitFor(errno: 'EAGAIN' | 'ENXIO', call: () => number): number {
  for (let wait = firstWait; ; wait = longer(wait)) {
    try {
      return attempt(call);
    } catch (error) {
      if (!(error instanceof FileError) || error.errno !== errno) throw error;
    }
    sleep(wait);
  }
}

function longer(wait: number): number {
  return Math.min(2 * wait, longestWait);
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
