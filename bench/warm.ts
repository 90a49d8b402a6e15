import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../src/client/channel.ts';
import { InstanceService } from '../src/server/gen/spearlet/instance_pb.js';

const readyTimeoutMs = 30_000;

/** What the program itself needs to get to the point where it reads: that is not to be seen from outside. */
const bootMs = 150;

/** Resolves when a warm instance of the task is idle and has been so for a while, and no other is under way. */
export async function warmInstance(connection: Connection, task: string): Promise<void> {
  const service = connection.service(InstanceService);
  const end = performance.now() + readyTimeoutMs;
  while (performance.now() < end) {
    const { pools } = await service.listInstances({ task });
    const pool = pools[0];
    if (pool !== undefined && pool.idle > 0 && pool.starting + pool.busy + pool.stopping === 0) {
      await sleep(bootMs);
      return;
    }
    await sleep(10);
  }
  throw new Error(`${task} has no warm instance after ${readyTimeoutMs} ms`);
}
