import { describe, expect, test } from 'vitest';
import { LiveCursor } from '../../src/actors/log/cursors.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { admit, complete, dispatch, id, logBench } from './log-bench.ts';

describe('waiting', () => {
  test('a reader is woken by an event after its own and not by one before', async () => {
    const { open } = logBench();
    const log = open(id);
    const cursor = new LiveCursor(log);
    admit(log);
    await settle();
    const second = cursor.beyond(1);
    expect(await isSettled(second)).toBe(false);
    dispatch(log);
    expect(await isSettled(second)).toBe(true);
    expect(await isSettled(cursor.beyond(1))).toBe(true);
  });

  test('a wait for the end is not over before the result is durable', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    const cursor = new LiveCursor(log);
    admit(log);
    await settle();
    const end = cursor.beyond(Number.POSITIVE_INFINITY);
    watched.hold();
    complete(log);
    expect(await isSettled(end)).toBe(false);
    watched.release();
    expect(await isSettled(end)).toBe(true);
  });

  test('wake and close end a wait, and a closed cursor never waits', async () => {
    const { open } = logBench();
    const log = open(id);
    const cursor = new LiveCursor(log);
    admit(log);
    await settle();
    const first = cursor.beyond(1);
    cursor.wake();
    expect(await isSettled(first)).toBe(true);
    const second = cursor.beyond(1);
    cursor.close('done');
    expect(await isSettled(second)).toBe(true);
    expect(await isSettled(cursor.beyond(1))).toBe(true);
  });

  test('observers are counted, and closing twice is closing once', () => {
    const { open } = logBench();
    const log = open(id);
    const left: string[] = [];
    const cursor = new LiveCursor(log, {
      closed: (how) => void left.push(`${how} ${log.observers}`),
    });
    const other = new LiveCursor(log);
    expect(log.observers).toBe(2);
    cursor.close('gone');
    cursor.close('done');
    expect(left).toEqual(['gone 1']);
    other.close('done');
    expect(log.observers).toBe(0);
  });
});
