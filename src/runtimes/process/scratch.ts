import {
  chmodSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { runCommand } from './command.ts';
import type { Identity } from './identity.ts';

const noteName = 'cgroups';

/** The folder of one node for what its instances need while they run. Others may pass through it, not list it. */
export class Scratch {
  readonly path: string;
  #markers = 0;

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

  /** A file that only its descriptor leads to. */
  openMarker(): number {
    this.#markers += 1;
    const path = `${this.path}/marker-${this.#markers}`;
    const fd = openSync(path, 'ax+', 0o600);
    unlinkSync(path);
    return fd;
  }

  /** A new folder for one instance; nobody but its user can enter it. */
  makeFolder(name: string, owner: Identity): string {
    const path = `${this.path}/${name}`;
    mkdirSync(path, { mode: 0o700 });
    if (owner.uid !== process.geteuid?.()) chownSync(path, owner.uid, owner.gid);
    return path;
  }

  /** Resolves with whether it is gone. */
  async removeFolder(path: string, owner: Identity): Promise<boolean> {
    if (removeEmpty(path)) return true;
    // As its own user: another instance of the same user could put a link in the way while root follows it.
    await runCommand('/bin/rm', ['-rf', '--', path], owner);
    if (removeEmpty(path)) return true;
    // It may have closed its own folders.
    await runCommand('/bin/chmod', ['-R', 'u+rwX', '--', path], owner);
    await runCommand('/bin/rm', ['-rf', '--', path], owner);
    return removeEmpty(path);
  }

  /** Whether the path is free for the node's folder, or has one that is the node's own. */
  static isOurs(path: string): boolean {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat === undefined || (stat.isDirectory() && stat.uid === process.geteuid?.());
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

/** Gives markers to instances, and takes them back for the next. */
export class Markers {
  readonly #scratch: Scratch;
  readonly #free: number[] = [];

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  take(): number {
    return this.#free.pop() ?? this.#scratch.openMarker();
  }

  putBack(fd: number): void {
    this.#free.push(fd);
  }

  close(): void {
    for (const fd of this.#free.splice(0)) closeSync(fd);
  }
}
