import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { NewEvent } from '../../src/domain/event.ts';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { DamagedError } from '../../src/stores/store.ts';
import { temporaryFolder } from './folder.ts';
import { bytesOf, chunk, executionId, recordOf, result, shortLog, transition } from './samples.ts';

const all = { from: 1, maxBytes: 10_000_000 };
const [one, two] = [executionId(1), executionId(2)];

async function opened() {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  onTestFinished(() => db.close());
  return { store, db, dataDir };
}

function whole(executionId: string, events: readonly NewEvent[] = shortLog()) {
  const record = recordOf(executionId, 'completed', { lastSequence: events.length });
  return { executionId, expectedLastSequence: 0, events, record };
}

async function findings(dataDir: string) {
  const { findings } = await checkDataDir(dataDir);
  return findings.filter(({ subject }) => !subject.startsWith('task_'));
}

test('the commit of a short execution writes a page for its log and four for its record and what it is listed by', async () => {
  const { store, db } = await opened();
  // The pages that the first rows make are there.
  for (let number = 1; number <= 40; number++) await store.commit([whole(executionId(number))]);
  const pages = () => {
    const { log, checkpointed } = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as Record<
      string,
      number
    >;
    expect(checkpointed).toBe(log);
    return log;
  };
  pages();
  const written: number[] = [];
  for (let number = 41; number <= 60; number++) {
    await store.commit([whole(executionId(number))]);
    written.push(Number(pages()));
  }
  // Now and then a row finds its page full, and makes another.
  expect(Math.min(...written)).toBe(5);
});

test('a log that more follows after all is whole, and so is what is staged or has several rows', async () => {
  const { store, dataDir } = await opened();
  await store.commit([whole(one)]);
  const next = transition(4, 'completed', 'completed');
  expect(await store.commit([{ executionId: one, expectedLastSequence: 3, events: [next] }])).toMatchObject([
    { ok: true },
  ]);
  expect(await store.events(one, all)).toHaveLength(4);
  expect(await store.outline(one)).toMatchObject({ transitions: [{}, {}, {}] });
  const large = [
    ...shortLog().slice(0, 2),
    chunk(3, bytesOf(700_000)),
    chunk(4, bytesOf(700_000)),
    result(5),
  ];
  await store.commit([whole(two, large)]);
  expect(await store.events(two, all)).toHaveLength(5);
  await store.stage(executionId(3), shortLog());
  expect(await store.commit([whole(executionId(3))])).toMatchObject([{ ok: false, conflict: 'sequence' }]);
  await store.unstage(executionId(3));
  expect(await store.commit([whole(executionId(3))])).toMatchObject([{ ok: true }]);
  expect((await findings(dataDir)).filter(({ subject }) => subject !== one)).toEqual([]);
});

test('a log that is written a second time, whole or not, changes nothing', async () => {
  const { store } = await opened();
  await store.commit([whole(one)]);
  const begun = { ...whole(one, shortLog().slice(0, 1)), record: recordOf(one, 'pending') };
  for (const again of [whole(one), begun, { ...begun, claimInvocationId: 'key' }]) {
    expect(await store.commit([again])).toEqual([{ ok: false, conflict: 'sequence', lastSequence: 3 }]);
  }
  expect(await store.execution(one)).toMatchObject({ status: 'completed' });
  expect(await store.commit([whole(two)])).toEqual([{ ok: true, position: 4 }]);
});

test.each([
  ['whose row is not there', 'UPDATE segments SET position = position + 100'],
  ['whose row is gone', 'DELETE FROM segments'],
  ['that leads elsewhere', 'UPDATE executions SET log_position = log_position + 1'],
])('an execution %s is found by whoever reads its log, and by the check', async (_, sql) => {
  const { store, db, dataDir } = await opened();
  await store.commit([whole(one)]);
  db.exec(sql);
  await expect(store.events(one, all)).rejects.toBeInstanceOf(DamagedError);
  await expect(store.outline(one)).rejects.toBeInstanceOf(DamagedError);
  expect(await findings(dataDir)).toContainEqual(expect.objectContaining({ subject: one }));
  expect(await store.delete(one)).toBe(true);
});
