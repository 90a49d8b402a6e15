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

/** Ids of the server's threads, with the processor time that each has used, in clock ticks. */
export async function threadsOf(server: ChildServer): Promise<Map<string, number>> {
  const folder = `/proc/${server.process.pid}/task`;
  const threads = new Map<string, number>();
  for (const id of await readdir(folder)) {
    // A thread may end between the two reads.
    const stat = await readFile(`${folder}/${id}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) continue;
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    threads.set(id, Number(fields[11]) + Number(fields[12]));
  }
  return threads;
}
