import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { openArtifacts } from '../../src/stores/artifacts.ts';
import { clockFile, readClockRecord, writeClockRecord } from '../../src/stores/clock-file.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import type { CommitEntry, Store } from '../../src/stores/store.ts';
import {
  bytesOf,
  chunk,
  executionId,
  invocationOf,
  recordOf,
  result,
  shortLog,
  taskOf,
} from '../stores/samples.ts';
import { describeWhere, root } from '../support/needs.ts';
import { smallDisk } from '../support/small-disk.ts';
import { errorLine, run, start, temporaryFolder } from './spear.ts';

function finished(number: number, more: Partial<CommitEntry> = {}): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'completed', { taskId: 'task_1' });
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record, ...more };
}

function running(number: number, more: Partial<CommitEntry> = {}): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'running', { taskId: 'task_1', lastSequence: 4 });
  const events = [...shortLog().slice(0, 2), chunk(3, bytesOf(100_000)), chunk(4, bytesOf(10), 'stderr')];
  return { executionId: id, expectedLastSequence: 0, events, record, ...more };
}

/** A store with some of everything, as a server would have it open. */
async function filled(folder?: string): Promise<{ dataDir: string; store: Store }> {
  const dataDir = folder ?? (await temporaryFolder());
  const store = await openSqliteStore({ dataDir });
  onTestFinished(() => store.close());
  const artifacts = await openArtifacts(join(dataDir, 'artifacts'));
  const { sha256, sizeBytes } = await artifacts.put(bytesOf(5000));
  const task = taskOf('task_1', 1, 'echo');
  const artifact = { kind: 'wasm' as const, sha256, sizeBytes };
  await store.saveTask({ ...task, definition: { ...task.definition, artifact } });
  await writeFile(join(dataDir, 'node-id'), 'node_00000000000000000000000001\n');
  const large = invocationOf({ input: bytesOf(300_000) });
  await store.commit([
    finished(1, { claimInvocationId: 'key', input: large }),
    running(2, { claimInvocationId: 'other', input: invocationOf() }),
    finished(3),
  ]);
  await store.stage(executionId(4), shortLog());
  return { dataDir, store };
}

function changed(dataDir: string, sql: string): void {
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(sql);
  db.close();
}

test('a store that is whole passes the check, while it is open and after', async () => {
  const { dataDir, store } = await filled();
  const text =
    'checked 3 executions with 10 events, 2 invocation ids, 1 revisions of tasks, 2 files: all is well\n';
  const beside = await run(['db', 'check', '--data-dir', dataDir]);
  expect({ ...beside, stdout: beside.stdout.toString() }).toMatchObject({
    code: 0,
    stdout: text,
    stderr: '',
  });
  await store.close();
  const after = await run(['db', 'check', '--json'], { env: { SPEAR_DATA_DIR: dataDir } });
  expect(after.code).toBe(0);
  expect(JSON.parse(after.stdout.toString())).toEqual({
    ok: true,
    dataDir,
    checked: { executions: 3, events: 10, invocationIds: 2, tasks: 1, files: 2 },
    findings: [],
  });
});

test('a log that retention has shortened passes, and so does one that it is shortening', async () => {
  const { dataDir, store } = await filled();
  await store.retain({ endedBefore: 0, maxBytes: 1, now: 0, unusedForMs: 1e15 });
  const marked = recordOf(executionId(5), 'completed', { taskId: 'task_1', oldestSequence: 3 });
  await store.commit([finished(5, { record: marked })]);
  const ended = await run(['db', 'check', '--data-dir', dataDir]);
  expect(ended.stdout.toString()).toMatch(/all is well\n$/);
});

const two = `execution_id = '${executionId(2)}'`;
const three = `execution_id = '${executionId(3)}'`;

