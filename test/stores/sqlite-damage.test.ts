import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { endIncompatible } from '../../src/actors/executions/recovery/stored-execution.ts';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import type { CommitEntry, Store } from '../../src/stores/store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { temporaryFolder } from './folder.ts';
import { chunk, executionId, recordOf, result, shortLog, taskOf, transition } from './samples.ts';

const all = { from: 1, maxBytes: 1 << 20 };
const none = { endedBefore: 0, maxBytes: 1e15, now: 0, unusedForMs: 1e15 };

function creating(number: number, status: 'running' | 'completed'): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, status, { createdAt: number, completedAt: number });
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record };
}

/** A store of which one thing is damaged by `sql`. */
async function damaged(sql: string): Promise<Store> {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  await store.commit([1, 2, 3, 4].map((number) => creating(number, number > 2 ? 'completed' : 'running')));
  for (const name of ['a', 'b']) await store.saveTask(taskOf(`task_${name}`, 1, name));
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(sql);
  db.close();
  return store;
}

const ids = (records: readonly { readonly executionId: string }[]) =>
  records.map((record) => Number(record.executionId.slice(5)));

test('a record that is damaged is an error of its own, and lists leave it out', async () => {
  const store = await damaged(
    `UPDATE executions SET record = '{"exec' WHERE execution_id = '${executionId(1)}'`,
  );
  await expect(store.execution(executionId(1))).rejects.toMatchObject({ name: 'DamagedError' });
  await expect(store.execution(executionId(1))).rejects.toThrow(`the record of ${executionId(1)} is damaged`);
  expect((await store.execution(executionId(2)))?.status).toBe('running');
  expect(ids(await store.executions({ statuses: [], limit: 10 }))).toEqual([4, 3, 2]);
  expect(ids(await store.unfinished('', 1))).toEqual([2]);
  expect(await store.unfinished(executionId(2), 1)).toEqual([]);
});

test.for(['[["t",1', '7', '[]', '[1]'])(
  'a log that is damaged to %s is an error of its own',
  async (meta) => {
    const store = await damaged(
      `UPDATE segments SET meta = '${meta}' WHERE execution_id = '${executionId(1)}'`,
    );
    await expect(store.events(executionId(1), all)).rejects.toMatchObject({ name: 'DamagedError' });
    await expect(store.outline(executionId(1))).rejects.toMatchObject({ name: 'DamagedError' });
    expect(await store.events(executionId(2), all)).toHaveLength(3);
    const seen = await store.eventsFromPosition(0, 100);
    expect(new Set(ids(seen))).toEqual(new Set([2, 3, 4]));
  },
);

test('a task that is damaged is an error of its own, and lists leave it out', async () => {
  const store = await damaged(`UPDATE tasks SET task = '{' WHERE task_id = 'task_a'`);
  await expect(store.taskByName('default', 'a')).rejects.toMatchObject({ name: 'DamagedError' });
  expect((await store.tasks('default', '', 10)).map((task) => task.taskId)).toEqual(['task_b']);
});

test('retention goes past what is damaged', async () => {
  const store = await damaged(
    `UPDATE executions SET record = '{' WHERE execution_id = '${executionId(3)}';
     UPDATE segments SET meta = '[' WHERE execution_id = '${executionId(4)}'`,
  );
  expect(await store.retain({ ...none, maxBytes: 1 })).toMatchObject({ deletedLogs: 1 });
  for (let more = true; more; ) ({ more } = await store.retain({ ...none, endedBefore: 1e15 }));
  expect(await store.execution(executionId(4))).toBeUndefined();
  await expect(store.execution(executionId(3))).rejects.toMatchObject({ name: 'DamagedError' });
  expect(ids(await store.unfinished('', 10))).toEqual([1, 2]);
});

test('while somebody else holds the database for longer than a moment, the thread of the caller goes on', async () => {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  const other = new DatabaseSync(join(dataDir, 'spear.db'));
  onTestFinished(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  let turns = 0;
  const turn = (): void => {
    turns++;
    if (turns < 100) setImmediate(turn);
    else other.exec('COMMIT');
  };
  setImmediate(turn);
  expect(await store.commit([creating(1, 'running')])).toEqual([{ ok: true, position: 1 }]);
  expect(turns).toBe(100);
});

test('the reserve is there after the first step of retention, of the size that was asked for', async () => {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 100_000 });
  onTestFinished(() => store.close());
  await store.retain(none);
  expect((await stat(join(dataDir, 'ballast'))).size).toBe(100_000);
  expect(store.lowSpace).toBe(false);
  expect(await readdir(dataDir)).toContain('ballast');
});

test('a log that lies on a page that is damaged is an error of its own', async () => {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  const id = executionId(1);
  const output = randomBytes(200_000);
  const long = [transition(1, '', 'pending.queued'), chunk(2, output), result(3)];
  await store.commit([{ ...creating(1, 'completed'), events: long }, creating(2, 'completed')]);
  await store.close();
  // Its bytes fill pages of their own, whose first number is the page that follows.
  const file = join(dataDir, 'spear.db');
  const bytes = await readFile(file);
  const at = bytes.indexOf(output.subarray(100_000, 100_064));
  bytes.fill(0xff, Math.floor(at / 4096) * 4096, Math.floor(at / 4096) * 4096 + 4);
  await writeFile(file, bytes);
  const hurt = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => hurt.close());
  await expect(hurt.events(id, all)).rejects.toMatchObject({ name: 'DamagedError' });
  expect(await hurt.events(executionId(2), all)).toHaveLength(3);
});

test('an unfinished execution whose log is gone is ended', async () => {
  const store = await damaged(`DELETE FROM segments WHERE execution_id = '${executionId(1)}'`);
  const record = (await store.execution(executionId(1))) as ExecutionRecord;
  const time = new NodeTime(new FakeClock({ wall: record.createdAt + 1000 }));
  const ended = await endIncompatible(store, time, record, 'its log is gone');
  expect(ended).toMatchObject({ status: 'failed', outcome: { code: 'SNAPSHOT_INCOMPATIBLE' } });
  expect(await store.execution(executionId(1))).toEqual(ended);
  expect(await store.events(executionId(1), all)).toMatchObject([{ kind: 'result', status: 'failed' }]);
});
