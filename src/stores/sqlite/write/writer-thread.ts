/** The thread that writes: a connection of its own, so that a sync of the disk never holds up the node. */
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { isSqliteError } from '../file/failure.ts';
import { HighWater } from '../file/high-water.ts';
import { Floor, progressOf } from '../file/positions.ts';
import { settings } from '../file/settings.ts';
import { AliasRows } from '../read/aliases.ts';
import { OrderRows } from '../read/order-rows.ts';
import { QuotaRows } from '../read/quotas.ts';
import { SideRows } from '../read/side-rows.ts';
import { Tasks } from '../read/tasks.ts';
import { Removal } from '../retention/removal.ts';
import { Retainer } from '../retention/retainer.ts';
import { BatchRows } from './batch-rows.ts';
import { Committer } from './committer.ts';
import { inTransaction } from './transaction.ts';
import type { WriterAnswers, WriterReply, WriterRequest } from './writer-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('the writer runs in a thread of its own');
const { path, timeout } = workerData as { readonly path: string; readonly timeout: number };
const db = new DatabaseSync(path, { timeout });
db.exec(settings);
const committer = new Committer(db);
const tasks = new Tasks(db);
const quotas = new QuotaRows(db);
const aliases = new AliasRows(db);
const sideRows = new SideRows(db);
const order = new OrderRows(db);
const batches = new BatchRows(db);
const removal = new Removal(db);
const retainer = new Retainer(db, removal);
const floor = new Floor(db);
const highWater = new HighWater(dirname(path));
const written = db.prepare('SELECT total_changes() AS count');
let { changes } = progressOf(db);

/** A write that brings no event is counted, so that its loss is noticed as well. */
function counted<T>(work: () => T): T {
  const before = written.get()?.count;
  const result = inTransaction(db, () => {
    const done = work();
    if (written.get()?.count !== before) floor.count();
    return done;
  });
  const reached = progressOf(db);
  changes = reached.changes;
  highWater.write(reached);
  return result;
}

function advanced<T>(work: () => T): T {
  const result = work();
  highWater.write({ next: committer.nextPosition, changes });
  return result;
}

type Handlers = {
  readonly [Kind in WriterRequest['kind']]: (
    request: Extract<WriterRequest, { kind: Kind }>,
  ) => WriterAnswers[Kind];
};

const handlers: Handlers = {
  commit: ({ entries, floor }) => advanced(() => committer.commit(entries, floor)),
  stage: ({ executionId, segments, floor }) => advanced(() => committer.stage(executionId, segments, floor)),
  commitBatch: ({ batch, entries, part, floor }) =>
    advanced(() => committer.commitBatch(batch, entries, part, floor)),
  superviseBatch({ before, batch, entries, endings, floor }) {
    if (entries.length > 0) {
      return advanced(() => committer.superviseBatch(before, batch, entries, endings, floor));
    }
    const isWritten = counted(() => batches.supervise(before, batch, endings));
    return isWritten ? { ok: true, positions: [] } : { ok: false, conflict: 'changed' };
  },
  saveBatch: ({ batch }) => counted(() => void batches.save(batch)),
  dropBatch({ batchId }) {
    committer.forget();
    return counted(() => batches.drop(batchId));
  },
  unstage: ({ executionId }) => void committer.unstage(executionId),
  delete({ executionId }) {
    committer.forget();
    return counted(() => removal.delete(executionId));
  },
  retain({ target }) {
    committer.forget();
    return counted(() => retainer.step(target));
  },
  saveTask: ({ task }) => counted(() => void tasks.save(task)),
  saveRevision: ({ task }) => counted(() => void tasks.saveRevision(task)),
  deleteTask: ({ taskId }) => counted(() => void tasks.delete(taskId)),
  saveQuota: ({ tenant, quota }) => counted(() => void quotas.save(tenant, quota)),
  saveRows: ({ rows }) => counted(() => void sideRows.save(rows)),
  saveOrder: ({ changes }) => counted(() => order.save(changes)),
  deleteRevision: ({ revision }) => counted(() => tasks.deleteRevision(revision)),
  dropRevision: ({ revision }) => counted(() => tasks.dropRevision(revision)),
  saveAlias: ({ taskId, name, alias }) => counted(() => void aliases.save(taskId, name, alias)),
  checkpoint() {
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    highWater.sync();
  },
  close() {
    db.close();
    highWater.close();
  },
};

function perform(request: WriterRequest): WriterReply {
  // Each kind has the handler of its own requests, which the compiler does not follow through the union.
  const handle = handlers[request.kind] as (request: WriterRequest) => WriterAnswers[keyof WriterAnswers];
  const answer = handle(request);
  return { kind: 'done', answer, nextPosition: committer.nextPosition, changes };
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
port.postMessage({ kind: 'ready', changes } satisfies WriterReply);
