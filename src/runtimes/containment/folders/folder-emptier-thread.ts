/** Removes folders in a thread of its own, one after another: one of a million files takes seconds. */
import { parentPort } from 'node:worker_threads';
import type { RemovalReply, RemovalRequest } from './folder-emptier.ts';
import { removeFolder } from './folder-removal.ts';

parentPort?.on('message', ({ id, path }: RemovalRequest) => {
  let failure = '';
  try {
    removeFolder(path);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  parentPort?.postMessage({ id, failure } satisfies RemovalReply);
});
