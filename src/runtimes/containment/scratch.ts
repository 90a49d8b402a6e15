import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import type { Identity } from './identity.ts';

const noteName = 'cgroups';
const mostFree = 16;

/** Runs a command as a user. Resolves with whether it exited with 0. */
export type CommandRunner = (file: string, args: readonly string[], as: Identity) => Promise<boolean>;

/** The folder of one node for what its instances need while they run. Others may pass through it, not list it. */
export class Scratch {
  readonly path: string;
  /** Empty ones that wait for the next instance of their owner: to make and remove one takes long. */
  readonly #free: ({ readonly path: string } & Identity)[] = [];
  #made = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Throws where the folder exists, or cannot be made. `note` is for the next node of this name. */
  make(note: readonly string[]): void {
    mkdirSync(this.path);
    // What mkdir is given is less the umask of the node.
    chmodSync(this.path, 0o711);
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
   * Empties a folder, for the next instance of its owner. Resolves with false where that failed and something stays.
   */
  async putBack(path: string, owner: Identity, run: CommandRunner): Promise<boolean> {
    if (!isEmpty(path)) {
      // As its own user: another instance of the same user could put a link in the way while root follows it.
      await run('/bin/rm', ['-rf', '--', path], owner);
      if (removeEmpty(path)) return true;
      // It may have closed its own folders.
      await run('/bin/chmod', ['-R', 'u+rwX', '--', path], owner);
      await run('/bin/rm', ['-rf', '--', path], owner);
      return removeEmpty(path);
    }
    const { mode } = lstatSync(path);
    // One that its user has changed is not for the next.
    if ((mode & 0o7777) !== 0o700 || this.#free.length >= mostFree) return removeEmpty(path);
    this.#free.push({ path, ...owner });
    return true;
  }

  /** Whether the path is free for the node's folder, or has one that is the node's own. */
  static isOurs(path: string): boolean {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat === undefined || (stat.isDirectory() && stat.uid === process.geteuid?.());
  }
}

function isEmpty(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    // A folder that cannot be read is not one to use again.
    return false;
  }
}

function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    // Something is in it, which the answer says.
    return false;
  }
}
