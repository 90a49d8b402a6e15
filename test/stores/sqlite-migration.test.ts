import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import type { Labels } from '../../src/domain/labels.ts';
import { moved } from '../../src/domain/revisions/alias.ts';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { migrations } from '../../src/stores/sqlite/file/schema.ts';
import { encodeMeta, joinChunks } from '../../src/stores/sqlite/read/segment.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { temporaryFolder } from './folder.ts';
import {
  bytesOf,
  chunk,
  executionId,
  invocationOf,
  recordOf,
  result,
  shortLog,
  taskOf,
  transition,
} from './samples.ts';

/** A database as version 1 wrote it, with some of everything. */
async function versionOne(): Promise<string> {
  const dataDir = await temporaryFolder();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(`PRAGMA journal_mode = WAL; ${migrations[0]}; PRAGMA user_version = 1`);
  const segment = db.prepare('INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)');
  const execution = db.prepare('INSERT INTO executions VALUES (?, ?, ?, ?, ?)');
  const [one, two] = [executionId(1), executionId(2)];
  const log = shortLog();
  segment.run(1, one, 1, 3, encodeMeta(log, 0, 3), null);
  const begun = [
    transition(1, '', 'pending.queued'),
    transition(2, 'pending.queued', 'running'),
    chunk(3, bytesOf(9)),
  ];
  segment.run(4, two, 1, 3, encodeMeta(begun, 0, 3), joinChunks(begun, 0, 3));
  for (const record of [recordOf(one, 'completed'), recordOf(two, 'running', { taskRevision: 2 })]) {
    execution.run(record.executionId, record.taskId, record.status, record.createdAt, JSON.stringify(record));
  }
  db.prepare('INSERT INTO snapshots VALUES (?, ?)').run(two, '{}');
  db.prepare('INSERT INTO claims VALUES (?, ?)').run('key', one);
  const { input, ...rest } = invocationOf();
  db.prepare('INSERT INTO inputs VALUES (?, ?, NULL, ?, NULL)').run(one, JSON.stringify(rest), input);
  const { taskId } = recordOf(one, 'completed');
  for (const revision of [1, 2]) {
    const task = taskOf(taskId, revision, 'echo');
    db.prepare('INSERT INTO tasks VALUES (?, ?, ?)').run(taskId, revision, JSON.stringify(task));
  }
  db.prepare('INSERT INTO task_names VALUES (?, ?)').run('echo', taskId);
  db.close();
  return dataDir;
}

async function opened(dataDir: string) {
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  return store;
}

test('a database of version 1 is opened with everything in it, and goes on', async () => {
  const store = await opened(await versionOne());
  const [one, two] = [executionId(1), executionId(2)];
  expect(await store.execution(one)).toEqual(recordOf(one, 'completed'));
  expect(await store.execution(two)).toEqual(recordOf(two, 'running', { taskRevision: 2 }));
  expect((await store.unfinished('', 10)).map((record) => record.executionId)).toEqual([two]);
  expect((await store.executionByInvocation('default', 'key'))?.executionId).toBe(one);
  expect(await store.input(one)).toEqual(invocationOf());
  const all = { from: 1, maxBytes: 1000 };
  expect(await store.events(one, all)).toEqual(
    shortLog().map((event, index) => ({ ...event, position: 1 + index })),
  );
  expect((await store.outline(two)).output).toEqual({ stdout: 9, stderr: 0 });
  expect((await store.taskByName('default', 'echo'))?.revision).toBe(2);
  expect(await store.commit([{ executionId: two, expectedLastSequence: 3, events: [result(4)] }])).toEqual([
    { ok: true, position: 7 },
  ]);
  expect(await store.delete(one)).toBe(true);
});

test('what version 1 wrote is retained by the rules of now, and revisions in use stay', async () => {
  const store = await opened(await versionOne());
  const kept = { maxBytes: 1e12, now: 2e12, unusedForMs: 0 };
  const { taskId } = recordOf('', 'running');
  // So many that the first is not kept for its own sake.
  for (let revision = 3; revision <= 11; revision += 1)
    await store.saveTask(taskOf(taskId, revision, 'echo'));
  for (let more = true; more; ) ({ more } = await store.retain({ ...kept, endedBefore: 2e12 }));
  expect(await store.execution(executionId(1))).toBeUndefined();
  expect(await store.execution(executionId(2))).toBeDefined();
  expect(await store.taskRevision(taskId, 1)).toBeUndefined();
  expect(await store.taskRevision(taskId, 2)).toBeDefined();
});

