import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import type { Clock } from '../../../domain/clock.ts';
import type { Identity } from '../users/identity.ts';
import { FolderEmptier } from './folder-emptier.ts';
import { type Volume, Volumes, volumesName } from './volumes.ts';

const noteName = 'cgroups';

/** Where one instance is at home. */
export interface InstanceFolder {
  readonly path: string;
  /** What bounds it; absent where nothing does. */
  readonly volume?: Volume;
}

/** The folder of one node for what its instances need while they run. Others may pass through it, not list it. */
export class Scratch {
  readonly path: string;
  /** A folder below it that only the node's user can enter. */
  readonly private: string;
  readonly #emptier: FolderEmptier;
  #volumes: Volumes | undefined;
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

  /**
   * From now on an instance can write so many bytes to its folder, whatever it does. The node has to be root. Resolves
   * with where volumes are mounted, or with why there can be none; then nothing bounds what is written.
   */
  async bound(bytes: number): Promise<string | { readonly reason: string }> {
    const folder = `${this.path}/${volumesName}`;
    mkdirSync(folder, { mode: 0o711 });
    const volumes = await Volumes.make({ folder, images: this.private, bytes });
    if (!(volumes instanceof Volumes)) return volumes;
    this.#volumes = volumes;
    return folder;
  }

  /** An empty folder for one instance; nobody but its user can enter it. Rejects where none can be made. */
  async takeFolder(owner: Identity): Promise<InstanceFolder> {
    if (this.#volumes === undefined) return { path: this.#makeFolder(this.path, owner) };
    const volume = await this.#volumes.take();
    try {
      return { path: this.#makeFolder(volume.path, owner), volume };
    } catch {
      // The system lets nobody write to one that it has found damaged.
      await this.#volumes.remove(volume);
    }
    const another = await this.#volumes.make();
    return { path: this.#makeFolder(another.path, owner), volume: another };
  }

  #makeFolder(within: string, owner: Identity): string {
    this.#made += 1;
    const path = `${within}/run-${this.#made}`;
    mkdirSync(path, { mode: 0o700 });
    if (owner.uid !== process.geteuid?.()) chownSync(path, owner.uid, owner.gid);
    return path;
  }

  /** Whether there is no more room in it: what ext4 sets aside for a write that has failed is free again after it. */
  isFull({ volume }: InstanceFolder): boolean {
    if (volume === undefined) return false;
    const { blocks, bavail, ffree } = statfsSync(volume.path);
    return bavail < blocks / 64 || ffree === 0;
  }

  /**
   * Removes a folder, also where it is empty: Node can neither see nor remove the extended attributes and access lists
   * that its user may have left on it. Resolves when it is gone, whoever owns what is in it, or with false where
   * something of it stays.
   */
  async putBack({ path, volume }: InstanceFolder): Promise<boolean> {
    if (volume === undefined || this.#volumes === undefined) return this.#remove(path);
    // To empty one takes room in it, and while it is tried the next instance would get another.
    if (isNearlyFull(volume)) return this.#volumes.remove(volume);
    // Nor is it tried again: meanwhile, too, the next would get another.
    const gone = await this.#remove(path, 1);
    if (!gone) return this.#volumes.remove(volume);
    await this.#volumes.putBack(volume);
    return true;
  }

  async #remove(path: string, tries?: number): Promise<boolean> {
    try {
      // Not in this thread: it takes milliseconds on some file systems.
      await rmdir(path);
      return true;
    } catch {
      return this.#emptier.remove(path, tries);
    }
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

function isNearlyFull({ path, freeFiles }: Volume): boolean {
  const { blocks, bavail, ffree } = statfsSync(path);
  return bavail < blocks / 16 || ffree < freeFiles / 16;
}
