import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  opendirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';

/** Linux's, which Node has no name for: a descriptor that names a file, without any right to it. */
const oPath = 0o10000000;
const flags = oPath | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const entriesAtOnce = 1024;

/**
 * Removes a folder with all that is in it, whoever owns that and whatever its modes, as far as the node's user can; a
 * root node can always, but for immutable files. Nothing outside is touched, whatever is moved or linked meanwhile: a
 * folder is held by a descriptor and never followed by name, and is the node's alone from the moment it is held.
 * However deep it is, three descriptors do: folders in folders are moved to the top first. Throws as the file
 * system does.
 *
 * `path` itself has to be in a folder that only the node's user can write to.
 */
export function removeFolder(path: string): void {
  const top = new HeldFolder(Buffer.from(path));
  try {
    const moved = `${randomBytes(8).toString('hex')}-`;
    let count = 0;
    top.drain((name) => {
      const folder = new HeldFolder(top.at(name));
      try {
        folder.drain((inner) => {
          // To move a folder its own mode has to allow it, too.
          new HeldFolder(folder.at(inner)).close();
          count += 1;
          renameSync(folder.at(inner), top.at(Buffer.from(`${moved}${count}`)));
        });
      } finally {
        folder.close();
      }
      rmdirSync(top.at(name));
    });
  } finally {
    top.close();
  }
  rmdirSync(path);
}

/** A folder that is the node's alone, and is known by its descriptor. */
class HeldFolder {
  readonly #fd: number;

  constructor(path: Buffer) {
    this.#fd = openSync(path, flags);
    try {
      const { uid, mode } = fstatSync(this.#fd);
      if (uid !== process.geteuid?.()) chownSync(this.#path, process.geteuid?.() ?? 0, 0);
      if ((mode & 0o7777) !== 0o700) chmodSync(this.#path, 0o700);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get #path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Names are bytes. */
  at(name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(`${this.#path}/`), name]);
  }

  /** Unlinks what is in it, and has folders taken out of it, until there is nothing. */
  drain(takeFolder: (name: Buffer) => void): void {
    while (this.#pass(takeFolder) > 0);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #pass(takeFolder: (name: Buffer) => void): number {
    let seen = 0;
    // Node's types have no names of bytes here.
    const encoding = 'buffer' as BufferEncoding;
    const entries = opendirSync(this.#path, { encoding, bufferSize: entriesAtOnce });
    try {
      for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
        const name = entry.name as unknown as Buffer;
        seen += 1;
        if (!unlinked(this.at(name))) takeFolder(name);
      }
    } finally {
      entries.closeSync();
    }
    return seen;
  }
}

/** Whether it is gone; a folder is not. */
function unlinked(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR') return false;
    throw error;
  }
}