test('a damaged row does not keep the others from being brought up to date', async () => {
  const dataDir = await versionOne();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.prepare(`UPDATE executions SET record = '{' WHERE execution_id = ?`).run(executionId(1));
  db.exec(`UPDATE tasks SET task = '{' WHERE revision = 1`);
  db.close();
  const store = await opened(dataDir);
  expect(await store.execution(executionId(2))).toBeDefined();
  expect((await store.taskByName('default', 'echo'))?.revision).toBe(2);
});

/** A folder with the database that the last program before checksums wrote, with some of everything. */
async function versionTwo(): Promise<string> {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-2.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  return dataDir;
}

/** What the check finds, but for the artifacts, which the tasks of these tests do not have. */
async function findings(dataDir: string) {
  const report = await checkDataDir(dataDir);
  return report.findings.filter(({ subject }) => !subject.startsWith('artifacts/'));
}

test('a stored database from before labels is opened with everything in it, and lists what gets labels from then on', async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-4.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  const filter = { statuses: [], limit: 10 };
  const ids = async (labels: Labels) =>
    (await store.executions({ ...filter, labels })).map(({ executionId: id }) => id);
  const [one, two, three] = [executionId(1), executionId(2), executionId(3)];
  expect(await ids({})).toEqual([two, one]);
  expect(await ids({ team: 'a' })).toEqual([]);
  expect(await store.executionByInvocation('default', 'key')).toMatchObject({
    executionId: one,
    status: 'completed',
  });
  expect((await store.tasks('default', '', 10)).map(({ definition }) => definition.name)).toEqual(['echo']);
  expect(await store.tasks('default', '', 10, { team: 'a' })).toEqual([]);
  const labels = { team: 'a' };
  const record = recordOf(three, 'completed', { labels });
  await store.commit([{ executionId: three, expectedLastSequence: 0, events: shortLog(), record }]);
  await store.saveTask(taskOf(record.taskId, 2, 'echo', { labels }));
  expect(await ids({ team: 'a' })).toEqual([three]);
  expect(await store.tasks('default', '', 10, labels)).toMatchObject([{ revision: 2 }]);
  expect(await findings(dataDir)).toEqual([]);
});

test("a stored database from before tenants is the default tenant's, whole, and others begin beside it", async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-5.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  const [one, two, three] = [1, 2, 3].map(executionId) as [string, string, string];
  const ids = async (tenant: string, labels: Labels = {}) =>
    (await store.executions({ tenant, statuses: [], limit: 10, labels })).map(({ executionId: id }) => id);
  expect(await ids('default')).toEqual([three, two, one]);
  expect(await ids('default', { team: 'a' })).toEqual([one]);
  expect(await ids('a')).toEqual([]);
  expect(await store.unfinished('', 10)).toEqual([recordOf(two, 'running')]);
  expect(await store.executionByInvocation('default', 'key')).toMatchObject({ executionId: one });
  expect(await store.executionByInvocation('a', 'key')).toBeUndefined();
  expect((await store.tasks('default', '', 10)).map(({ definition }) => definition.name)).toEqual([
    'echo',
    'other',
  ]);
  expect(await store.tasks('default', '', 10, { team: 'a' })).toHaveLength(1);
  expect(await store.taskTenants()).toEqual(['default']);
  expect(await store.counts({ tenant: 'default' })).toMatchObject({
    executions: { completed: 1, running: 1, failed: 1 },
    tasks: 2,
  });
  const four = executionId(4);
  const record = recordOf(four, 'completed', { tenant: 'a', labels: { team: 'a' } });
  const entry = { executionId: four, expectedLastSequence: 0, events: shortLog(), record };
  expect(await store.commit([{ ...entry, claimInvocationId: 'key' }])).toMatchObject([{ ok: true }]);
  await store.saveTask({ ...taskOf('task_a', 1, 'echo', { labels: { team: 'a' } }), tenant: 'a' });
  expect(await ids('a', { team: 'a' })).toEqual([four]);
  expect(await ids('default', { team: 'a' })).toEqual([one]);
  expect(await findings(dataDir)).toEqual([]);
  expect(await store.delete(one)).toBe(true);
  expect(await store.executionByInvocation('a', 'key')).toMatchObject({ executionId: four });
});

test('what is pending in a stored database from before lines of what waits is taken up like all that is unfinished', async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-6.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  const [two, three] = [executionId(2), executionId(3)];
  expect((await store.unfinished('', 10)).map((record) => record.executionId)).toEqual([two, three]);
  expect(await store.unfinished(two, 1)).toMatchObject([{ executionId: three }]);
  expect(await store.execution(two)).toMatchObject({ state: 'pending.queued', tenant: 'a' });
  expect(await store.waitingLines()).toEqual([]);
  expect(await findings(dataDir)).toEqual([]);
  const record = {
    ...recordOf(two, 'pending', { taskId: 'task_1' }),
    state: 'pending.queued',
    lastSequence: 1,
  };
  const waiting = { line: 'a', since: 1, wakesAt: 2 };
  await store.commit([{ executionId: two, expectedLastSequence: 1, events: [], record, waiting }]);
  expect(await store.waiting('a', undefined, 10)).toEqual([{ record, place: waiting }]);
  expect(await findings(dataDir)).toEqual([]);
});

