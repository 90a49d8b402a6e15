import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Short beside what is waited for; a look goes through all processes of the machine. */
const pollMs = 10;

/** Whether a process runs; one that is dead and not reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}

/** Resolves when something holds; rejects with what it was where that takes longer than a minute. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`it never came to this: ${what}`);
    await pause(pollMs);
  }
}

/** The lines of an output that name a process: `NAME PID`. */
export function pidOf(name: string, output: Buffer): number {
  const pid = Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(output.toString())?.[1]);
  if (!(pid > 1)) throw new Error(`no process ${name} in ${output}`);
  return pid;
}

/** Processes whose command line has this in it. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });
}
