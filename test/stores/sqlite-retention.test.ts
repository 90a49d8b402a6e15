/** What the embedded store has beside its tables goes too, when nothing names it any more. */
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { moved } from '../../src/domain/revisions/alias.ts';
import type { TaskDefinition } from '../../src/domain/task.ts';
import { openArtifacts } from '../../src/stores/artifacts.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import type { CommitEntry, Retention, Store } from '../../src/stores/store.ts';
import { temporaryFolder } from './folder.ts';
import { bytesOf, executionId, invocationOf, recordOf, shortLog, taskOf } from './samples.ts';

const hourMs = 3_600_000;
const nothing: Retention = { endedBefore: 0, maxBytes: 1e15, now: Date.now(), unusedForMs: hourMs };

async function opened() {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  const names = (folder: string) => readdir(join(dataDir, folder));
  return { dataDir, store, names };
}

async function retainAll(store: Store, retention: Partial<Retention>): Promise<void> {
  for (let more = true; more; ) ({ more } = await store.retain({ ...nothing, ...retention }));
}

function finished(number: number, bytes: number, more: Partial<CommitEntry> = {}): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'completed', { createdAt: number, completedAt: number, taskId: 'task_1' });
  const input = invocationOf({ input: bytesOf(bytes) });
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record, input, ...more };
}

function taskWith(revision: number, sha256: string, taskId = 'task_1', name = 'echo') {
  const task = taskOf(taskId, revision, name);
  const artifact: TaskDefinition['artifact'] = { kind: 'wasm', sha256, sizeBytes: 1 };
  return { ...task, definition: { ...task.definition, artifact } };
}

/** Makes a file or folder older than anything that is under way. */
async function aged(path: string): Promise<void> {
  await utimes(path, 1, 1);
}

test('a large input goes at once with the last execution that has it', async () => {
  const { store, names } = await opened();
  await store.commit([finished(1, 300_000), finished(2, 300_000), finished(3, 400_000)]);
  expect(await names('blobs')).toHaveLength(2);
  await store.delete(executionId(1));
  expect(await names('blobs')).toHaveLength(2);
  expect((await store.input(executionId(2)))?.input.byteLength).toBe(300_000);
  await store.delete(executionId(2));
  expect(await names('blobs')).toHaveLength(1);
  await retainAll(store, { endedBefore: 1e15 });
  expect(await names('blobs')).toEqual([]);
});

test('large inputs count as bytes in use', async () => {
  const { store, names } = await opened();
  await store.commit([1, 2, 3, 4].map((number) => finished(number, 1_000_000 + number)));
  await retainAll(store, { maxBytes: 3_000_000 });
  expect(await store.execution(executionId(1))).toBeUndefined();
  expect(await store.execution(executionId(4))).toBeDefined();
  expect((await names('blobs')).length).toBeLessThan(3);
});

test('a commit that names a large input keeps it, whoever deletes the last other one meanwhile', async () => {
  const { store, names } = await opened();
  await store.commit([finished(1, 300_000)]);
  for (let turn = 2; turn < 20; turn++) {
    const [deleted, [committed]] = await Promise.all([
      store.delete(executionId(turn - 1)),
      store.commit([finished(turn, 300_000)]),
    ]);
    expect([deleted, committed]).toMatchObject([true, { ok: true }]);
    expect((await store.input(executionId(turn)))?.input.byteLength).toBe(300_000);
  }
  expect(await names('blobs')).toHaveLength(1);
});

test('a file that a commit in conflict left goes when it is old enough, and no sooner', async () => {
  const { dataDir, store, names } = await opened();
  await store.commit([finished(1, 10)]);
  await store.commit([finished(1, 300_000)]);
  const [left = ''] = await names('blobs');
  await retainAll(store, {});
  expect(await names('blobs')).toEqual([left]);
  await aged(join(dataDir, 'blobs', left));
  await retainAll(store, { now: Date.now() + hourMs });
  expect(await names('blobs')).toEqual([]);
});

test('a file whose time is only that of a clock that was set stays', async () => {
  const { dataDir, store, names } = await opened();
  await store.commit([finished(1, 10)]);
  await store.commit([finished(1, 300_000)]);
  const [left = ''] = await names('blobs');
  await aged(join(dataDir, 'blobs', left));
  await retainAll(store, { now: Date.now() + hourMs, writtenBefore: 0 });
  expect(await names('blobs')).toEqual([left]);
  await retainAll(store, { now: Date.now() + 3 * hourMs, writtenBefore: Date.now() });
  expect(await names('blobs')).toEqual([]);
});