test('a stored database from before the order was kept is opened with what waits in it, and knows that it knows no rates', async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-7.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  expect(await store.waitingLines()).toEqual([{ line: 'a/normal/', count: 1 }]);
  expect((await store.unfinished('', 10)).map((record) => record.executionId)).toEqual(
    [3, 4].map(executionId),
  );
  expect(await store.quotas()).toEqual([{ tenant: 'a', quota: { weight: 2 } }]);
  expect(await store.order()).toEqual({ nodes: [], meters: [], isWhole: false });
  expect(await findings(dataDir)).toEqual([]);
  await store.saveOrder({ emptyAt: 1000 });
  expect(await store.order()).toEqual({ nodes: [], meters: [], emptyAt: 1000, isWhole: true });
  expect(await findings(dataDir)).toEqual([]);
});

test('a stored database from before there were rows beside executions goes on, and takes some', async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-8.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  const [one, two] = [executionId(1), executionId(2)];
  expect(await store.execution(one)).toEqual(recordOf(one, 'completed', { invocationId: 'key' }));
  expect(await store.unfinished('', 10)).toMatchObject([{ executionId: two, state: 'pending.queued' }]);
  expect(await store.quotas()).toEqual([{ tenant: 'a', quota: { weight: 2 } }]);
  expect(await store.order()).toMatchObject({ emptyAt: 1000, isWhole: true });
  expect(await store.countRows('plan')).toBe(0);
  const record = { ...recordOf(two, 'pending'), state: 'pending.queued', lastSequence: 1 };
  const rows = [{ kind: 'plan', tenant: 'a', key: 'one', value: '1', dueAt: 2 }];
  await store.commit([{ executionId: two, expectedLastSequence: 1, events: [], record, rows }]);
  expect(await store.dueRows('plan', 2, 10)).toEqual(rows);
  // It follows one that was there before dependencies were.
  expect(await store.hasDependencies()).toBe(false);
  const three = executionId(3);
  const dependsOn = [{ executionId: one }, { executionId: two }];
  const events = [transition(1, '', 'pending.blocked')];
  const follows = recordOf(three, 'pending', { dependsOn, blocked: true, lastSequence: 1 });
  await store.commit([{ executionId: three, expectedLastSequence: 0, events, record: follows }]);
  expect(await store.blocked(three)).toEqual({ open: 1 });
  expect((await findings(dataDir)).filter(({ subject }) => !subject.startsWith('task_'))).toEqual([]);
});

test('a stored database from before aliases keeps its revisions, and takes aliases of them', async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-9.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  const { taskId } = recordOf('', 'failed');
  expect((await store.taskRevisions(taskId, 99, 9)).map(({ revision }) => revision)).toEqual([3, 2, 1]);
  expect(await store.taskAliases(taskId)).toEqual([]);
  expect(await store.execution(executionId(1))).toMatchObject({ status: 'failed', taskRevision: 2 });
  expect(await store.input(executionId(1))).toEqual(invocationOf());
  const alias = moved('live', undefined, { shares: [{ revision: 1, percent: 100 }], at: 5, by: 'socket' });
  await store.saveAlias(taskId, 'live', alias);
  expect(await store.taskAliases(taskId)).toEqual([alias]);
  expect(await store.deleteRevision(taskId, 2)).toBe(false);
  expect(await findings(dataDir)).toEqual([]);
});

