import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Secrets } from '../runtime.ts';
import { LaunchError } from '../runtime.ts';

/** A file system in memory that every Linux has, and that everybody may make folders in. */
const inMemory = '/dev/shm';
/** Of statfs(2). */
const tmpfsMagic = 0x0102_1994;

/** Whose the files are; absent means that everybody who gets to their folder may read them. */
export interface SecretOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Files of secrets in memory: a folder for each instance, in one that is the node's own. */
export class SecretFolders {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Removes what an earlier run of the node left in the folder of this name, but for the instances in `spare`. Returns
   * why there is none where files would be on a disk.
   *
   * @param passable whether users of instances get to folders of their own in it
   */
  static open(
    name: string,
    { passable = false, spare = new Set<string>() }: { passable?: boolean; spare?: ReadonlySet<string> } = {},
  ): SecretFolders | { readonly reason: string } {
    const path = join(inMemory, name);
    try {
      if (statfsSync(inMemory).type !== tmpfsMagic)
        return { reason: `${inMemory} is no file system in memory` };
      mkdirSync(path, { recursive: true, mode: 0o700 });
      const stats = lstatSync(path);
      if (!stats.isDirectory() || stats.uid !== process.geteuid?.())
        return { reason: `${path} exists and belongs to another` };
      chmodSync(path, passable ? 0o711 : 0o700);
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      return { reason: `no folder can be made in ${inMemory}: ${why}` };
    }
    const folders = new SecretFolders(path);
    folders.sweep(spare);
    return folders;
  }

  /** Writes those that are no variables. Returns the folder; undefined where there are none. Throws a LaunchError. */
  write(instanceId: string, { values }: Secrets, owner: SecretOwner | undefined): string | undefined {
    const files = values.filter(({ asVariable }) => !asVariable);
    if (files.length === 0) return undefined;
    const folder = this.#folder(instanceId);
    try {
      mkdirSync(folder, { mode: 0o700 });
      for (const { name, value } of files) {
        const path = join(folder, name);
        writeFileSync(path, value, { mode: 0o400, flag: 'wx' });
        if (owner === undefined) chmodSync(path, 0o444);
        else give(path, owner);
      }
      if (owner === undefined) chmodSync(folder, 0o555);
      else give(folder, owner);
    } catch (cause) {
      this.remove(instanceId);
      const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      throw new LaunchError('START_FAILED', `the files of its secrets could not be made: ${why}`, { cause });
    }
    return folder;
  }

  remove(instanceId: string): void {
    rmSync(this.#folder(instanceId), { recursive: true, force: true });
  }

  /** Removes all but those of the instances that are to stay. */
  sweep(stay: ReadonlySet<string>): void {
    for (const name of readdirSync(this.path)) if (!stay.has(name)) this.remove(name);
  }

  /** Removes the folder itself where nothing is left in it; more than once is once. */
  close(): void {
    try {
      rmdirSync(this.path);
    } catch {
      // What is left belongs to instances that outlive the node, and is removed at its next start.
    }
  }

  #folder(instanceId: string): string {
    return join(this.path, instanceId);
  }
}

function give(path: string, { uid, gid }: SecretOwner): void {
  if (uid !== process.geteuid?.() || gid !== process.getegid?.()) chownSync(path, uid, gid);
}
