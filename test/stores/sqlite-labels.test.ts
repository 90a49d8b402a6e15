import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { Labels } from '../../src/domain/labels.ts';
import { checkDataDir } from '../../src/stores/sqlite/check/check.ts';
import { migrate } from '../../src/stores/sqlite/file/schema.ts';
import { listing } from '../../src/stores/sqlite/read/execution-listing.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import type { CommitEntry, ExecutionFilter } from '../../src/stores/store.ts';
import { temporaryFolder } from './folder.ts';
import { executionId, recordOf, shortLog, taskOf } from './samples.ts';

async function opened(dataDir: string) {
  const store = await openSqliteStore({ dataDir, reserveBytes: 4096 });
  onTestFinished(() => store.close());
  return store;
}

function finished(number: number, labels?: Labels, tenant?: string): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'completed', {
    metadata: {},
    ...(labels !== undefined && { labels }),
    ...(tenant !== undefined && { tenant }),
  });
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record };
}

/** Numbers of the pages that were written after a length of the log: https://www.sqlite.org/fileformat2.html#walformat */
async function pagesWritten(log: string, from: number): Promise<number[]> {
  const [header, frame] = [32, 24 + 4096];
  const bytes = await readFile(log);
  const pages: number[] = [];
  for (let at = Math.max(header, from); at < bytes.byteLength; at += frame)
    pages.push(bytes.readUInt32BE(at));
  return pages;
}

test('an execution without labels writes no page for labels, and one with labels at most a page for each', async () => {
  const dataDir = await temporaryFolder();
  const store = await opened(dataDir);
  const log = join(dataDir, 'spear.db-wal');
  const db = new DatabaseSync(join(dataDir, 'spear.db'), { readOnly: true });
  const root = db
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'execution_labels'")
    .get()?.rootpage;
  db.close();
  const written = async (number: number, labels?: Labels): Promise<number[]> => {
    const { size } = await stat(log);
    await store.commit([finished(number, labels)]);
    return pagesWritten(log, size);
  };
  await written(1);
  const plain = await written(2);
  expect(plain).not.toEqual([]);
  expect(plain).not.toContain(root);
  const labelled = await written(3, { team: 'a', env: 'prod' });
  expect(labelled).toContain(root);
  expect(labelled.length).toBeLessThanOrEqual(plain.length + 2);
});

test.each<[string, Partial<ExecutionFilter>]>([
  ['a tenant', {}],
  ['a tenant and a status', { statuses: ['failed'] }],
  ['a tenant and statuses', { statuses: ['pending', 'completed'] }],
  ['one label', { labels: { team: 'a' } }],
  ['two labels', { labels: { team: 'a', env: 'prod' } }],
  ['a label, in pages', { labels: { team: 'a' }, beforeId: executionId(3) }],
  ['a label and a status', { labels: { team: 'a' }, statuses: ['failed', 'completed'] }],
  ['a label and a status with few in it', { labels: { team: 'a' }, statuses: ['failed'] }],
  ['a label and statuses with few in it', { labels: { team: 'a' }, statuses: ['pending', 'running'] }],
])('a list by %s looks rows up in an index and scans no table', (name, filter) => {
  const db = new DatabaseSync(':memory:');
  onTestFinished(() => db.close());
  migrate(db, () => {});
  const counts = { label: () => 5, status: () => (name.includes('few in it') ? 1 : 9) };
  const { sql, values } = listing({ tenant: 'a', statuses: [], limit: 10, ...filter }, counts);
  const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(values);
  const steps = plan.map(({ detail }) => String(detail));
  expect(steps.filter((step) => step.startsWith('SCAN') || step.includes('TEMP B-TREE'))).toEqual([]);
  expect(steps.some((step) => step.startsWith('SEARCH'))).toBe(true);
});

test.each<[string, Partial<ExecutionFilter>, string]>([
  ['a tenant', {}, 'executions_by_tenant '],
  ['a task', { taskId: 'task_1' }, 'executions_by_task '],
  ['a status', { statuses: ['failed'] }, 'executions_by_tenant_status '],
])('a list of a tenant by %s walks the index that has the fewest others', (_, filter, index) => {
  const db = new DatabaseSync(':memory:');
  onTestFinished(() => db.close());
  migrate(db, () => {});
  const counts = { label: () => 5, status: () => 9 };
  const { sql, values } = listing({ tenant: 'a', statuses: [], limit: 10, ...filter }, counts);
  const steps = db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(values)
    .map(({ detail }) => String(detail));
  expect(steps).toEqual([expect.stringContaining(index)]);
});

test('a list of all tenants by a label reads those that have it, whosever they are, and scans no executions', async () => {
  const db = new DatabaseSync(':memory:');
  onTestFinished(() => db.close());
  migrate(db, () => {});
  const counts = { label: () => 5, status: () => 9 };
  const { sql, values } = listing({ statuses: [], limit: 10, labels: { team: 'a' } }, counts);
  const steps = db
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(values)
    .map(({ detail }) => String(detail));
  expect(steps.filter((step) => /^SCAN (executions|first)/.test(step))).toEqual([]);
  const store = await opened(await temporaryFolder());
  await store.commit([1, 2, 3].map((number) => finished(number, { team: 'a' }, number === 2 ? 'b' : 'a')));
  const ids = async (tenant?: string) =>
    (
      await store.executions({
        ...{ statuses: [], limit: 10, labels: { team: 'a' } },
        ...(tenant !== undefined && { tenant }),
      })
    ).map(({ executionId: id }) => Number(id.slice(5)));
  expect(await ids()).toEqual([3, 2, 1]);
  expect(await ids('b')).toEqual([2]);
  expect(await ids('c')).toEqual([]);
});

test('a list by several labels walks the one that the fewest have', async () => {
  const store = await opened(await temporaryFolder());
  await store.commit(
    Array.from({ length: 300 }, (_, index) =>
      finished(index + 1, { team: 'a', ...(index % 100 === 0 && { rare: 'yes' }) }),
    ),
  );
  const found = await store.executions({ statuses: [], limit: 2, labels: { team: 'a', rare: 'yes' } });
  expect(found.map(({ executionId: id }) => Number(id.slice(5)))).toEqual([201, 101]);
});

test('labels that an execution or a task has and is not listed by, or the other way round, are found by the check', async () => {
  const dataDir = await temporaryFolder();
  const store = await opened(dataDir);
  await store.commit([finished(1, { team: 'a' }), finished(2, { team: 'a' })]);
  await store.saveTask(taskOf('task_1', 1, 'echo', { labels: { team: 'a' } }));
  const labelFindings = async () =>
    (await checkDataDir(dataDir)).findings.filter(({ message }) => message.includes('label'));
  expect(await labelFindings()).toEqual([]);
  const db = new DatabaseSync(join(dataDir, 'spear.db'));
  db.exec(`UPDATE execution_labels SET value = 'b' WHERE execution_id = '${executionId(1)}';
    UPDATE task_labels SET key = 'other'`);
  db.close();
  expect(await labelFindings()).toEqual([
    { subject: executionId(1), message: 'it is listed by a label that it does not have: team' },
    { subject: executionId(1), message: 'it is not listed by a label that it has: team' },
    { subject: 'task_1', message: 'it is listed by a label that it does not have: other' },
    { subject: 'task_1', message: 'it is not listed by a label that it has: team' },
  ]);
  // What is listed wrongly is left out, and never shown as what it is not.
  expect(await store.executions({ statuses: [], limit: 10, labels: { team: 'b' } })).toEqual([]);
  expect(await store.executions({ statuses: [], limit: 10, labels: { team: 'a' } })).toHaveLength(1);
});
