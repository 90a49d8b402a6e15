import { readFileSync } from 'node:fs';

/** How many files a process of the node's may have open; no child can have more. Node lifts its own limit to it. */
export function maxOpenFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  const [, hard = 'unlimited'] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}
