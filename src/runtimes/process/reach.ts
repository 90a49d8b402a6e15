import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Identity } from '../containment/users/identity.ts';

const { R_OK, X_OK } = constants;

/**
 * Why a user cannot get at a path with these rights (`R_OK`, `X_OK`, or both); undefined where it can. Goes by
 * mode bits, as the user will have no groups but its own. Throws as the file system does.
 */
export function whyUnreachable(path: string, rights: number, who: Identity): string | undefined {
  const own = process.geteuid?.();
  if (who.uid !== 0 && who.uid === own) return deniedToUs(path, rights);
  for (const folder of new Set([...above(path), ...above(realpathSync(path))])) {
    if (!allows(statSync(folder), X_OK, who)) return `user ${who.uid} cannot enter ${folder}`;
  }
  return allows(statSync(path), rights, who) ? undefined : denied(path, rights, who.uid);
}

function deniedToUs(path: string, rights: number): string | undefined {
  try {
    accessSync(path, rights);
    return undefined;
  } catch {
    // Whichever folder it was, the answer is the same.
    return denied(path, rights, process.geteuid?.() ?? 0);
  }
}

function denied(path: string, rights: number, uid: number): string {
  const what = rights === R_OK ? 'read' : rights === X_OK ? 'execute' : 'read and execute';
  return `user ${uid} may not ${what} ${path}`;
}

/** The folders that lead to a path, outermost first. */
function above(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...above(parent), parent];
}

function allows(stat: Stats, rights: number, who: Identity): boolean {
  // Root reads and enters what it likes, but executes only what somebody may.
  if (who.uid === 0) return stat.isDirectory() || (rights & X_OK) === 0 || (stat.mode & 0o111) !== 0;
  const shift = stat.uid === who.uid ? 6 : stat.gid === who.gid ? 3 : 0;
  return ((stat.mode >> shift) & rights) === rights;
}
