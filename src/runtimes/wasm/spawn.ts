import { Worker } from 'node:worker_threads';
import { entryUrl } from '../entry.ts';
import type { ThreadMemory } from './protocol.ts';

/** Of JavaScript: the values that go in and out of a guest. A guest's own memory is bounded by the gate. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

/** Starts a thread that runs `worker.ts`, with nothing of the node's environment. */
export function spawnWorker(name: string, memory: ThreadMemory): Worker {
  const worker = new Worker(entryUrl('./worker', import.meta.url), {
    name,
    workerData: { name, memory },
    env: {},
    argv: [],
    execArgv: ['--no-warnings'],
    stdout: true,
    stderr: true,
    resourceLimits,
  });
  // What the host's own code prints there is of no use to anyone, and unread it would pile up.
  worker.stdout.resume();
  worker.stderr.resume();
  return worker;
}
