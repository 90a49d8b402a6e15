import { readlinkSync } from 'node:fs';
import type { Anchor } from './anchor.ts';
import { attempt } from './os-error.ts';
import { FileError } from './port.ts';

/** Where a path ends: an entry, which may not be there, of a directory that is. */
export interface Place {
  readonly directory: Anchor;
  /** One name; `.` where the path ends at the directory itself. Never `..`. */
  readonly name: Uint8Array;
  /** The path ends in a slash: only a directory will do. */
  readonly slash: boolean;
}

/** What a visitor returns who has found a symbolic link and wants to be where it leads. */
export const followLink = Symbol('follow');

/** Bytes of a path, as on Linux (PATH_MAX). */
const maxPath = 4096;
/** Directories that one path may go down; each of them is held open meanwhile. */
const maxDepth = 256;
/** Symbolic links in one path, as on Linux. */
const maxLinks = 40;

const slash = 0x2f;
const dot = Buffer.from('.');

/**
 * Goes along a path, one directory at a time, and lets `visit` act where it ends. Symbolic links are read, never
 * followed by the kernel, and `..` goes back the way that was come: so no path ends above its start.
 */
export function walk<T>(start: Anchor, path: Uint8Array, visit: (place: Place) => T | typeof followLink): T {
  const trail = new Trail(start, path);
  try {
    for (;;) {
      const place = trail.advance();
      const result = visit(place);
      if (result !== followLink) return result;
      trail.follow(place.name);
    }
  } finally {
    trail.close();
  }
}

class Trail {
  /** The way that was come: its first is the caller's, the others are ours to close. */
  readonly #way: Anchor[];
  /** Names yet to go, the next one last. */
  readonly #names: Uint8Array[] = [];
  #slash = false;
  #links = 0;

  constructor(start: Anchor, path: Uint8Array) {
    this.#way = [start];
    this.#take(path);
  }

  advance(): Place {
    for (;;) {
      const name = this.#names.pop() ?? dot;
      const last = this.#names.length === 0;
      if (isDots(name)) this.#back();
      else if (isDot(name) && !last) continue;
      else if (last) return { directory: this.#here(), name, slash: this.#slash };
      else this.#down(name);
    }
  }

  /** Goes on where the link of this name, in the directory that was reached, leads. */
  follow(name: Uint8Array): void {
    this.#links += 1;
    if (this.#links > maxLinks) throw new FileError('ELOOP');
    this.#take(attempt(() => readlinkSync(this.#here().at(name), { encoding: 'buffer' })));
  }

  close(): void {
    while (this.#way.length > 1) this.#way.pop()?.close();
  }

  #here(): Anchor {
    return this.#way.at(-1) as Anchor; // Its first is never taken off.
  }

  #back(): void {
    if (this.#way.length === 1) throw new FileError('EPERM');
    this.#way.pop()?.close();
  }

  #down(name: Uint8Array): void {
    if (this.#way.length > maxDepth) throw new FileError('ENAMETOOLONG');
    try {
      this.#way.push(this.#here().child(name));
    } catch (error) {
      if (!(error instanceof FileError) || (error.errno !== 'ENOTDIR' && error.errno !== 'ELOOP'))
        throw error;
      this.#followOrRefuse(name);
    }
  }

  #followOrRefuse(name: Uint8Array): void {
    try {
      this.follow(name);
    } catch (error) {
      // What readlink says of anything that is no link.
      throw error instanceof FileError && error.errno === 'EINVAL' ? new FileError('ENOTDIR') : error;
    }
  }

  #take(path: Uint8Array): void {
    checkText(path);
    if (path[0] === slash) throw new FileError('EPERM');
    const names = split(path);
    if (this.#names.length === 0) this.#slash ||= path.at(-1) === slash;
    this.#names.push(...names.reverse());
  }
}

/** @throws FileError for what no path and no target of a link can be */
export function checkText(path: Uint8Array): void {
  if (path.length === 0) throw new FileError('ENOENT');
  if (path.length >= maxPath) throw new FileError('ENAMETOOLONG');
  if (path.includes(0)) throw new FileError('EINVAL');
}

export function isAbsolute(path: Uint8Array): boolean {
  return path[0] === slash;
}

/** The names of a path; `.` only as its last, where it says that a directory must be there. */
function split(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = [];
  for (let from = 0; from < path.length; ) {
    const found = path.indexOf(slash, from);
    const to = found === -1 ? path.length : found;
    const name = path.subarray(from, to);
    if (name.length > 0 && !(isDot(name) && to < path.length)) names.push(name);
    from = to + 1;
  }
  return names;
}

function isDot(name: Uint8Array): boolean {
  return name.length === 1 && name[0] === 0x2e;
}

function isDots(name: Uint8Array): boolean {
  return name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
}
