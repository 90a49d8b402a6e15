import { expect, test } from 'vitest';
import type { SideRow } from '../../../src/domain/side-row.ts';
import type { Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog } from '../samples.ts';

/** Rows beside the executions. */
export function rowContract(open: () => Promise<Store>): void {
  const row = (key: string, more: Partial<SideRow> = {}): SideRow => ({
    kind: 'plan',
    tenant: 'a',
    key,
    value: `{"key":"${key}"}`,
    ...more,
  });
  const entry = (number: number, more: object = {}) => ({
    executionId: executionId(number),
    expectedLastSequence: 0,
    events: shortLog(),
    record: recordOf(executionId(number), 'completed', { tenant: 'a' }),
    ...more,
  });
  const keys = (rows: readonly SideRow[]) => rows.map(({ key }) => key);

  test('rows are kept by kind, tenant and key, are written over and taken away', async () => {
    const store = await open();
    const id = { kind: 'plan', tenant: 'a', key: 'one' };
    expect(await store.row(id)).toBeUndefined();
    await store.saveRows([
      row('one'),
      row('one', { tenant: 'b', value: '1' }),
      row('one', { kind: 'other' }),
    ]);
    expect(await store.row(id)).toEqual(row('one'));
    await store.saveRows([row('one', { value: '2', dueAt: 5.5 })]);
    expect(await store.row(id)).toEqual(row('one', { value: '2', dueAt: 5.5 }));
    expect(await store.countRows('plan')).toBe(2);
    expect(await store.countRows('plan', 'a')).toBe(1);
    await store.saveRows([
      { ...id, deleted: true },
      { ...id, key: 'none', deleted: true },
    ]);
    expect(await store.row(id)).toBeUndefined();
    expect(await store.rows({ kind: 'plan', limit: 10 })).toEqual([row('one', { tenant: 'b', value: '1' })]);
  });

  test('rows are listed in the order of their keys, between two of them', async () => {
    const store = await open();
    await store.saveRows(['c', 'a', 'b/2', 'b/1', 'd'].map((key) => row(key)));
    expect(keys(await store.rows({ kind: 'plan', tenant: 'a', limit: 2 }))).toEqual(['a', 'b/1']);
    expect(keys(await store.rows({ kind: 'plan', tenant: 'a', after: 'b/1', limit: 2 }))).toEqual([
      'b/2',
      'c',
    ]);
    const between = { kind: 'plan', tenant: 'a', after: 'b/', before: 'b0', limit: 9 };
    expect(keys(await store.rows(between))).toEqual(['b/1', 'b/2']);
  });

  test('rows that are due come in the order in which they are, page by page', async () => {
    const store = await open();
    await store.saveRows([
      row('late', { dueAt: 30 }),
      row('b', { dueAt: 10 }),
      row('a', { dueAt: 10, tenant: 'b' }),
      row('early', { dueAt: 5 }),
      row('never'),
      row('other', { kind: 'other', dueAt: 1 }),
    ]);
    expect(keys(await store.dueRows('plan', 10, 2))).toEqual(['early', 'b']);
    expect(keys(await store.dueRows('plan', 10, 9, { dueAt: 10, tenant: 'a', key: 'b' }))).toEqual(['a']);
    expect(keys(await store.dueRows('plan', Number.MAX_SAFE_INTEGER, 9))).toEqual([
      'early',
      'b',
      'a',
      'late',
    ]);
    expect(await store.dueRows('plan', 4, 9)).toEqual([]);
  });

  test('rows that come with an execution are written with it, and not without it', async () => {
    const store = await open();
    await store.saveRows([row('next', { value: '1', dueAt: 1 })]);
    const moved = { rows: [row('next', { value: '2', dueAt: 2 }), row('fired')], claimInvocationId: 'x' };
    expect(await store.commit([entry(1, moved)])).toMatchObject([{ ok: true }]);
    expect(await store.row(row('next'))).toMatchObject({ value: '2', dueAt: 2 });
    const again = {
      rows: [row('next', { value: '3' }), { ...row('fired'), deleted: true }],
      claimInvocationId: 'x',
    };
    expect(await store.commit([entry(2, again)])).toMatchObject([{ ok: false, conflict: 'invocation' }]);
    expect(await store.row(row('next'))).toMatchObject({ value: '2', dueAt: 2 });
    expect(await store.row(row('fired'))).toBeDefined();
    await store.delete(executionId(1));
    expect(await store.row(row('next'))).toMatchObject({ value: '2' });
  });
}
