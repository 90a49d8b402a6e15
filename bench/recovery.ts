import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { createIds } from '../src/actors/ids.ts';
import { systemClock } from '../src/actors/time/system-clock.ts';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, ExecutionStatus, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { openSqliteStore } from '../src/stores/sqlite/store.ts';
import type { CommitEntry, Store } from '../src/stores/store.ts';
import { count, register } from './calls.ts';
import { type BenchServer, startSpear } from './server.ts';
import type { Row } from './table.ts';

const unfinished = 100_000;
const goalMs = 5000;
const atOnce = 1000;
const hourMs = 3_600_000;

/** The only slot is taken, so that all of them stay unfinished while they are counted. */
const options = { SPEAR_SLOTS: '1', SPEAR_QUEUE_LIMIT: '1000000' };

/** From the spawn of a server to its ready line, on a data folder full of executions that a killed one left. */
export async function recoveryRow(): Promise<Row> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spear-bench-'));
  try {
    await leaveSome(dataDir);
    const written = await multiply(dataDir);
    const began = performance.now();
    const spear = await startSpear({ ...options, SPEAR_DATA_DIR: dataDir });
    const tookMs = performance.now() - began;
    const connection = connect(spear.grpcAddress);
    const listed = await count(connection, 0, [ExecutionStatus.PENDING, ExecutionStatus.RUNNING]);
    connection.close();
    await kill(spear);
    if (listed !== written) throw new Error(`${listed} of ${written} unfinished executions are listed`);
    return {
      what: `start with ${unfinished} unfinished executions, ms`,
      spear: tookMs.toFixed(0),
      limit: String(goalMs),
      ratio: tookMs / goalMs,
      goal: '<= 1',
    };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A server that is killed while one execution runs, one is queued, and one waits for its start time. */
async function leaveSome(dataDir: string): Promise<void> {
  const spear = await startSpear({ ...options, SPEAR_DATA_DIR: dataDir });
  const connection = connect(spear.grpcAddress);
  const functions = connection.service(FunctionService);
  await register(connection, 'loop', 'misbehaving/loop.wasm');
  const request = { task: 'loop', executionMode: ExecutionMode.ASYNC, input: Buffer.alloc(100) };
  await functions.invokeFunction(request);
  await functions.invokeFunction(request);
  await functions.invokeFunction({ ...request, startAfter: durationFromMs(hourMs) });
  connection.close();
  await kill(spear);
}

/** Writes the pending ones again and again under other ids. Resolves with how many unfinished ones there are then. */
async function multiply(dataDir: string): Promise<number> {
  const store = await openSqliteStore({ dataDir });
  const ids = createIds(systemClock);
  const left = await store.unfinished('', 10);
  const waiting = left.filter(({ status }) => status === 'pending');
  if (waiting.length !== 2) throw new Error(`${waiting.length} pending executions were left`);
  const originals = await Promise.all(waiting.map(({ executionId }) => readAdmission(store, executionId)));
  for (let written = 0; written < unfinished; written += atOnce) {
    const entries = Array.from({ length: atOnce }, (_, index) =>
      copy(originals[index % originals.length] as CommitEntry, ids('exec_')),
    );
    const results = await store.commit(entries);
    if (results.some(({ ok }) => !ok)) throw new Error('a copy of an execution could not be written');
  }
  await store.close();
  return left.length + unfinished;
}

async function readAdmission(store: Store, executionId: string): Promise<CommitEntry> {
  const record = await store.execution(executionId);
  const input = await store.input(executionId);
  const events = await store.events(executionId, { from: 1, maxBytes: 1 << 20 });
  if (record === undefined || input === undefined) throw new Error(`${executionId} is not whole`);
  return { executionId, expectedLastSequence: 0, events, record, input };
}

/** The machine's context has the id as well. */
function copy(entry: CommitEntry, executionId: string): CommitEntry {
  return {
    ...entry,
    executionId,
    ...(entry.record && { record: { ...entry.record, executionId } }),
    events: entry.events.map((event) =>
      event.kind === 'transition'
        ? { ...event, contextPatch: event.contextPatch.replaceAll(entry.executionId, executionId) }
        : event,
    ),
  };
}

/** As a crash would. */
async function kill(spear: BenchServer): Promise<void> {
  process.kill(spear.pid, 'SIGKILL');
  await spear.stop();
}
