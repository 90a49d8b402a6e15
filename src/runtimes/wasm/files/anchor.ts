// Holds on directories, from which all walks start.
//
// 1. `at(name)` names an entry of that very directory, wherever it was moved meanwhile. The system call that it
//    is given to must not follow a link at the end of a path, and `name` is one name, never `..`.
// 2. A descriptor anchor keeps that promise by an O_PATH descriptor and /proc. A path anchor, where there is no
//    /proc, looks before each use whether the path still leads to the same directory: a race can beat it.

import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { attempt } from './os-error.ts';
import { FileError } from './port.ts';

/** O_PATH, which Node does not name; the same on every Linux that Node runs on. */
const pathOnly = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;
const descriptors = '/proc/self/fd';

/** Whether directories can be held by descriptor here. */
export const holdsDescriptors = process.platform === 'linux' && existsSync(descriptors);

/** An entry of a directory that was looked at, not opened. */
export interface Entry {
  readonly stats: BigIntStats;
  /** Opens what was looked at, and nothing that has taken its name since. */
  open(flags: number): number;
  /** Of a directory; the entry need not be closed then. */
  anchor(): Anchor;
  close(): void;
}

export interface Anchor {
  /** Of the directory itself; links at its end are followed. */
  readonly path: string | Buffer;
  at(name: Uint8Array): Buffer;
  look(name: Uint8Array): Entry;
  /** ENOTDIR for whatever is not a directory, a link to one too. */
  child(name: Uint8Array): Anchor;
  stats(): BigIntStats;
  /** Opens once more the file behind a descriptor that was opened from `name`. */
  reopener(name: Uint8Array): Reopen;
  close(): void;
}

export type Reopen = (fd: number, flags: number) => number;

/**
 * The folder of a preopen; links in the path of the host are followed, for they are the operator's.
 *
 * @throws where folders cannot be held by descriptor
 */
export function anchorOf(hostPath: string): Anchor {
  if (!holdsDescriptors) throw new Error('there is no /proc here, by which a folder could be held');
  return new DescriptorAnchor(attempt(() => openSync(hostPath, pathOnly | O_DIRECTORY)));
}

/** As `anchorOf`, by path: see 2. */
export function pathAnchorOf(hostPath: string): Anchor {
  const path = Buffer.from(attempt(() => realpathSync(hostPath)));
  return new PathAnchor(path, directoryAt(path));
}

class DescriptorAnchor implements Anchor {
  /** Its number would soon be another file's, so it is forgotten on closing. */
  #fd: number | undefined;
  readonly #prefix: Buffer;

  constructor(fd: number) {
    this.#fd = fd;
    this.#prefix = Buffer.from(`${descriptors}/${fd}/`);
  }

  get path(): string {
    return `${descriptors}/${this.#held()}`;
  }

  at(name: Uint8Array): Buffer {
    this.#held();
    return Buffer.concat([this.#prefix, name]);
  }

  look(name: Uint8Array): Entry {
    const path = this.at(name);
    const fd = attempt(() => openSync(path, pathOnly | O_NOFOLLOW));
    return {
      stats: statsOrClose(fd),
      open: (flags) => reopen(fd, flags),
      anchor: () => new DescriptorAnchor(fd),
      close: () => closeSync(fd),
    };
  }

  child(name: Uint8Array): Anchor {
    const path = this.at(name);
    return new DescriptorAnchor(attempt(() => openSync(path, pathOnly | O_NOFOLLOW | O_DIRECTORY)));
  }

  stats(): BigIntStats {
    const fd = this.#held();
    return attempt(() => fstatSync(fd, { bigint: true }));
  }

  reopener(): Reopen {
    return reopen;
  }

  close(): void {
    const fd = this.#held();
    this.#fd = undefined;
    closeSync(fd);
  }

  #held(): number {
    if (this.#fd === undefined) throw new FileError('EBADF');
    return this.#fd;
  }
}

function statsOrClose(fd: number): BigIntStats {
  try {
    return attempt(() => fstatSync(fd, { bigint: true }));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function reopen(fd: number, flags: number): number {
  return attempt(() => openSync(`${descriptors}/${fd}`, flags));
}

class PathAnchor implements Anchor {
  readonly #path: Buffer;
  readonly #stats: BigIntStats;
  #closed = false;

  constructor(path: Buffer, stats: BigIntStats) {
    this.#path = path;
    this.#stats = stats;
  }

  get path(): Buffer {
    if (this.#closed) throw new FileError('EBADF');
    const found = attempt(() => lstatSync(this.#path, { bigint: true, throwIfNoEntry: false }));
    // A link may have got the number of a directory that is gone.
    if (found?.isDirectory() && isSame(found, this.#stats)) return this.#path;
    throw new FileError('ENOENT');
  }

  at(name: Uint8Array): Buffer {
    return Buffer.concat([this.path, Buffer.from('/'), name]);
  }

  look(name: Uint8Array): Entry {
    const path = this.at(name);
    const stats = attempt(() => lstatSync(path, { bigint: true }));
    return {
      stats,
      open: (flags) => openSame(path, flags, stats),
      anchor: () => new PathAnchor(path, stats),
      close: () => {},
    };
  }

  child(name: Uint8Array): Anchor {
    const path = this.at(name);
    return new PathAnchor(path, directoryAt(path));
  }

  stats(): BigIntStats {
    return attempt(() => statSync(this.path, { bigint: true }));
  }

  reopener(name: Uint8Array): Reopen {
    const path = this.at(name);
    return (fd, flags) => openSame(path, flags, fstatSync(fd, { bigint: true }));
  }

  close(): void {
    this.#closed = true;
  }
}

function directoryAt(path: Buffer): BigIntStats {
  const stats = attempt(() => lstatSync(path, { bigint: true }));
  if (!stats.isDirectory()) throw new FileError('ENOTDIR');
  return stats;
}

function openSame(path: Buffer, flags: number, stats: BigIntStats): number {
  const fd = attempt(() => openSync(path, flags | O_NOFOLLOW));
  if (isSame(statsOrClose(fd), stats)) return fd;
  closeSync(fd);
  throw new FileError('ENOENT');
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}
