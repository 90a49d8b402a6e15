/** The thread that writes: a connection of its own, so that a sync of the disk never holds up the node. */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { Committer } from './committer.ts';
import { isSqliteError } from './failure.ts';
import { Removal } from './removal.ts';
import { Retainer } from './retainer.ts';
import { settings } from './settings.ts';
import { Tasks } from './tasks.ts';
import type { WriterAnswers, WriterReply, WriterRequest } from './writer-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('the writer runs in a thread of its own');
const { path, timeout } = workerData as { readonly path: string; readonly timeout: number };
const db = new DatabaseSync(path, { timeout });
db.exec(settings);
const committer = new Committer(db);
const tasks = new Tasks(db);
const removal = new Removal(db);
const retainer = new Retainer(db, removal);

type Handlers = {
  readonly [Kind in WriterRequest['kind']]: (
    request: Extract<WriterRequest, { kind: Kind }>,
  ) => WriterAnswers[Kind];
};

const handlers: Handlers = {
  commit: ({ entries, floor }) => committer.commit(entries, floor),
  stage: ({ executionId, segments, floor }) => committer.stage(executionId, segments, floor),
  unstage: ({ executionId }) => void committer.unstage(executionId),
  delete({ executionId }) {
    committer.forget();
    return removal.delete(executionId);
  },
  retain({ target }) {
    committer.forget();
    return retainer.step(target);
  },
  saveTask: ({ task }) => void tasks.save(task),
  saveRevision: ({ task }) => void tasks.saveRevision(task),
  deleteTask: ({ taskId }) => void tasks.delete(taskId),
  deleteRevision: ({ revision }) => tasks.deleteRevision(revision),
  checkpoint: () => void db.exec('PRAGMA wal_checkpoint(PASSIVE)'),
  close: () => void db.close(),
};

function perform(request: WriterRequest): WriterReply {
  // Each kind has the handler of its own requests, which the compiler does not follow through the union.
  const handle = handlers[request.kind] as (request: WriterRequest) => WriterAnswers[keyof WriterAnswers];
  const answer = handle(request);
  return { kind: 'done', answer, nextPosition: committer.nextPosition };
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
