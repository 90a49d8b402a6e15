/** Nothing of the embedded store is served that is not as it was written, and the check finds what is not. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { DamagedError, type Store, StoreError } from '../../src/stores/store.ts';
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

const all = { from: 1, maxBytes: 1 << 20 };
const [one, two] = [executionId(1), executionId(2)];

/** A folder with two executions and two tasks, each with all that one can have. */
async function filled(): Promise<string> {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  for (const name of ['a', 'b']) await store.saveTask(taskOf(`task_${name}`, 1, name));
  await store.commit(
    [one, two].map((id, index) => ({
      executionId: id,
      expectedLastSequence: 0,
      events: [...shortLog().slice(0, 2), chunk(3, bytesOf(500, index)), result(4)],
      record: recordOf(id, 'completed', { lastSequence: 4, taskId: 'task_a' }),
      claimInvocationId: `key of ${id}`,
      input: invocationOf({ input: bytesOf(100, index) }),
    })),
  );
  await store.close();
  return dataDir;
}

/** What the check finds, but for the artifacts, which the tasks of these tests do not have. */
async function findings(dataDir: string) {
  const report = await checkDataDir(dataDir);
  return report.findings.filter(({ subject }) => !subject.startsWith('artifacts/'));
}

async function opened(dataDir: string): Promise<Store> {
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  return store;
}

const readRecord = (store: Store) => store.execution(one);
const readClaim = (store: Store) => store.executionByInvocation('default', `key of ${one}`);
const readInput = (store: Store) => store.input(one);
const readEvents = (store: Store) => store.events(one, all);
const readOutline = (store: Store) => store.outline(one);
const readTask = (store: Store) => store.taskByName('default', 'a');
const ofOne = `WHERE execution_id = '${one}'`;
const flipped = (column: string) => `CAST(replace(${column}, 'running', 'runninG') AS TEXT)`;

test.for<[what: string, sql: string, ...reads: ((store: Store) => Promise<unknown>)[]]>([
  ['a status', `UPDATE executions SET status = 'failed' ${ofOne}`, readRecord, readClaim],
  ['a task id', `UPDATE executions SET task_id = 'task_b' ${ofOne}`, readRecord],
  ['a revision', `UPDATE executions SET task_revision = 2 ${ofOne}`, readRecord],
  ['a time', `UPDATE executions SET created_at = created_at + 1 ${ofOne}`, readRecord],
  ['a record', `UPDATE executions SET record = replace(record, 'inst_0', 'inst_1') ${ofOne}`, readRecord],
  ['a tenant', `UPDATE executions SET tenant = 'other' ${ofOne}`, readRecord, readClaim],
  ['a checksum', `UPDATE executions SET checksum = NULL ${ofOne}`, readRecord],
  [
    'a record of another',
    `UPDATE executions SET (record, checksum) = (SELECT record, checksum FROM executions WHERE execution_id = '${two}') ${ofOne}`,
    readRecord,
  ],
  ['output', `UPDATE segments SET data = CAST(replace(data, X'1f', X'1e') AS BLOB) ${ofOne}`, readEvents],
  ['an event', `UPDATE segments SET meta = ${flipped('meta')} ${ofOne}`, readEvents, readOutline],
  ['a position', `UPDATE segments SET position = position + 100 ${ofOne}`, readEvents, readOutline],
  [
    'a sequence number',
    `UPDATE segments SET first_sequence = 2, last_sequence = 5 ${ofOne}`,
    readEvents,
    readOutline,
  ],
  [
    'the owner of a log',
    `DELETE FROM segments ${ofOne}; UPDATE segments SET execution_id = '${one}'`,
    readEvents,
    readOutline,
  ],
  ['the owner of a key', `UPDATE claims SET execution_id = '${two}' ${ofOne}`, readClaim],
  [
    'a key',
    `UPDATE claims SET invocation_id = 'other' WHERE execution_id = '${two}'`,
    (store) => store.executionByInvocation('default', 'other'),
  ],
  [
    'the tenant of a key',
    `UPDATE claims SET tenant = 'other' ${ofOne}`,
    (store) => store.executionByInvocation('other', `key of ${one}`),
  ],
  [
    'the tenant of a name',
    `UPDATE task_names SET tenant = 'other' WHERE name = 'a'`,
    (store) => store.taskByName('other', 'a'),
  ],
  ['an input', `UPDATE inputs SET input = X'00' ${ofOne}`, readInput],
  ['an invocation', `UPDATE inputs SET invocation = replace(invocation, 'ping', 'pong') ${ofOne}`, readInput],
  ['a digest', `UPDATE inputs SET input = NULL, input_sha256 = '${'a'.repeat(64)}' ${ofOne}`, readInput],
  [
    'an input of another',
    `DELETE FROM inputs ${ofOne}; UPDATE inputs SET execution_id = '${one}'`,
    readInput,
  ],
  ['a task', `UPDATE tasks SET task = replace(task, '300000', '300001') WHERE task_id = 'task_a'`, readTask],
  [
    'a revision of a task',
    `UPDATE tasks SET revision = 7 WHERE task_id = 'task_a'`,
    readTask,
    (store) => store.taskRevision('task_a', 7),
  ],
  ['the owner of a name', `UPDATE task_names SET task_id = 'task_b' WHERE name = 'a'`, readTask],
])('%s that was changed is never served, and the check finds it', async ([, sql, ...reads]) => {
  const dataDir = await filled();
  expect(await findings(dataDir)).toEqual([]);
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(sql);
  db.close();
  expect(await findings(dataDir)).not.toEqual([]);
  const store = await opened(dataDir);
  for (const read of reads) await expect(read(store)).rejects.toThrow(DamagedError);
  expect(await store.execution(two)).toBeDefined();
  expect(await store.taskByName('default', 'b')).toBeDefined();
});

