import { type Dir, lstatSync, opendirSync } from 'node:fs';
import type { Anchor } from './anchor.ts';
import { attempt } from './os-error.ts';
import { type DirectoryEntry, FileError } from './port.ts';
import { typeOf } from './stat.ts';

/** Entries that are read from the system at a time. */
const batch = 128;

/** `.` and `..`, which Node leaves out. */
const dots = [Buffer.from('.'), Buffer.from('..')] as const;
const firstOwn = BigInt(dots.length);

/**
 * Goes through a directory as its entries are asked for; cookies are numbers of entries. It goes on where it
 * stands, and gives the last entry again; any other cookie begins anew and skips.
 */
export class Listing {
  readonly #anchor: Anchor;
  #dir: Dir | undefined;
  #next = firstOwn;
  #last: DirectoryEntry | undefined;
  #ended = false;

  constructor(anchor: Anchor) {
    this.#anchor = anchor;
  }

  *from(cookie: bigint): Generator<DirectoryEntry> {
    if (cookie === 0n) this.close();
    for (let number = cookie; ; number += 1n) {
      const dot = dots[Number(number)];
      const entry = dot === undefined ? this.#entry(number) : this.#dot(dot, number);
      if (entry === undefined) return;
      yield entry;
    }
  }

  close(): void {
    this.#stop();
    this.#next = firstOwn;
    this.#last = undefined;
    this.#ended = false;
  }

  /** A guest does not learn what is above, so `..` is numbered as the directory itself, as in the root. */
  #dot(name: Uint8Array, number: bigint): DirectoryEntry {
    return { name, type: 'directory', inode: this.#anchor.stats().ino, next: number + 1n };
  }

  #entry(number: bigint): DirectoryEntry | undefined {
    if (this.#last !== undefined && number === this.#next - 1n) return this.#last;
    if (number < this.#next) this.close();
    while (this.#next <= number) {
      const entry = this.#read();
      if (entry === undefined) return undefined;
      this.#last = entry;
    }
    return this.#last;
  }

  #read(): DirectoryEntry | undefined {
    if (this.#ended) return undefined;
    this.#dir ??= this.#open();
    const dir = this.#dir;
    const entry = attempt(() => dir.readSync());
    if (entry === null) {
      this.#stop();
      this.#ended = true;
      return undefined;
    }
    const name = Buffer.from(entry.name);
    this.#next += 1n;
    const stats = attempt(() => lstatSync(this.#anchor.at(name), { bigint: true, throwIfNoEntry: false }));
    return { name, type: typeOf(stats ?? entry), inode: stats?.ino ?? 0n, next: this.#next };
  }

  #open(): Dir {
    const { path } = this.#anchor;
    // Node takes the encoding, which its types leave out, and then names are bytes.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: batch };
    return attempt(() => opendirSync(path, options));
  }

  #stop(): void {
    try {
      this.#dir?.closeSync();
    } catch {
      throw new FileError('EIO');
    } finally {
      this.#dir = undefined;
    }
  }
}
