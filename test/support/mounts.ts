import { readFileSync } from 'node:fs';

/** The lines of `/proc/self/mounts` that a node made on this machine. */
export function mountsOf(nodeId: string): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.filter((line) => line.includes(`/spear-${nodeId}/`));
}
