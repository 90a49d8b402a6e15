import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { memoryRoot } from '../../containment/cells/hierarchy.ts';
import { socketMemory, socketSlack } from '../../containment/cells/memory-control.ts';

const idPattern = /^[0-9a-f]{64}$/;

/**
 * The memory of sockets of an engine's containers, under cgroup version 1: its kernel counts it apart, and only for
 * sockets that were made after there was a limit, which the engine no longer sets. So a container's group is made here
 * just before its start, as the engine would make it, and the engine goes on with it. That needs an engine on this
 * machine that makes its groups itself (driver `cgroupfs`) below `/docker`, and a node that is root. Elsewhere nothing
 * happens.
 */
export class SocketMemory {
  readonly #parent: string | undefined;

  private constructor(parent: string | undefined) {
    this.#parent = parent;
  }

  /** `groups` is what the engine says of its cgroups, and `local` whether it can be on this machine. */
  static of(groups: { readonly version: string; readonly driver: string }, local: boolean): SocketMemory {
    const apart = local && groups.version === '1' && groups.driver === 'cgroupfs';
    const root = apart && process.geteuid?.() === 0 ? memoryRoot() : undefined;
    return new SocketMemory(root === undefined ? undefined : `${root}/docker`);
  }

  /** Before the container starts. Its sockets may take so many bytes. */
  limit(containerId: string, bytes: number): void {
    const folder = this.#folderOf(containerId);
    if (folder === undefined) return;
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/${socketMemory.limit}`, String(bytes));
    } catch {
      // It cannot be had here; the other limits hold all the same.
      this.forget(containerId);
    }
  }

  /** Whether sockets hold so much more than their limit that only an end helps; undefined where nobody counts them. */
  exceeds(containerId: string): boolean | undefined {
    const folder = this.#folderOf(containerId);
    if (folder === undefined) return undefined;
    try {
      const limit = Number(readFileSync(`${folder}/${socketMemory.limit}`, 'latin1'));
      return Number(readFileSync(`${folder}/${socketMemory.use}`, 'latin1')) > limit + socketSlack(limit);
    } catch {
      // The engine made its group elsewhere, or it has ended.
      return undefined;
    }
  }

  /** Once the container is gone. The engine has removed the group of one that ran. */
  forget(containerId: string): void {
    const folder = this.#folderOf(containerId);
    if (folder === undefined || !existsSync(folder)) return;
    try {
      rmdirSync(folder);
    } catch {
      // The engine removes it.
    }
  }

  #folderOf(containerId: string): string | undefined {
    if (this.#parent === undefined || !idPattern.test(containerId)) return undefined;
    return `${this.#parent}/${containerId}`;
  }
}
