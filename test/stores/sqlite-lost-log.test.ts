/** What was acknowledged and is no longer there is noticed at the start, and two servers never use one folder. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { compactDataDir } from '../../src/stores/sqlite/check/compact.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { type CommitEntry, type Store, StoreError } from '../../src/stores/store.ts';
import { errorLine, run } from '../cli/spear.ts';
import { temporaryFolder } from './folder.ts';
import { executionId, recordOf, shortLog, taskOf } from './samples.ts';

function creating(number: number): CommitEntry {
  const id = executionId(number);
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record: recordOf(id, 'running') };
}

async function opened(dataDir: string): Promise<Store> {
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  return store;
}

async function begun() {
  const dataDir = await temporaryFolder();
  return { dataDir, store: await opened(dataDir) };
}

/** The folder as `kill -9` leaves it now. */
async function killed(dataDir: string): Promise<{ readonly dataDir: string; readonly log: string }> {
  const copy = await temporaryFolder();
  await cp(dataDir, copy, { recursive: true });
  return { dataDir: copy, log: join(copy, 'spear.db-wal') };
}

/** The log is in the database, and begins anew. */
function checkpointed(dataDir: string): void {
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

async function expectLoss(dataDir: string): Promise<void> {
  const loss = /ends with event .* were acknowledged: .*spear\.db-wal was lost, or replaced by an older one/;
  await expect(openSqliteStore({ dataDir })).rejects.toThrow(loss);
  await expect(openSqliteStore({ dataDir })).rejects.toBeInstanceOf(StoreError);
  await expect(compactDataDir(dataDir)).rejects.toThrow(loss);
}

test('a log that was lost is noticed by the start and by the check, and nothing is served', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  checkpointed(dataDir);
  await store.commit([creating(2)]);
  const left = await killed(dataDir);
  await rm(left.log);
  await expectLoss(left.dataDir);
  const { findings } = await checkDataDir(left.dataDir);
  expect(findings).toContainEqual({
    subject: 'database',
    message: expect.stringContaining(
      'ends with event 3 and change 0, and event 6 and change 0 were acknowledged',
    ),
  });
});

test('a log that was lost before any of it was in the database is noticed', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  const left = await killed(dataDir);
  await rm(left.log);
  await expectLoss(left.dataDir);
});

test('an older log in place of the newest is noticed, is left as it is, and the newest can be put back', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  const older = await readFile(join(dataDir, 'spear.db-wal'));
  await store.commit([creating(2)]);
  const left = await killed(dataDir);
  const newest = await readFile(left.log);
  await writeFile(left.log, older);
  await expectLoss(left.dataDir);
  expect((await readFile(left.log)).equals(older)).toBe(true);
  await writeFile(left.log, newest);
  const again = await opened(left.dataDir);
  expect(await again.execution(executionId(2))).toBeDefined();
});

test('a task that was registered, deleted or lost with the log is noticed as well', async () => {
  const { dataDir, store } = await begun();
  await store.saveTask(taskOf('task_1', 1, 'echo'));
  checkpointed(dataDir);
  await store.saveTask(taskOf('task_2', 1, 'late'));
  const registered = await killed(dataDir);
  await rm(registered.log);
  await expectLoss(registered.dataDir);
  checkpointed(dataDir);
  await store.deleteTask('task_1');
  const deleted = await killed(dataDir);
  await rm(deleted.log);
  await expectLoss(deleted.dataDir);
});

test('a commit that the thread of the writer made is counted like one of the caller', async () => {
  const { dataDir, store } = await begun();
  await store.commit([1, 2, 3, 4, 5].map(creating));
  checkpointed(dataDir);
  await store.commit([6, 7, 8, 9, 10].map(creating));
  const left = await killed(dataDir);
  await rm(left.log);
  await expectLoss(left.dataDir);
});

test('nothing is missed after a crash, a clean end, a checkpoint by another program, compacting or a deletion', async () => {
  const { dataDir, store } = await begun();
  await store.saveTask(taskOf('task_1', 1, 'echo'));
  await store.commit([creating(1)]);
  await store.commit([{ ...creating(2), record: recordOf(executionId(2), 'completed') }]);
  await store.delete(executionId(2));
  const crashed = await killed(dataDir);
  await (await opened(crashed.dataDir)).close();
  const saved = await killed(dataDir);
  checkpointed(saved.dataDir);
  await rm(saved.log, { force: true });
  await (await opened(saved.dataDir)).close();
  await compactDataDir(saved.dataDir);
  await (await opened(saved.dataDir)).close();
  await store.close();
  const again = await opened(dataDir);
  expect(await again.commit([creating(3)])).toEqual([{ ok: true, position: 7 }]);
});

test('who knows that something is missing can go on without it', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  checkpointed(dataDir);
  await store.commit([creating(2)]);
  const left = await killed(dataDir);
  await rm(left.log);
  await rm(join(left.dataDir, 'high-water'));
  const again = await opened(left.dataDir);
  expect(await again.execution(executionId(1))).toBeDefined();
  expect(await again.execution(executionId(2))).toBeUndefined();
});

test('a folder whose database was moved away begins anew', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  await store.close();
  await rm(join(dataDir, 'spear.db'));
  const again = await opened(dataDir);
  expect(await again.commit([creating(2)])).toEqual([{ ok: true, position: 1 }]);
});

test('a mark that is damaged keeps nobody from starting, and the check tells of it', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  await store.close();
  await writeFile(join(dataDir, 'high-water'), '99 0 1\n');
  const finding = { subject: 'high-water', message: 'it is damaged' };
  expect((await checkDataDir(dataDir)).findings).toContainEqual(finding);
  await opened(dataDir);
  expect((await checkDataDir(dataDir)).findings).not.toContainEqual(finding);
});

test('a folder whose lock was deleted is not given to a second server, and the first one writes no more', async () => {
  const { dataDir, store } = await begun();
  await store.commit([creating(1)]);
  await rm(join(dataDir, 'lock.db'));
  for (const args of [
    ['serve', '--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'],
    ['db', 'compact'],
  ]) {
    const ended = await run([...args, '--data-dir', dataDir]);
    expect(ended.code).toBe(1);
    expect(errorLine(ended)).toContain(
      `${join(dataDir, 'lock.db')} was deleted, and another program has its spear.db open`,
    );
  }
  await expect(store.commit([creating(2)])).rejects.toThrow('lock.db is no longer there');
  expect(await store.execution(executionId(1))).toBeDefined();
  // Made by hand, it is free, but not the one that the first server holds.
  await writeFile(join(dataDir, 'lock.db'), '');
  await expect(store.commit([creating(2)])).rejects.toThrow('lock.db is another file');
  await rm(join(dataDir, 'lock.db'));
  await store.close();
  const again = await opened(dataDir);
  expect(await again.commit([creating(2)])).toEqual([{ ok: true, position: 4 }]);
});