test('a stored database from before logs of a single row keeps its logs, and those that come have theirs beside them', async () => {
  const dataDir = await temporaryFolder();
  const packed = await readFile(fileURLToPath(new URL('stored/version-12.db.gz', import.meta.url)));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(packed));
  const store = await opened(dataDir);
  const [one, two, purged, four, staged, six] = [1, 2, 3, 4, 5, 6].map(executionId) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const all = { from: 1, maxBytes: 1000 };
  expect(await store.events(one, all)).toMatchObject(shortLog());
  expect(await store.events(two, all)).toHaveLength(3);
  expect(await store.events(purged, all)).toMatchObject([{ kind: 'result', sequence: 3 }]);
  expect(await store.events(staged, all)).toEqual([]);
  const end = { executionId: two, expectedLastSequence: 3, events: [result(4)] };
  expect(await store.commit([end])).toMatchObject([{ ok: true }]);
  const record = recordOf(six, 'completed');
  const whole = { executionId: six, expectedLastSequence: 0, events: shortLog(), record };
  expect(await store.commit([whole])).toMatchObject([{ ok: true }]);
  for (const id of [one, six]) {
    const again = { ...whole, executionId: id, record: recordOf(id, 'failed') };
    expect(await store.commit([again])).toEqual([{ ok: false, conflict: 'sequence', lastSequence: 3 }]);
  }
  expect(await store.events(six, all)).toMatchObject(shortLog());
  // Of two it is not told that it has ended.
  expect((await findings(dataDir)).filter(({ subject }) => subject !== two)).toEqual([]);
  await store.retain({ endedBefore: 0, maxBytes: 1, now: 0, unusedForMs: 1e15 });
  for (const id of [one, four, six]) {
    expect(await store.events(id, all)).toMatchObject([{ kind: 'result', sequence: 3 }]);
  }
  expect(await store.delete(six)).toBe(true);
  expect(await store.delete(four)).toBe(true);
  expect((await findings(dataDir)).filter(({ subject }) => subject !== two)).toEqual([]);
});

test('a stored database of version 2 is opened with everything in it, passes the check, and goes on', async () => {
  const dataDir = await versionTwo();
  const store = await opened(dataDir);
  const [one, two, three, four, five] = [1, 2, 3, 4, 5].map(executionId) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const all = { from: 1, maxBytes: 1000 };
  expect(await store.execution(one)).toEqual(recordOf(one, 'completed', { completedAt: 4e12 }));
  expect(await store.events(one, all)).toMatchObject(shortLog());
  expect((await store.executionByInvocation('default', 'key'))?.executionId).toBe(one);
  expect(await store.input(one)).toEqual(invocationOf());
  expect(await store.execution(two)).toMatchObject({ status: 'running', taskRevision: 2, lastSequence: 4 });
  expect(await store.events(two, { ...all, from: 3 })).toMatchObject([
    { kind: 'chunk', stream: 'stdout', data: bytesOf(9) },
    { kind: 'chunk', stream: 'stderr', data: bytesOf(70) },
  ]);
  expect((await store.execution(three))?.outcome).toMatchObject({ exitCode: 4_294_967_295 });
  expect(await store.execution(four)).toBeUndefined();
  expect(await store.events(four, all)).toEqual([]);
  expect(await store.execution(five)).toMatchObject({ oldestSequence: 4 });
  expect(await store.events(five, all)).toMatchObject([{ kind: 'result', sequence: 4 }]);
  expect((await store.tasks('default', '', 10)).map(({ revision }) => revision)).toEqual([2]);
  expect(await findings(dataDir)).toEqual([]);
  expect((await checkDataDir(dataDir)).checked).toMatchObject({ executions: 4, events: 11 });
  const next = { executionId: two, expectedLastSequence: 4, events: [result(5)] };
  expect(await store.commit([next])).toMatchObject([{ ok: true }]);
  expect(await store.delete(five)).toBe(true);
});

test('a database that was being brought up to date when its server died is brought up to date by the next', async () => {
  const dataDir = await versionTwo();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(`${migrations[2]}; PRAGMA user_version = 3`);
  db.close();
  const store = await opened(dataDir);
  expect(await store.events(executionId(1), { from: 1, maxBytes: 1000 })).toMatchObject(shortLog());
  expect(await findings(dataDir)).toEqual([]);
});

test('a log that is damaged in a database of version 2 is the only one that is lost when it is brought up to date', async () => {
  const dataDir = await versionTwo();
  const path = join(dataDir, 'spear.db');
  const before = new DatabaseSync(path);
  const output = bytesOf(400_000);
  const events = [transition(5, 'running', 'running'), chunk(6, output)];
  before
    .prepare('INSERT INTO segments VALUES (100, ?, 5, 6, ?, ?)')
    .run(executionId(2), encodeMeta(events, 0, 2), output);
  before.close();
  // Its bytes fill pages of their own, whose first number is the page that follows.
  const file = await readFile(path);
  const page = Math.floor(file.indexOf(output.subarray(200_000, 200_064)) / 4096) * 4096;
  await writeFile(path, file.fill(0xff, page, page + 4));
  const store = await opened(dataDir);
  expect(await store.events(executionId(1), { from: 1, maxBytes: 1000 })).toMatchObject(shortLog());
  expect(await store.events(executionId(2), { from: 1, maxBytes: 1000 })).toHaveLength(4);
  expect(await findings(dataDir)).toContainEqual({
    subject: 'database',
    message: expect.stringContaining('were left out'),
  });
});
