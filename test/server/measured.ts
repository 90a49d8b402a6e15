import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import type { ConfigFlags } from '../../src/config.ts';
import { type ChildServer, spawnServer } from '../support/server.ts';
import type { Usage } from './measure.ts';

/** A server in a child process whose memory, handles and threads can be looked at. */
export function spawnMeasured(dataDir: string, flags: ConfigFlags = {}): Promise<ChildServer> {
  const preload = new URL('./measure.ts', import.meta.url).href;
  return spawnServer(dataDir, flags, ['--expose-gc', '--import', preload]);
}

/** What the server uses after a garbage collection. */
export async function usageOf(server: ChildServer): Promise<Usage> {
  const answer = once(server.process, 'message');
  server.process.send('measure');
  const [usage] = (await answer) as [Usage];
  return usage;
}

/** How many threads the server's own process has. */
export async function threadsOf(server: ChildServer): Promise<number> {
  return (await readdir(`/proc/${server.process.pid}/task`)).length;
}

/** Ids of the processes that the server has started, at whatever remove, with the clock ticks that each has used. */
export async function processesOf(server: ChildServer): Promise<Map<string, number>> {
  const found: { id: string; parent: string; ticks: number }[] = [];
  for (const id of await readdir('/proc')) {
    if (!/^\d+$/.test(id)) continue;
    // A process may end between the two reads.
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) continue;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    found.push({ id, parent: fields[1] ?? '', ticks: Number(fields[11]) + Number(fields[12]) });
  }
  const ours = new Set([String(server.process.pid)]);
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const { id, parent } of found) if (ours.has(parent)) ours.add(id);
  }
  ours.delete(String(server.process.pid));
  return new Map(found.filter(({ id }) => ours.has(id)).map(({ id, ticks }) => [id, ticks]));
}
