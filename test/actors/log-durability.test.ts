import { describe, expect, test } from 'vitest';
import { LiveCursor } from '../../src/actors/log/cursors.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import {
  admit,
  chunks,
  complete,
  dispatch,
  id,
  logBench,
  mebibyte,
  sequences,
  storedLog,
  text,
} from './log-bench.ts';

describe('durability', () => {
  test('nothing is heard before it is committed: no record, no event, no wake', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    const cursor = new LiveCursor(log);
    watched.hold();
    admit(log);
    dispatch(log);
    complete(log);
    const waits = [cursor.admitted(), cursor.beyond(0), cursor.beyond(Number.POSITIVE_INFINITY)];
    await settle();
    expect(watched.asked).toBe(1);
    for (const wait of waits) expect(await isSettled(wait)).toBe(false);
    expect(log.committed).toBeUndefined();
    expect(() => cursor.record).toThrow();
    expect(await cursor.read(1, mebibyte)).toEqual([]);
    watched.release();
    for (const wait of waits) expect(await isSettled(wait)).toBe(true);
    expect(cursor.record).toMatchObject({ status: 'completed', lastSequence: 3 });
    expect(sequences(await cursor.read(1, mebibyte))).toEqual([1, 2, 3]);
  });

  test('what comes while a commit is under way is in the next, and not heard with the first', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    watched.hold();
    admit(log);
    await settle();
    dispatch(log);
    complete(log);
    watched.release();
    await log.admitted();
    expect(log.committed).toMatchObject({ status: 'pending', state: 'pending.queued', lastSequence: 1 });
    expect(log.committed?.outcome).toBeUndefined();
    await settle();
    expect(watched.commits.map((entries) => entries.map((entry) => entry.events.length))).toEqual([[1], [2]]);
    expect(log.complete).toBe(true);
  });

  test('a reader of the store hears of a commit when the log has, and not as soon as the store has it', async () => {
    const { watched, store, open, reopen } = logBench();
    const before = open(id);
    admit(before);
    await before.admitted();
    const log = reopen(before);
    const cursor = new LiveCursor(log);
    watched.holdAnswers();
    complete(log);
    await settle();
    expect(sequences(await storedLog(store, id))).toEqual([1, 2]);
    expect(sequences(await cursor.read(1, mebibyte))).toEqual([1]);
    expect(cursor.record).toMatchObject({ status: 'pending', lastSequence: 1 });
    watched.release();
    await cursor.beyond(1);
    expect(sequences(await cursor.read(1, mebibyte))).toEqual([1, 2]);
    expect(cursor.record).toMatchObject({ status: 'completed', lastSequence: 2 });
  });

  test('a binding is durable when it says so, and needs no event of its own', async () => {
    const { watched, store, open } = logBench();
    const log = open(id);
    admit(log);
    await log.admitted();
    watched.hold();
    const bound = log.bind('inst_1');
    await settle();
    expect(await isSettled(bound)).toBe(false);
    watched.release();
    await bound;
    expect(await store.execution(id)).toMatchObject({ instanceId: 'inst_1', lastSequence: 1 });
    dispatch(log);
    await settle();
    expect(await store.execution(id)).toMatchObject({ instanceId: 'inst_1', lastSequence: 2 });
  });

  test('a binding made in the turn of its dispatch shares its commit', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    admit(log);
    await log.admitted();
    dispatch(log);
    await log.bind('inst_1');
    expect(watched.commits.at(-1)).toMatchObject([
      { events: [{ sequence: 2 }], record: { instanceId: 'inst_1' } },
    ]);
    expect(watched.commits).toHaveLength(2);
  });

  test('a binding made while a commit is under way waits for the next one', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    watched.hold();
    admit(log);
    await settle();
    const bound = log.bind('inst_1');
    watched.release();
    await bound;
    expect(log.committed).toMatchObject({ instanceId: 'inst_1' });
  });

  test('a binding whose commit fails is durable when the medium works again', async () => {
    const { clock, store, open } = logBench();
    const log = open(id);
    admit(log);
    await log.admitted();
    store.failNext(new Error('scripted'));
    const bound = log.bind('inst_1');
    await settle();
    expect(await isSettled(bound)).toBe(false);
    await clock.advance(1000);
    await bound;
    expect(await store.execution(id)).toMatchObject({ instanceId: 'inst_1' });
  });

  test('the committed record never claims output that is not in the log yet', async () => {
    const { store, open } = logBench();
    const log = open(id);
    admit(log);
    void log.write('stdout', text('still open'));
    await settle();
    const record = await store.execution(id);
    expect(chunks(await storedLog(store, id))).toEqual([]);
    expect(record).toMatchObject({ lastSequence: 1, outputBytes: 0, outputEvents: 0 });
  });

  test('times never run backwards within a log, whatever the wall clock does', async () => {
    const { clock, store, open } = logBench();
    const log = open(id);
    admit(log);
    clock.jump(-60_000);
    dispatch(log);
    clock.jump(90_000);
    complete(log);
    await settle();
    const times = (await storedLog(store, id)).map((event) => event.time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[1]).toBe(times[0]);
  });
});
