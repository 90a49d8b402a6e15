/** How much of the processors a server and what it has started have used so far, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds of one of the kernel's clock ticks. */
const tickUs = 10_000;

interface Ticks {
  readonly parent: number;
  readonly used: number;
}

function allTicks(): Map<number, Ticks> {
  const found = new Map<number, Ticks>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      found.set(Number(name), { parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Microseconds of the process, all of its threads, and of it with all that it has started; what has ended does not count. */
export function processorTime(pid: number): { readonly node: number; readonly all: number } {
  const ticks = allTicks();
  const belongs = (each: number): boolean => {
    for (let at = each; at > 1; at = ticks.get(at)?.parent ?? 0) if (at === pid) return true;
    return false;
  };
  const all = [...ticks].reduce((sum, [each, { used }]) => sum + (belongs(each) ? used : 0), 0);
  return { node: (ticks.get(pid)?.used ?? 0) * tickUs, all: all * tickUs };
}
