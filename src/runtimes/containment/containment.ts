import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock } from '../../domain/clock.ts';
import type { Cells } from './cells/cell.ts';
import { makeCgroupCells } from './cells/cgroup-cells.ts';
import { layoutFolders } from './cells/layout.ts';
import { makeNamespaceCells } from './cells/namespace-cells.ts';
import { sweep } from './cleanup/sweep.ts';
import { Watchdog } from './cleanup/watchdog.ts';
import { Confinement } from './folders/confinement.ts';
import { Rooms } from './folders/rooms.ts';
import { Scratch } from './folders/scratch.ts';
import { Spawner } from './launch/spawner.ts';
import { withoutNewPrivileges } from './users/privileges.ts';
import { withoutSessionKeyring } from './users/session-keyring.ts';

/** What a node has to keep its instances together, and to be rid of them. */
export interface Containment {
  readonly cells: Cells;
  /** Absent where the node can make none, because it is not root, say. */
  readonly rooms?: Rooms;
  /** Keeps programs from the node's files and processes where both are of one user; or why nothing does. */
  readonly confinement?: Confinement | { readonly reason: string };
  readonly scratch: Scratch;
  readonly spawner: Spawner;
  readonly watchdog: Watchdog;
}

export interface ContainmentPlace {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly logger?: { warn(details: object, message: string): void };
  readonly temporaryFolder?: string | undefined;
  /** Not to use cgroups, though they could be made. */
  readonly withoutCgroups?: boolean | undefined;
  /** That all it starts gains no privileges, and may have rooms; for those that bring no walls of their own. */
  readonly walled?: true;
  /** Files and folders that programs of a node that is not root do not see; absent means that they may see all. */
  readonly hidden?: readonly string[] | undefined;
  /** Files that they may read, and neither write nor replace. */
  readonly trusted?: readonly string[] | undefined;
  /** What an instance may write to its folder, in bytes, where it has a room; absent means what the disk has. */
  readonly scratchBytes?: number | undefined;
  /** A folder elsewhere that instances are to see although what it is in is hidden from them. */
  readonly shownFolder?: string | undefined;
  /** Put before the command of the spawner. */
  readonly wrapper: readonly string[];
}

/** What the guest hosts of a node have as the name of their node. */
export function guestsOf(nodeId: string): string {
  return `${nodeId}-guests`;
}

/** Ends what an earlier node of this name has left, and makes room for this one; or says why there is none. */
export async function makeContainment(
  place: ContainmentPlace,
): Promise<Containment | { readonly reason: string }> {
  if (process.platform !== 'linux')
    return { reason: `processes are run on Linux, not on ${process.platform}` };
  const name = `spear-${place.nodeId}`;
  const path = `${place.temporaryFolder ?? tmpdir()}/${name}`;
  if (!Scratch.isOurs(path)) return { reason: `${path} exists and belongs to another` };
  const scratch = new Scratch(path, place.clock);
  const earlier = new Set([
    ...layoutFolders(name),
    ...scratch.noted().filter((folder) => folder.endsWith(`/${name}`)),
  ]);
  if (!(await sweep({ scratch: path, cgroups: [...earlier] }))) {
    return { reason: `what an earlier node has left in ${path} cannot be ended or removed` };
  }
  const cells = await makeCells(name, place.withoutCgroups === true);
  if ('reason' in cells) return cells;
  scratch.make(cells.folders);
  const watchdog = new Watchdog({ scratch: path, cgroups: cells.folders });
  // What is mounted outlives a node that is killed before it has started anything.
  if (place.scratchBytes !== undefined && process.geteuid?.() === 0) {
    try {
      watchdog.watch();
    } catch {
      return { reason: 'the process that ends what a killed node leaves cannot be started' };
    }
  }
  const wrapper = place.walled ? await walledWrapper(place) : place.wrapper;
  const rooms = place.walled ? await makeRooms(place, scratch, wrapper) : undefined;
  const confinement = await makeConfinement(place, scratch, cells.folders, wrapper);
  const { clock } = place;
  const spawner = new Spawner({ folder: scratch.private, clock, wrapper, room: rooms?.plain.command });
  return { cells, ...(rooms && { rooms }), ...(confinement && { confinement }), scratch, spawner, watchdog };
}

/** Removes all of it; every instance has ended. What could not be ended stays for the next start. */
export async function closeContainment({ cells, scratch, spawner, watchdog }: Containment): Promise<void> {
  await spawner.close();
  await scratch.close();
  cells.close();
  await sweep({ scratch: scratch.path, cgroups: cells.folders });
  await watchdog.close();
}

async function walledWrapper({ wrapper, logger }: ContainmentPlace): Promise<readonly string[]> {
  const keyless = await withoutSessionKeyring();
  if (keyless.length === 0) {
    const reason = 'perl is not installed, or cannot make a session keyring';
    logger?.warn({ reason }, 'programs have the keys of the session that the node was started in');
  }
  return [...wrapper, ...keyless, ...(await withoutNewPrivileges())];
}

/** A node that is not root cannot have them, and runs programs as itself. */
async function makeRooms(
  { logger, scratchBytes, shownFolder }: ContainmentPlace,
  scratch: Scratch,
  wrapper: readonly string[],
): Promise<Rooms | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  // First, as those that are to be seen in a room have to be there when it is made.
  const volumes = scratchBytes === undefined ? undefined : await scratch.bound(scratchBytes);
  if (typeof volumes === 'object') {
    logger?.warn({ reason: volumes.reason }, 'nothing bounds what programs write to their folders');
  }
  const shown = [volumes, shownFolder].filter((path) => typeof path === 'string');
  const rooms = await Rooms.make({ folder: scratch.path, volumes: shown }, wrapper);
  if (rooms instanceof Rooms) return rooms;
  logger?.warn({ reason: rooms.reason }, 'programs see the temporary folders and shared memory of the host');
  return undefined;
}

/** A root node runs programs as other users. */
async function makeConfinement(
  { nodeId, logger, hidden, trusted = [] }: ContainmentPlace,
  scratch: Scratch,
  cgroups: readonly string[],
  wrapper: readonly string[],
): Promise<Confinement | { readonly reason: string } | undefined> {
  if (hidden === undefined || process.geteuid?.() === 0) return undefined;
  // Whoever can write to a cgroup of the node can end or stop it.
  const delegated = cgroups.map(outermostOwned);
  const guests = join(dirname(scratch.path), `spear-${guestsOf(nodeId)}`);
  const place = {
    private: scratch.private,
    hidden: [...hidden, scratch.path, guests, ...delegated],
    trusted,
  };
  return Confinement.make(place, wrapper, (reason) =>
    logger?.warn({ reason }, 'programs see more than usual'),
  );
}

/** The last folder above one that is the node's user's, too. */
function outermostOwned(folder: string): string {
  const parent = dirname(folder);
  return statSync(parent).uid === process.geteuid?.() ? outermostOwned(parent) : folder;
}

async function makeCells(
  name: string,
  withoutCgroups: boolean,
): Promise<Cells | { readonly reason: string }> {
  const cgroups = withoutCgroups ? { reason: 'cgroups are not to be used' } : makeCgroupCells(name);
  if (!('reason' in cgroups)) return cgroups;
  const namespaces = await makeNamespaceCells();
  if (!('reason' in namespaces)) return namespaces;
  return { reason: `${cgroups.reason}; ${namespaces.reason}` };
}
