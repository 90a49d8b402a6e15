import { expect, test } from 'vitest';
import { LiveCursor, StoredCursor } from '../../src/actors/log/cursors.ts';
import { waitForAdmission } from '../../src/observers/async.ts';
import { waitForOutcome } from '../../src/observers/sync.ts';
import { admit, complete, dispatch, logBench } from '../actors/log-bench.ts';
import { isSettled, settle } from '../support/fake-clock.ts';

async function running() {
  const bench = logBench();
  const log = bench.open('exec_1');
  admit(log);
  dispatch(log);
  await settle();
  return { ...bench, log, cursor: new LiveCursor(log) };
}

test('without a budget it waits for the outcome, however long', async () => {
  const { clock, log, cursor } = await running();
  const waiting = waitForOutcome(cursor, undefined, clock);
  await clock.advance(3_600_000);
  expect(await isSettled(waiting)).toBe(false);
  complete(log);
  expect(await waiting).toMatchObject({ status: 'completed', lastSequence: 3 });
});

test('when the budget is over it tells where the execution is, so that the caller can go on', async () => {
  const { clock, cursor } = await running();
  const waiting = waitForOutcome(cursor, 100, clock);
  await clock.advance(99);
  expect(await isSettled(waiting)).toBe(false);
  await clock.advance(1);
  expect(await waiting).toMatchObject({ status: 'running', state: 'running.attempting', lastSequence: 2 });
});

test('an outcome within the budget is told at once, and leaves no timer', async () => {
  const { clock, log, cursor } = await running();
  const waiting = waitForOutcome(cursor, 60_000, clock);
  complete(log);
  expect(await waiting).toMatchObject({ status: 'completed' });
  expect(clock.timers).toBe(0);
});

test('a budget longer than any timer is none', async () => {
  const { clock, log, cursor } = await running();
  const waiting = waitForOutcome(cursor, 366 * 24 * 3_600_000, clock);
  await clock.advance(1000);
  expect(await isSettled(waiting)).toBe(false);
  complete(log);
  expect(await waiting).toMatchObject({ status: 'completed' });
});

test('a caller that goes away while it waits ends the wait', async () => {
  const { clock, cursor } = await running();
  const waiting = waitForOutcome(cursor, undefined, clock);
  await settle();
  cursor.close('gone');
  expect(await waiting).toMatchObject({ status: 'running' });
});

test('a budget that ends before the admission is durable still waits for that: before it there is nothing to tell', async () => {
  const { clock, watched, open } = logBench();
  watched.hold();
  const log = open('exec_1');
  admit(log);
  const waiting = waitForOutcome(new LiveCursor(log), 10, clock);
  await clock.advance(50);
  expect(await isSettled(waiting)).toBe(false);
  watched.release();
  expect(await waiting).toMatchObject({ status: 'pending' });
});

test('an admission that fails is what the caller hears, waiting for the outcome or not', async () => {
  const { clock, store, open } = logBench();
  store.failNext(new Error('disk full'));
  const log = open('exec_1');
  admit(log);
  const cursor = new LiveCursor(log);
  await expect(waitForOutcome(cursor, undefined, clock)).rejects.toMatchObject({
    reason: 'STORE_UNAVAILABLE',
  });
  await expect(waitForAdmission(cursor)).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
});

test('a finished execution of the store is told at once', async () => {
  const { clock, log, cursor, store } = await running();
  complete(log);
  await settle();
  const stored = new StoredCursor(store, cursor.record);
  expect(await waitForOutcome(stored, undefined, clock)).toMatchObject({ status: 'completed' });
});

test('waiting for the admission ends with it, and not with the outcome', async () => {
  const { watched, open } = logBench();
  watched.hold();
  const log = open('exec_1');
  admit(log);
  const waiting = waitForAdmission(new LiveCursor(log));
  expect(await isSettled(waiting)).toBe(false);
  watched.release();
  expect(await waiting).toMatchObject({ status: 'pending', lastSequence: 1 });
});
