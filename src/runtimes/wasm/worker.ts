// A worker thread: runs the jobs of one batch after the other, and answers through the ring.
//
// 1. A job is run only by whoever claims it (`ThreadMemory.claims`), so the pool can take back what has not begun.
// 2. Nothing that a guest does ends the loop but the thread's own end: every way out of a guest is an outcome.
// 3. An instance is kept for the next job only after it ended well.

import { syncBuiltinESMExports } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { createExecutor } from './executor.ts';
import type { WorkerData, WorkerMessage } from './protocol.ts';

/** A stream call of preview2-shim that fails in an unforeseen way ends the process; here it is a trap of that guest. */
process.exit = () => {
  throw new Error('a stream call of the host failed');
};
// Transpiled code asks for an environment variable in each call; a plain object answers that faster.
process.env = {};
syncBuiltinESMExports();

const port = parentPort;
if (port === null) throw new Error('worker.ts is the entry of a worker thread');
const executor = createExecutor(workerData as WorkerData, () => port.postMessage(0));
// One after the other, also where loading a program takes several turns.
let last = Promise.resolve();
port.on('message', (message: WorkerMessage) => {
  last = last.then(() => executor.handle(message));
});
port.postMessage(0);