test('a revision goes when no name and no execution has used it for a while', async () => {
  const { store } = await opened();
  // The newest ten are kept for their own sake.
  const kept = Array.from({ length: 9 }, (_, index) => index + 4);
  for (const revision of [1, 2, 3, ...kept]) await store.saveTask(taskWith(revision, 'a'.repeat(64)));
  await store.saveTask(taskWith(1, 'a'.repeat(64), 'task_2', 'gone'));
  await store.deleteTask('task_2');
  await store.commit([finished(1, 10)]);
  const revisions = async () => {
    const all = [1, 2, 3].map((revision) => store.taskRevision('task_1', revision));
    const found = (await Promise.all([...all, store.taskById('task_2')])).filter(
      (task) => task !== undefined,
    );
    return found.map(({ taskId, revision }) => `${taskId}@${revision}`);
  };
  const everything = ['task_1@1', 'task_1@2', 'task_1@3', 'task_2@1'];
  await retainAll(store, {});
  await retainAll(store, { now: nothing.now + hourMs - 1 });
  expect(await revisions()).toEqual(everything);
  await retainAll(store, { now: nothing.now + hourMs });
  expect(await revisions()).toEqual(['task_1@1', 'task_1@3']);
  await store.delete(executionId(1));
  await retainAll(store, { now: nothing.now + 2 * hourMs });
  expect(await revisions()).toEqual(['task_1@1', 'task_1@3']);
  await retainAll(store, { now: nothing.now + 3 * hourMs });
  expect(await revisions()).toEqual(['task_1@3']);
});

test('a revision stays while an alias names it, or has named it in the moves that it remembers', async () => {
  const { store } = await opened();
  const all = Array.from({ length: 14 }, (_, index) => index + 1);
  for (const revision of all) await store.saveTask(taskWith(revision, 'a'.repeat(64)));
  const to = (revision: number) => ({ shares: [{ revision, percent: 100 }], at: 1, by: 'socket' });
  const live = moved('live', moved('live', undefined, to(1)), to(3));
  await store.saveAlias('task_1', 'live', live);
  const swept = async (hours: number) => {
    await retainAll(store, { now: nothing.now + hours * hourMs });
    return (await store.taskRevisions('task_1', 99, 99)).map(({ revision }) => revision).reverse();
  };
  const newest = all.slice(4);
  await swept(0);
  expect(await swept(1)).toEqual([1, 3, ...newest]);
  // The oldest move is forgotten as others come.
  const moves = Array.from({ length: 9 }, () => to(3));
  await store.saveAlias(
    'task_1',
    'live',
    moves.reduce((alias, move) => moved('live', alias, move), live),
  );
  await swept(3);
  expect(await swept(5)).toEqual([3, ...newest]);
  await store.saveAlias('task_1', 'live', undefined);
  await swept(7);
  expect(await swept(9)).toEqual(newest);
});

test('an artifact goes when no revision names it, and with it what it was transpiled to', async () => {
  const { dataDir, store, names } = await opened();
  const artifacts = await openArtifacts(join(dataDir, 'artifacts'));
  const [used, unused, young] = await Promise.all([10, 20, 30].map((size) => artifacts.put(bytesOf(size))));
  if (used === undefined || unused === undefined || young === undefined) throw new Error('three were put');
  await store.saveTask(taskWith(1, used.sha256));
  for (const { sha256 } of [used, unused, young]) {
    const folder = join(dataDir, 'cache', `${sha256}-jco1.0.0-f1`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'manifest.json'), '{}');
    await aged(folder);
  }
  for (const { sha256 } of [used, unused]) await aged(join(dataDir, 'artifacts', sha256));
  await retainAll(store, {});
  expect((await names('artifacts')).sort()).toEqual([used.sha256, young.sha256].sort());
  expect((await names('cache')).map((name) => name.slice(0, 64)).sort()).toEqual(
    [used.sha256, young.sha256].sort(),
  );
});

test('an artifact that is put again is young again', async () => {
  const { dataDir, store, names } = await opened();
  const artifacts = await openArtifacts(join(dataDir, 'artifacts'));
  const { sha256 } = await artifacts.put(bytesOf(10));
  await aged(join(dataDir, 'artifacts', sha256));
  await artifacts.put(bytesOf(10));
  await retainAll(store, {});
  expect(await names('artifacts')).toEqual([sha256]);
  expect(await artifacts.load(sha256)).toEqual(bytesOf(10));
});

test('a step that finds nothing to do says so, and a second pass over the files waits its time', async () => {
  const { dataDir, store, names } = await opened();
  await retainAll(store, {});
  const artifacts = await openArtifacts(join(dataDir, 'artifacts'));
  const { sha256 } = await artifacts.put(bytesOf(10));
  await aged(join(dataDir, 'artifacts', sha256));
  expect(await store.retain(nothing)).toEqual({ deletedExecutions: [], deletedLogs: 0, more: false });
  expect(await names('artifacts')).toEqual([sha256]);
  await retainAll(store, { now: nothing.now + hourMs });
  expect(await names('artifacts')).toEqual([]);
});

test('what follows an execution of a clock that was wrong is not kept for that, for long', async () => {
  const { store } = await opened();
  const late = recordOf(executionId(1), 'completed', { createdAt: 1e12, completedAt: 1e12 });
  await store.commit([{ ...finished(1, 10), record: late }]);
  await retainAll(store, { endedBefore: 100 });
  await store.commit([finished(2, 10)]);
  for (let round = 0; round < 360; round++) await retainAll(store, { endedBefore: 100 });
  expect(await store.execution(executionId(1))).toBeDefined();
  expect(await store.execution(executionId(2))).toBeUndefined();
});