test.for<[what: string, sql: string, finding: RegExp]>([
  [
    'a gap in a log',
    `UPDATE segments SET first_sequence = 2, last_sequence = 4 WHERE ${three}`,
    /begins with event 2/,
  ],
  [
    'a log that is shorter than its record',
    `UPDATE executions SET record = json_set(record, '$.lastSequence', 9) WHERE ${two}`,
    /ends with event 4, and its record says 9/,
  ],
  [
    'a row with too few events',
    `UPDATE segments SET meta = json_remove(meta, '$[1]') WHERE ${three}`,
    /events 1 to 3 are 2 in number/,
  ],
  [
    'output that is cut',
    `UPDATE segments SET data = substr(data, 1, 7) WHERE ${two}`,
    /tell of 100010 bytes of output, and have 7/,
  ],
  [
    'a finished execution without a result',
    `UPDATE executions SET status = 'failed', record = json_set(record, '$.status', 'failed') WHERE ${two}`,
    /it is failed, and its log has 0 results/,
  ],
  [
    'an unfinished one with a result',
    `UPDATE executions SET status = 'running', record = json_set(record, '$.status', 'running') WHERE ${three}`,
    /it is running, and its log has a result/,
  ],
  [
    'a status that differs',
    `UPDATE executions SET status = 'failed' WHERE ${three}`,
    /its record is completed, and listed as failed/,
  ],
  [
    'a record that cannot be read',
    `UPDATE executions SET record = substr(record, 1, 50) WHERE ${two}`,
    /record of exec_.* is damaged/,
  ],
  [
    'a log that cannot be read',
    `UPDATE segments SET meta = '[[' WHERE ${two}`,
    /the log from event 1 on is damaged/,
  ],
  ['a missing log', `DELETE FROM segments WHERE ${three}`, /it has no log/],
  [
    'a missing record',
    `DELETE FROM executions WHERE ${three}`,
    /there is a log of it, and no such execution/,
  ],
  [
    'a key of nobody',
    `UPDATE claims SET execution_id = 'exec_nobody'`,
    /exec_nobody: an invocation id belongs to it/,
  ],
  [
    'an input of nobody',
    `UPDATE inputs SET execution_id = 'exec_nobody' WHERE ${two}`,
    /exec_nobody: there is an input for it/,
  ],
  ['a task that cannot be read', `UPDATE tasks SET task = '{'`, /task_1: the task of task_1 is damaged/],
  [
    'a revision that is not there',
    `UPDATE tasks SET revision = 2; UPDATE executions SET status = 'pending' WHERE ${three}`,
    /task_1: unfinished executions need its revision 1, which is not there/,
  ],
])('%s is found, and the exit code is 1', async ([, sql, finding]) => {
  const { dataDir, store } = await filled();
  await store.close();
  changed(dataDir, sql);
  const ended = await run(['db', 'check', '--data-dir', dataDir]);
  expect(ended.stdout.toString()).toMatch(finding);
  expect(ended.code).toBe(1);
});

test('a file of an input or a task that is missing or damaged is found', async () => {
  const { dataDir } = await filled();
  const [blob = ''] = await readdir(join(dataDir, 'blobs'));
  const [artifact = ''] = await readdir(join(dataDir, 'artifacts'));
  await rm(join(dataDir, 'blobs', blob));
  await writeFile(join(dataDir, 'artifacts', artifact), 'other');
  const ended = await run(['db', 'check', '--data-dir', dataDir, '--json']);
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout.toString())).toMatchObject({
    ok: false,
    findings: [
      { subject: `blobs/${blob}`, message: expect.stringContaining('is missing') },
      { subject: `artifacts/${artifact}`, message: expect.stringContaining('is damaged') },
    ],
  });
});

