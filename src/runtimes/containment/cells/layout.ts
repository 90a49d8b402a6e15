import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type Hierarchy, ownHierarchies } from './hierarchy.ts';

/** The node's folder in one hierarchy; the folders of its cells are below it. */
export interface Group {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** Where the node's cells are, and what they can be held to. Each group is named once in `groups`, that to kill by first. */
export interface Layout {
  readonly groups: readonly Group[];
  readonly memory?: Group;
  readonly processes?: Group;
  readonly cpu?: Group;
  readonly cpuTime?: Group;
  /** Moves the node out of the leaf that it went into, so that the leaf can go. */
  leave(): void;
}

/** A hierarchy in use, with what it controls below the node's own folder. */
interface Usable extends Group {
  readonly controllers: readonly string[];
}

const wanted: readonly string[] = ['memory', 'pids', 'cpu'];

/**
 * Makes the node's folders, below the folders that the node itself is in, so that what holds the node holds
 * its cells. A reason where not even one can be made.
 */
export function makeLayout(name: string): Layout | { readonly reason: string } {
  const leaves: (() => void)[] = [];
  const usable: Usable[] = [];
  let reason = 'no cgroup file system is mounted';
  for (const hierarchy of readHierarchies()) {
    const named = hierarchy.controllers.some((controller) =>
      [...wanted, 'cpuacct', 'freezer'].includes(controller),
    );
    if (hierarchy.version === 1 && !named) continue;
    try {
      usable.push(makeGroup(hierarchy, name, leaves));
    } catch (error) {
      reason = `no cgroup can be made in ${hierarchy.folder}: ${error instanceof Error ? error.message : error}`;
    }
  }
  const layout = choose(usable, () => {
    for (const leave of leaves) leave();
  });
  for (const group of usable) if (!layout.groups.includes(group)) removeQuietly(group.folder);
  if (layout.cpu !== undefined) letNodeGoFirst(layout.cpu);
  return layout.groups.length === 0 ? { reason } : layout;
}

/** The folders that a node of this name has, or would have, where the node is now. */
export function layoutFolders(name: string): string[] {
  return readHierarchies().map(({ folder }) => `${folder}/${name}`);
}

function readHierarchies(): Hierarchy[] {
  return ownHierarchies(
    readFileSync('/proc/self/cgroup', 'utf8'),
    readFileSync('/proc/self/mountinfo', 'utf8'),
  );
}

function makeGroup(hierarchy: Hierarchy, name: string, leaves: (() => void)[]): Usable {
  const { version } = hierarchy;
  const folder = `${hierarchy.folder}/${name}`;
  if (version === 1) {
    mkdirSync(folder, { recursive: true });
    return { version, folder, controllers: hierarchy.controllers };
  }
  const offered = words(`${hierarchy.folder}/cgroup.controllers`).filter((c) => wanted.includes(c));
  if (offered.length > 0) openTo(hierarchy.folder, offered, name, leaves);
  mkdirSync(folder, { recursive: true });
  // A controller is only in the cells where each folder above them hands it on.
  const controllers = words(`${folder}/cgroup.controllers`).filter((c) => wanted.includes(c));
  enable(folder, controllers);
  return { version, folder, controllers };
}

/** Lets the folders below have these controllers. Version 2 allows that only where no process is in the folder. */
function openTo(own: string, controllers: readonly string[], name: string, leaves: (() => void)[]): void {
  const enabled = words(`${own}/cgroup.subtree_control`);
  if (controllers.every((controller) => enabled.includes(controller))) return;
  // Only the root of the whole machine has no type; the rule does not hold there.
  if (existsSync(`${own}/cgroup.type`)) {
    const leaf = `${own}/${name}-node`;
    mkdirSync(leaf, { recursive: true });
    writeFileSync(`${leaf}/cgroup.procs`, '0');
    const added = controllers.filter((controller) => !enabled.includes(controller));
    leaves.push(() => {
      try {
        writeFileSync(`${own}/cgroup.subtree_control`, added.map((controller) => `-${controller}`).join(' '));
        writeFileSync(`${own}/cgroup.procs`, '0');
        rmdirSync(leaf);
      } catch {
        // Another has cgroups there by now: the leaf stays for as long as the node runs.
      }
    });
  }
  enable(own, controllers);
}

function enable(folder: string, controllers: readonly string[]): void {
  for (const controller of controllers) {
    try {
      writeFileSync(`${folder}/cgroup.subtree_control`, `+${controller}`);
    } catch {
      // What is not handed on is missing below, which is where it is looked for.
    }
  }
}

/**
 * One group for each purpose. Version 2 only where version 1 does not do: to join a cgroup of version 2 waits until
 * every processor has passed through the scheduler, which takes several times as long as to start a program.
 */
function choose(usable: readonly Usable[], leave: () => void): Layout {
  const second = usable.find((group) => group.version === 2);
  const holding = (controller: string) => usable.find(({ controllers }) => controllers.includes(controller));
  const memory = holding('memory');
  const processes = holding('pids');
  const cpu = holding('cpu');
  const cpuTime = holding('cpuacct') ?? second;
  // What can be killed: a group that none can be started in any more, or one with a switch that kills all.
  const first = processes ?? second ?? memory ?? cpu ?? cpuTime;
  const groups = new Set([first, memory, processes, cpu, cpuTime].filter((group) => group !== undefined));
  return {
    groups: [...groups],
    ...(memory && { memory }),
    ...(processes && { processes }),
    ...(cpu && { cpu }),
    ...(cpuTime && { cpuTime }),
    leave,
  };
}

/** All cells together weigh half of what one thread of the node does, where processors are short. */
function letNodeGoFirst({ version, folder }: Group): void {
  if (version === 1) writeFileSync(`${folder}/cpu.shares`, '512');
  else writeFileSync(`${folder}/cpu.weight`, '50');
}

function words(file: string): string[] {
  return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean);
}

function removeQuietly(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is empty and costs nothing.
  }
}