test('what is damaged is left out of lists and of the feed of all events, and the rest is in them', async () => {
  const dataDir = await filled();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(`UPDATE executions SET created_at = 7 ${ofOne};
    UPDATE segments SET meta = ${flipped('meta')} ${ofOne};
    UPDATE tasks SET task = replace(task, '300000', '300001') WHERE task_id = 'task_a'`);
  db.close();
  const store = await opened(dataDir);
  const listed = await store.executions({ statuses: [], limit: 10 });
  expect(listed.map((record) => record.executionId)).toEqual([two]);
  expect(new Set((await store.eventsFromPosition(0, 100)).map((event) => event.executionId))).toEqual(
    new Set([two]),
  );
  expect((await store.tasks('default', '', 10)).map(({ taskId }) => taskId)).toEqual(['task_b']);
});

test('a page of a list is full, however many in between are damaged, so that nobody takes it for the last', async () => {
  const dataDir = await temporaryFolder();
  const store = await opened(dataDir);
  const ids = Array.from({ length: 9 }, (_, index) => executionId(index + 1));
  await store.commit(
    ids.map((id) => ({
      executionId: id,
      expectedLastSequence: 0,
      events: shortLog(),
      record: recordOf(id, 'completed'),
    })),
  );
  for (const name of ['a', 'b', 'c', 'd']) await store.saveTask(taskOf(`task_${name}`, 1, name));
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  const hurt = [8, 7, 6, 3].map((number) => `'${executionId(number)}'`).join();
  db.exec(`UPDATE executions SET created_at = 7 WHERE execution_id IN (${hurt});
    UPDATE tasks SET task = replace(task, '300000', '300001') WHERE task_id IN ('task_a', 'task_c')`);
  db.close();
  const listed = await store.executions({ statuses: [], limit: 3 });
  expect(listed.map((record) => record.executionId)).toEqual([9, 5, 4].map(executionId));
  const rest = await store.executions({ statuses: [], limit: 3, beforeId: executionId(4) });
  expect(rest.map((record) => record.executionId)).toEqual([2, 1].map(executionId));
  expect((await store.tasks('default', '', 2)).map(({ taskId }) => taskId)).toEqual(['task_b', 'task_d']);
});

test('a part that is missing in the middle of a log is damage, and not a shorter log', async () => {
  const dataDir = await temporaryFolder();
  const store = await opened(dataDir);
  const events = [
    transition(1, '', 'pending.queued'),
    chunk(2, bytesOf(10)),
    chunk(3, bytesOf(10)),
    result(4),
  ];
  for (const [index, event] of events.entries()) {
    const record = recordOf(one, 'running', { lastSequence: index + 1 });
    await store.commit([{ executionId: one, expectedLastSequence: index, events: [event], record }]);
  }
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec('DELETE FROM segments WHERE first_sequence = 3');
  db.close();
  await expect(store.events(one, all)).rejects.toThrow(DamagedError);
  await expect(store.outline(one)).rejects.toThrow(DamagedError);
});

test('what was damaged is not made to look whole by what shortens its log', async () => {
  const dataDir = await filled();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(`UPDATE segments SET meta = ${flipped('meta')} ${ofOne}`);
  db.close();
  const store = await opened(dataDir);
  await store.retain({ endedBefore: 0, maxBytes: 1, now: 0, unusedForMs: 1e15 });
  await expect(store.events(one, all)).rejects.toThrow(DamagedError);
  expect(await store.events(two, all)).toMatchObject([{ kind: 'result', sequence: 4 }]);
});

