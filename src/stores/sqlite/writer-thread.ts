/** The thread that writes: a connection of its own, so that a sync of the disk never holds up the node. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CommitResult } from '../store.ts';
import { Committer } from './committer.ts';
import { isSqliteError } from './failure.ts';
import { settings } from './settings.ts';
import { Tasks } from './tasks.ts';
import type { WriterReply, WriterRequest } from './writer-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('the writer runs in a thread of its own');
const { path, timeout } = workerData as { readonly path: string; readonly timeout: number };
const db = new DatabaseSync(path, { timeout });
db.exec(settings);
const committer = new Committer(db);
const tasks = new Tasks(db);

function done(results: readonly CommitResult[]): WriterReply {
  return { kind: 'done', results, nextPosition: committer.nextPosition };
}

function perform(request: WriterRequest): WriterReply {
  switch (request.kind) {
    case 'commit':
      return done(committer.commit(request.entries, request.floor));
    case 'saveTask':
      tasks.save(request.task);
      break;
    case 'deleteTask':
      tasks.delete(request.taskId);
      break;
    case 'checkpoint':
      db.exec('PRAGMA wal_checkpoint(PASSIVE)');
      break;
    case 'close':
      db.close();
      break;
  }
  return done([]);
}

port.on('message', (request: WriterRequest) => {
  let reply: WriterReply;
  try {
    reply = perform(request);
  } catch (error) {
    if (isSqliteError(error)) {
      const { errcode, errstr, message } = error;
      reply = { kind: 'failed', failure: { errcode, errstr, message } };
    } else {
      reply = { kind: 'bug', message: error instanceof Error ? error.message : String(error) };
    }
  }
  port.postMessage(reply);
  if (request.kind === 'close') port.close();
});
port.postMessage({ kind: 'ready' } satisfies WriterReply);