test('pages of the database that are damaged are found, and said without a stack', async () => {
  const { dataDir, store } = await filled();
  await store.close();
  const path = join(dataDir, 'spear.db');
  const db = new DatabaseSync(path);
  const root = Number(
    db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'segments'`).get()?.rootpage,
  );
  const { page_size: size } = db.prepare('PRAGMA page_size').get() as { page_size: number };
  db.close();
  const { open } = await import('node:fs/promises');
  const file = await open(path, 'r+');
  await file.write(bytesOf(size), 0, size, (root - 1) * size);
  await file.close();
  const ended = await run(['db', 'check', '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(ended.stdout.toString()).toMatch(/^database: /);
  expect(ended.stdout.toString() + ended.stderr).not.toMatch(/ {4}at /);
});

test.for(['check', 'compact'])('%s of a folder without a store is one line and 1', async (command) => {
  const dataDir = await temporaryFolder();
  const ended = await run(['db', command, '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toBe(`spear: there is no store in ${dataDir}`);
  expect(await readdir(dataDir)).toEqual([]);
});

test('a file that is no database is one line and 1', async () => {
  const dataDir = await temporaryFolder();
  await writeFile(join(dataDir, 'spear.db'), bytesOf(8192));
  const ended = await run(['db', 'check', '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toContain('it is damaged');
});

test('a backup taken beside an open store is a folder that a store can be opened on, with all that it had', async () => {
  const { dataDir, store } = await filled();
  const clockRecord = new NodeTime(systemClock).record();
  await writeClockRecord(dataDir, clockRecord);
  const target = join(await temporaryFolder(), 'new', 'copy');
  const ended = await run(['db', 'backup', target, '--data-dir', dataDir]);
  expect(ended.code).toBe(0);
  expect(ended.stdout.toString()).toMatch(/copy: a database of .*, 2 files of 297\.9 KiB\n$/);
  expect(ended.stderr).toContain('copying the database');
  expect((await readdir(target)).sort()).toEqual(['artifacts', 'blobs', clockFile, 'spear.db']);
  expect(await readClockRecord(target)).toEqual(clockRecord);
  expect((await run(['db', 'check', '--data-dir', target])).stdout.toString()).toMatch(/all is well/);

  const copy = await openSqliteStore({ dataDir: target });
  onTestFinished(() => copy.close());
  for (const number of [1, 2, 3]) {
    const id = executionId(number);
    expect(await copy.execution(id)).toEqual(await store.execution(id));
    expect(await copy.input(id)).toEqual(await store.input(id));
    const all = { from: 1, maxBytes: 1e9 };
    expect(await copy.events(id, all)).toEqual(await store.events(id, all));
  }
  expect((await copy.executionByInvocation('default', 'key'))?.executionId).toBe(executionId(1));
  expect(await copy.taskByName('default', 'echo')).toEqual(await store.taskByName('default', 'echo'));
  const next = { executionId: executionId(2), expectedLastSequence: 4, events: [result(5)] };
  expect(await copy.commit([next])).toEqual([{ ok: true, position: 14 }]);
  expect(await store.commit([next])).toEqual([{ ok: true, position: 14 }]);
});

test('a backup beside a store that is written to all the time has whole executions', async () => {
  const { dataDir, store } = await filled();
  const target = join(await temporaryFolder(), 'copy');
  let number = 10;
  const backup = start(['db', 'backup', target, '--data-dir', dataDir, '--json']);
  let done = false;
  void backup.ended.then(() => {
    done = true;
  });
  while (!done)
    await store.commit([finished(number++, { input: invocationOf({ input: bytesOf(300_000, number) }) })]);
  const { code, stdout } = await backup.ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout.toString())).toMatchObject({ target, dataDir, missing: [] });
  expect((await run(['db', 'check', '--data-dir', target])).stdout.toString()).toMatch(/all is well/);
});

test('a backup does not touch what is there already', async () => {
  const { dataDir } = await filled();
  const target = join(await temporaryFolder(), 'copy');
  await mkdir(target);
  await writeFile(join(target, 'precious'), '');
  const ended = await run(['db', 'backup', target, '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toBe(`spear: ${target} is there already; allowed is a folder to be made`);
  expect(await readdir(target)).toEqual(['precious']);
});

test('a backup within the data folder is refused, also by another name of it, and nothing is made', async () => {
  const { dataDir } = await filled();
  const link = join(await temporaryFolder(), 'link');
  await symlink(dataDir, link);
  const before = await readdir(dataDir);
  for (const target of [join(dataDir, 'copy'), join(dataDir, 'new', 'copy'), join(link, 'copy')]) {
    const ended = await run(['db', 'backup', target, '--data-dir', dataDir]);
    expect(ended.code).toBe(1);
    expect(errorLine(ended)).toBe(
      `spear: ${target} is in the data folder ${dataDir}; allowed is a folder outside of it`,
    );
  }
  expect(await readdir(dataDir)).toEqual(before);
  const beside = await run(['db', 'backup', `${dataDir}-copy`, '--data-dir', link]);
  onTestFinished(() => rm(`${dataDir}-copy`, { recursive: true, force: true }));
  expect(beside.code, beside.stderr).toBe(0);
});

test('a backup of a store that lacks a file has the rest, says so, and exits with 1', async () => {
  const { dataDir } = await filled();
  const [blob = ''] = await readdir(join(dataDir, 'blobs'));
  await rm(join(dataDir, 'blobs', blob));
  const target = join(await temporaryFolder(), 'copy');
  const ended = await run(['db', 'backup', target, '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain(`${blob} is missing or damaged, and not in the backup`);
  expect(await readdir(join(target, 'artifacts'))).toHaveLength(1);
});

test('compacting gives back the room of what was deleted, and keeps the rest', async () => {
  const { dataDir, store } = await filled();
  const id = executionId(7);
  const events = [...Array.from({ length: 64 }, (_, index) => chunk(index + 1, bytesOf(65_536))), result(65)];
  const record = recordOf(id, 'completed', { taskId: 'task_1', lastSequence: 65 });
  await store.commit([{ executionId: id, expectedLastSequence: 0, events, record }]);
  await store.delete(id);
  const inUse = await run(['db', 'compact', '--data-dir', dataDir]);
  expect(inUse.code).toBe(1);
  expect(errorLine(inUse)).toBe(`spear: the data folder ${dataDir} is in use by another server`);
  await store.close();
  const ended = await run(['db', 'compact', '--data-dir', dataDir, '--json']);
  expect(ended.code).toBe(0);
  const { before, after } = JSON.parse(ended.stdout.toString()) as { before: number; after: number };
  expect(before).toBeGreaterThan(4_000_000);
  expect(after).toBeLessThan(500_000);
  expect((await run(['db', 'check', '--data-dir', dataDir])).stdout.toString()).toMatch(
    /checked 3 executions.*all is well/,
  );
});

test.for<[name: string, args: readonly string[]]>([
  ['serve', ['serve', '--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0']],
  ['db check', ['db', 'check']],
  ['db backup', ['db', 'backup', join(tmpdir(), 'spear-never-made')]],
  ['db compact', ['db', 'compact']],
])('%s refuses a database that was emptied, and leaves the log beside it', async ([, args]) => {
  const { dataDir, store } = await filled();
  await store.close();
  const path = join(dataDir, 'spear.db');
  await writeFile(path, '');
  await writeFile(`${path}-wal`, 'what was committed last');
  const ended = await run([...args, '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toBe(
    `spear: ${path} is empty, though a node has used this folder: put a backup in its place, or move it away to start without it`,
  );
  expect(await readFile(`${path}-wal`, 'utf8')).toBe('what was committed last');
});

describeWhere([root()], 'a data folder that cannot be written', () => {
  const tells = (what: string, why: string, dataDir: string) =>
    `spear: cannot ${what} ${join(dataDir, 'spear.db')}: ${why}: the folder ${dataDir} cannot be written, and check and backup, too, have to write beside the database; copy the folder to where it can be written`;

  test.for<[name: string, what: string, args: readonly string[]]>([
    ['serve', 'open', ['serve', '--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0']],
    ['db check', 'open', ['db', 'check']],
    ['db backup', 'open', ['db', 'backup', join(tmpdir(), 'spear-never-made')]],
    ['db compact', 'compact', ['db', 'compact']],
  ])('is what %s tells of, in one line and 1', async ([, what, args]) => {
    const disk = await smallDisk(32);
    const { dataDir, store } = await filled(disk.path);
    await store.close();
    disk.makeReadOnly();
    const ended = await run([...args, '--data-dir', dataDir]);
    expect(ended.code).toBe(1);
    expect(errorLine(ended)).toBe(tells(what, 'unable to open database file', dataDir));
  });

  test('and that a server has left by force can be checked and backed up, and not compacted', async () => {
    const disk = await smallDisk(32);
    const { dataDir } = await filled();
    await cp(dataDir, disk.path, { recursive: true });
    disk.makeReadOnly();
    const target = join(await temporaryFolder(), 'copy');
    const flags = ['--data-dir', disk.path];
    expect((await run(['db', 'check', ...flags])).stdout.toString()).toMatch(/all is well\n$/);
    expect((await run(['db', 'backup', target, ...flags])).code).toBe(0);
    const ended = await run(['db', 'compact', ...flags]);
    expect(ended.code).toBe(1);
    expect(errorLine(ended)).toBe(tells('compact', 'attempt to write a readonly database', disk.path));
  });
});
