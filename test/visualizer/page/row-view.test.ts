import { describe, expect, it } from 'vitest';
import { RowStore } from '../../../src/visualizer/page/list/row-store.ts';
import { RowView } from '../../../src/visualizer/page/list/row-view.ts';
import { type ExecutionRow, rowOf } from '../../../src/visualizer/page/model/execution-row.ts';
import { processorTime } from '../../support/processor-time.ts';
import { ended, execution, running } from './made-executions.ts';

const start = Date.parse('2026-11-22T00:00:00Z');
const admitted = (seed: number) => execution(start + seed * 1000, seed);
const row = (seed: number): ExecutionRow => rowOf(admitted(seed));
const done = (seed: number): ExecutionRow =>
  rowOf(ended(running(admitted(seed), start + 1), start + 9e8, seed));
const seeds = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const ids = (...all: number[]) => all.map((seed) => row(seed).id);

describe('the rows that are listed', () => {
  it('stand newest first, in whatever order they come', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    rows.tell([row(3), row(1)]);
    rows.tell([row(2), row(5), row(4)]);
    expect(view.order.value).toEqual(ids(5, 4, 3, 2, 1));
  });

  it('come and go as they begin and cease to match', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    view.choose(({ status }) => status === 'pending');
    rows.tell([row(1), row(2)]);
    rows.tell([done(1)]);
    expect(view.order.value).toEqual(ids(2));
    view.choose(({ status }) => status !== 'pending');
    expect(view.order.value).toEqual(ids(1));
  });

  it('are not moved by newer ones while they are held, and the newer ones are counted', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    rows.tell([row(1), row(3)]);
    view.hold();
    rows.tell([row(5), row(6), row(2)]);
    expect(view.order.value).toEqual(ids(3, 2, 1));
    expect(view.fresh.value).toBe(2);
    view.release();
    expect(view.order.value).toEqual(ids(6, 5, 3, 2, 1));
    expect(view.fresh.value).toBe(0);
  });

  it('do not count a newer one that no longer matches', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    view.choose(({ status }) => status === 'pending');
    rows.tell([row(1)]);
    view.hold();
    rows.tell([row(2)]);
    rows.tell([done(2)]);
    expect(view.fresh.value).toBe(0);
  });

  it('end where the pages that were read end, though the page knows older ones', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    rows.tell([row(1), row(5), row(6)]);
    view.reach(row(4).id);
    expect(view.order.value).toEqual(ids(6, 5));
    view.reach('');
    expect(view.order.value).toEqual(ids(6, 5, 1));
  });

  it('tell of a change in a row without another list', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    rows.tell([row(1)]);
    const { order, revision } = view;
    const before = [order.value, revision.value] as const;
    rows.tell([done(1)]);
    expect(order.value).toBe(before[0]);
    expect(revision.value).toBeGreaterThan(before[1]);
  });
});

describe('the executions that the page knows', () => {
  it('stay bounded: the oldest ended ones are forgotten, and no unfinished one is', () => {
    const rows = new RowStore(1000);
    rows.tell([row(1)]);
    for (const seed of seeds(2, 5000)) rows.tell([done(seed)]);
    expect(rows.size).toBeLessThanOrEqual(1000);
    expect(rows.get(row(1).id)).toBeDefined();
    expect(rows.get(row(2).id)).toBeUndefined();
    expect(rows.get(row(4999).id)).toBeDefined();
  });

  it('do not forget the one that is open, until it is left', () => {
    const rows = new RowStore(1000);
    const view = new RowView(rows);
    rows.tell([done(1)]);
    const letGo = rows.keep(done(1).id);
    rows.tell(seeds(2, 3000).map(done));
    expect(rows.get(done(1).id)).toBeDefined();
    expect(view.order.value).not.toContain(done(1).id);
    letGo();
    rows.tell(seeds(3001, 6000).map(done));
    expect(rows.get(done(1).id)).toBeUndefined();
  });

  it('forget what is not listed before what the reader may be looking at', () => {
    const rows = new RowStore(1000);
    const view = new RowView(rows);
    view.choose(({ status }) => status !== 'completed');
    rows.tell(seeds(1, 3000).map(done));
    const failed = seeds(1, 3000)
      .map(done)
      .filter(({ status }) => status !== 'completed');
    expect(view.order.value).toHaveLength(failed.length);
  });

  it('leave no hole in the list: what is older than a forgotten one is not shown either', () => {
    const rows = new RowStore(100);
    const view = new RowView(rows);
    rows.tell([row(1), ...seeds(2, 90).map(done)]);
    rows.tell(seeds(90, 150).map(done));
    expect(rows.get(row(1).id)).toBeDefined();
    expect(view.order.value).not.toContain(row(1).id);
    expect(view.order.value).toEqual(ids(...seeds(55, 150).reverse()).slice(0, view.order.value.length));
  });

  it('keep the newer ones that wait to be shown', () => {
    const rows = new RowStore(100);
    const view = new RowView(rows);
    rows.tell(seeds(1, 80).map(done));
    view.hold();
    rows.tell(seeds(80, 150).map(done));
    expect(view.fresh.value).toBe(70);
    view.release();
    expect(view.order.value[0]).toBe(row(149).id);
    expect(view.order.value).toEqual(ids(...seeds(150 - view.order.value.length, 150).reverse()));
  });

  it('are as the news say, though an answer that was asked for before comes after them', () => {
    const rows = new RowStore();
    const answer = rows.ask();
    rows.tell([done(1)]);
    answer.take([row(1), row(2)]);
    expect(rows.get(row(1).id)?.completedAt).toBeDefined();
    expect(rows.get(row(2).id)?.status).toBe('pending');
  });

  it('go when they are deleted, many in one change, and do not come back with an answer that is on its way', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    const told: (readonly string[])[] = [];
    rows.listen(({ deleted }) => told.push(deleted));
    rows.tell([row(1), row(2), row(3)]);
    view.hold();
    rows.tell([row(4)]);
    const answer = rows.ask();
    rows.remove(ids(1, 3, 4, 9));
    expect(told).toEqual([[], [], ids(1, 3, 4)]);
    expect(view.order.value).toEqual(ids(2));
    expect(view.fresh.value).toBe(0);
    answer.take([row(3), row(9), row(8)]);
    expect([...rows.values()].map(({ id }) => id)).toEqual(ids(2, 8));
    rows.remove(ids(1));
    expect(told).toHaveLength(4);
  });

  it('are gone where the node does not list them any more, unless they have not ended or are news', () => {
    const rows = new RowStore();
    rows.tell([done(1), done(2), row(3), done(4), done(5)]);
    const answer = rows.ask();
    rows.tell([done(6)]);
    const newest = row(2).id;
    answer.take([done(4)], ({ id }) => id >= newest);
    expect([...rows.values()].map(({ id }) => id).toSorted()).toEqual(ids(1, 3, 4, 6));
  });

  it('take ten thousand changes to a list of ten thousand in a moment', () => {
    const rows = new RowStore();
    const view = new RowView(rows);
    rows.tell(seeds(1, 10_001).map(row));
    const changes = seeds(1, 10_001).map(done);
    const spent = processorTime(() => {
      for (let from = 0; from < changes.length; from += 100) rows.tell(changes.slice(from, from + 100));
    });
    expect(spent).toBeLessThan(5000);
    expect(view.order.value).toHaveLength(10_000);
  });
});