/** What of a store can be read, with `undefined` for what is not there and the name of the error for what is damaged. */
async function contents(store: Store): Promise<ReadonlyMap<string, unknown>> {
  const read: Record<string, () => Promise<unknown>> = {};
  for (const id of [one, two]) {
    read[`record ${id}`] = () => store.execution(id);
    read[`claim ${id}`] = () => store.executionByInvocation('default', `key of ${id}`);
    read[`input ${id}`] = () => store.input(id);
    read[`log ${id}`] = async () =>
      (await store.events(id, all)).map((event) => JSON.stringify(event)).join();
    // As of a log that has no events: its index does not lead to them.
    read[`outline ${id}`] = async () => {
      const outline = await store.outline(id);
      return outline.lastTime === 0 ? undefined : outline;
    };
  }
  for (const name of ['a', 'b']) read[`task ${name}`] = () => store.taskByName('default', name);
  const found = new Map<string, unknown>();
  for (const [key, one] of Object.entries(read)) {
    const value = await one().catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
      return 'damaged';
    });
    found.set(key, value ?? 'nothing');
  }
  return found;
}

const nothingRead = ['damaged', 'nothing', ''];

test('a byte that was flipped anywhere in the database is never served as data, and what it hides the check finds', {
  timeout: 240_000,
}, async () => {
  const source = await filled();
  const file = await readFile(join(source, 'spear.db'));
  const whole = await openSqliteStore({ dataDir: source, reserveBytes: 4096 });
  const truth = await contents(whole);
  await whole.close();
  // Among them are headers, indexes, values and free space; the pages are mostly free.
  const used = [...file.keys()].filter((at) => file[at] !== 0);
  let hidden = 0;
  for (let round = 0; round < 40; round++) {
    const dataDir = await temporaryFolder();
    const at = used[Math.floor((used.length * (round + 0.5)) / 40)] ?? 0;
    const bytes = Buffer.from(file);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (round % 8));
    await writeFile(join(dataDir, 'spear.db'), bytes);
    const store = await openSqliteStore({ dataDir, reserveBytes: 4096 }).catch((error: unknown) => error);
    if (!(store instanceof Object && 'close' in store)) {
      expect(store).toBeInstanceOf(StoreError);
      continue;
    }
    const open = store as Store;
    const read = await contents(open);
    await open.close();
    const wrong = [...truth].filter(
      ([key, value]) => JSON.stringify(read.get(key)) !== JSON.stringify(value),
    );
    for (const [key] of wrong) expect(nothingRead, `byte ${at}: ${key}`).toContain(read.get(key));
    if (wrong.length === 0) continue;
    hidden += 1;
    const found = await findings(dataDir).then(
      (all) => all.length,
      () => 1,
    );
    expect(found, `byte ${at} hides ${wrong.map(([key]) => key).join(', ')}`).toBeGreaterThan(0);
  }
  expect(hidden).toBeGreaterThan(0);
});

test('a row beside the executions that is damaged is left out of lists, refused by itself, and found', async () => {
  const dataDir = await temporaryFolder();
  const before = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  const row = (key: string) => ({ kind: 'plan', tenant: 'a', key, value: '1', dueAt: 5 });
  await before.saveRows(['a', 'b', 'c'].map(row));
  await before.close();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(
    `UPDATE side_rows SET due_at = 4 WHERE key = 'a'; UPDATE side_rows SET value = '2' WHERE key = 'b'`,
  );
  db.close();
  const store = await opened(dataDir);
  expect(await store.rows({ kind: 'plan', limit: 9 })).toEqual([row('c')]);
  expect(await store.dueRows('plan', 9, 9)).toEqual([row('c')]);
  await expect(store.row(row('a'))).rejects.toThrow(DamagedError);
  expect((await findings(dataDir)).map(({ subject }) => subject)).toEqual(['plan a', 'plan b']);
});

test('of what the order of runs remembers a damaged row is left out and found, and rates are then not known to be whole', async () => {
  const dataDir = await temporaryFolder();
  const before = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  const node = (path: string[]) => ({ path, used: 1, reached: 2, most: 3, ready: true, since: 4 });
  await before.saveOrder({ nodes: [node(['a']), node(['b'])] });
  const meters = [
    { meter: 'm', fullAt: 5 },
    { meter: 'n', fullAt: 6 },
  ];
  await before.commit([{ executionId: one, expectedLastSequence: 0, events: shortLog(), meters }]);
  await before.close();
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(`UPDATE order_nodes SET use = '[9,2,3,true,4]' WHERE node = '["a"]'`);
  db.exec(`UPDATE rates SET full_at = 1 WHERE meter = 'm'`);
  db.close();
  const store = await opened(dataDir);
  expect(await store.order()).toEqual({ nodes: [node(['b'])], meters: meters.slice(1), isWhole: false });
  expect((await findings(dataDir)).filter(({ subject }) => subject === 'order of runs')).toHaveLength(2);
});
