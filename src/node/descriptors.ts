import { readFileSync } from 'node:fs';

/** Descriptors that the store, the runtimes and the node's own files have to themselves. */
const reserved = 64;
/** What is left is shared with what executions open. */
const shareOfConnections = 0.5;
const fewest = 8;
/** Guest hosts that wait for work leave the rest to what goes on. */
const shareOfKeptHosts = 0.25;
/** Streams, control files of its cgroups, and what its start leaves open. */
const heldByHost = 20;

/** How many connections may be open at once: not so many that the node has no descriptors left to work with. */
export function mostConnections(wanted: number): number {
  const limit = descriptorLimit();
  if (limit === undefined) return wanted;
  return Math.min(wanted, Math.max(fewest, Math.floor((limit - reserved) * shareOfConnections)));
}

/** How many guest hosts may be kept for the next execution: an idle node has descriptors for its callers. */
export function mostKeptHosts(wanted: number): number {
  const limit = descriptorLimit();
  if (limit === undefined) return wanted;
  return Math.min(wanted, Math.max(1, Math.floor(((limit - reserved) * shareOfKeptHosts) / heldByHost)));
}

/** The soft limit of this process; undefined where the system does not say it, or has none. */
function descriptorLimit(): number | undefined {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Only Linux has it.
    return undefined;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
