import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { Clock } from '../../domain/clock.ts';
import { FolderEmptier } from './folder-emptier.ts';
import type { Identity } from './identity.ts';

const noteName = 'cgroups';
const mostFree = 16;

/** The folder of one node for what its instances need while they run. Others may pass through it, not list it. */
export class Scratch {
  readonly path: string;
  /** A folder below it that only the node's user can enter. */
  readonly private: string;
  /** Empty ones that wait for the next instance of their owner: to make and remove one takes long. */
  readonly #free: ({ readonly path: string } & Identity)[] = [];
  readonly #emptier: FolderEmptier;
  #made = 0;

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.#emptier = new FolderEmptier(clock);
    this.private = `${path}/node`;
  }

  /** Throws where the folder exists, or cannot be made. `note` is for the next node of this name. */
  make(note: readonly string[]): void {
    mkdirSync(this.path);
    // What mkdir is given is less the umask of the node.
    chmodSync(this.path, 0o711);
    mkdirSync(this.private, { mode: 0o700 });
    writeFileSync(`${this.path}/${noteName}`, note.join('\n'), { mode: 0o600 });
  }

  /** What an earlier node of this name has noted: its cgroups, which may not be where this one would make its own. */
  noted(): string[] {
    try {
      return readFileSync(`${this.path}/${noteName}`, 'utf8').split('\n').filter(Boolean);
    } catch {
      // There was none, or it was ended before it noted anything, which is before it started anything.
      return [];
    }
  }

  /** An empty folder for one instance; nobody but its user can enter it. Throws where none can be made. */
  takeFolder(owner: Identity): string {
    const free = this.#free.findIndex(({ uid, gid }) => uid === owner.uid && gid === owner.gid);
    const [folder] = free === -1 ? [] : this.#free.splice(free, 1);
    if (folder !== undefined) return folder.path;
    this.#made += 1;
    const path = `${this.path}/run-${this.#made}`;
    mkdirSync(path, { mode: 0o700 });
    if (owner.uid !== process.geteuid?.()) chownSync(path, owner.uid, owner.gid);
    return path;
  }

  /**
   * Takes a folder back, for the next instance of its owner where it is as it was: then it returns at once. Resolves
   * when it is gone otherwise, whoever owns what is in it, or with false where something of it stays.
   */
  putBack(path: string, owner: Identity): undefined | Promise<boolean> {
    const { mode } = lstatSync(path);
    // One that its user has changed is not for the next.
    if ((mode & 0o7777) === 0o700 && this.#free.length < mostFree && isEmpty(path)) {
      this.#free.push({ path, ...owner });
      return undefined;
    }
    return removedEmpty(path) ? undefined : this.#emptier.remove(path);
  }

  /** What is being emptied stays as it is. */
  async close(): Promise<void> {
    await this.#emptier.close();
  }

  /** Whether the path is free for the node's folder, or has one that is the node's own. */
  static isOurs(path: string): boolean {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat === undefined || (stat.isDirectory() && stat.uid === process.geteuid?.());
  }
}

/** Looks at one entry, however many there are. */
function isEmpty(path: string): boolean {
  try {
    const folder = opendirSync(path);
    try {
      return folder.readSync() === null;
    } finally {
      folder.closeSync();
    }
  } catch {
    // A folder that cannot be read is not one to use again.
    return false;
  }
}

/** Needs no descriptor, where there may be none. */
function removedEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    // Something is in it.
    return false;
  }
}
