/** What a log does while the disk is full: output gives way to what ends an execution. */
import { expect, test } from 'vitest';
import { noRoomMessage } from '../../src/actors/log/output-room.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import {
  admit,
  change,
  chunks,
  complete,
  dispatch,
  id,
  logBench,
  mebibyte,
  sequences,
  storedLog,
  text,
  upTo,
} from './log-bench.ts';

const share = 64 * 1024;

async function running(more: Parameters<ReturnType<typeof logBench>['open']>[1] = {}) {
  const bench = logBench();
  const log = bench.open(id, more);
  admit(log);
  dispatch(log);
  await settle();
  return { ...bench, log };
}

/** The disk is found to be full by the commit of what was written. */
function fill({ store }: ReturnType<typeof logBench>): void {
  store.failNext(new Error('database or disk is full'));
  store.lowSpace = true;
}

test('a flood is cut to its share of the room that is left, and its execution is told to end', async () => {
  const bench = await running();
  const { log, store, clock, limits } = bench;
  fill(bench);
  const blocked = log.write('stdout', new Uint8Array(2 * mebibyte));
  await clock.advance(1000);
  expect(limits).toEqual([{ executionId: id, message: noRoomMessage }]);
  expect(await isSettled(blocked ?? Promise.reject(new Error('it was not held back')))).toBe(true);
  void log.write('stdout', new Uint8Array(mebibyte));
  change(log, { state: 'running.stopping' });
  log.end(
    { state: 'failed', status: 'failed' },
    { status: 'failed', code: 'OUTPUT_LIMIT', message: noRoomMessage },
  );
  await clock.advance(1000);
  const events = await storedLog(store, id);
  expect(events.map(({ kind }) => kind)).toEqual([
    'transition',
    'transition',
    'chunk',
    'transition',
    'result',
  ]);
  expect(sequences(events)).toEqual(upTo(5));
  expect(log.committed).toMatchObject({
    lastSequence: 5,
    outputBytes: share,
    outputEvents: 1,
    droppedBytes: 3 * mebibyte - share,
  });
});

test('who waits for a transition behind output that was cut hears when it is durable', async () => {
  const bench = await running();
  const { log, store, clock } = bench;
  fill(bench);
  void log.write('stdout', new Uint8Array(mebibyte));
  dispatch(log, 2);
  const durable = log.durable();
  void log.write('stdout', new Uint8Array(mebibyte));
  await clock.advance(1000);
  expect(await isSettled(durable)).toBe(true);
  expect(await durable).toBe(true);
  expect(log.committed).toMatchObject({ lastSequence: 4, attempt: 2, attemptSequence: 4 });
  expect(sequences(await storedLog(store, id))).toEqual(upTo(4));
});

test('little output is written all the same, also in many commits, up to its share', async () => {
  const bench = await running();
  const { log, store, clock, limits } = bench;
  store.lowSpace = true;
  for (let number = 0; number < 30; number++) {
    void log.write('stdout', text(`${number},`));
    await clock.advance(100);
  }
  expect(limits).toEqual([]);
  complete(log);
  await settle();
  expect(chunks(await storedLog(store, id))).toHaveLength(30);
  expect(log.committed).toMatchObject({ status: 'completed', droppedBytes: 0 });
});

test('a flood of tiny chunks takes no more room than one of large ones', async () => {
  const bench = await running();
  const { log, store, clock, limits } = bench;
  store.lowSpace = true;
  for (let number = 0; number < 3000; number++) {
    void log.write(number % 2 === 0 ? 'stdout' : 'stderr', text('x'));
  }
  await clock.advance(1000);
  expect(limits).toEqual([{ executionId: id, message: noRoomMessage }]);
  expect(log.committed).toMatchObject({ outputBytes: 1024, outputEvents: 1024, droppedBytes: 1976 });
});

test('a commit that fails once more does not take the room twice', async () => {
  const bench = await running();
  const { log, store, clock, limits } = bench;
  store.lowSpace = true;
  void log.write('stdout', new Uint8Array(share));
  store.setFault(new Error('database or disk is full'));
  await clock.advance(10_000);
  store.setFault(undefined);
  await clock.advance(1000);
  expect(log.committed).toMatchObject({ outputBytes: share, droppedBytes: 0 });
  expect(limits).toEqual([]);
});

test('a success whose output was cut is none', async () => {
  const bench = await running();
  const { log, store, clock, limits } = bench;
  fill(bench);
  void log.write('stdout', new Uint8Array(mebibyte));
  log.end({ state: 'completed', status: 'completed' }, { status: 'completed', exitCode: 0 });
  await clock.advance(1000);
  expect(limits).toEqual([]);
  expect(log.complete).toBe(true);
  expect(log.committed).toMatchObject({
    status: 'failed',
    state: 'failed',
    outcome: { status: 'failed', code: 'OUTPUT_LIMIT', message: noRoomMessage, exitCode: 0 },
  });
  expect((await storedLog(store, id)).at(-1)).toMatchObject({ kind: 'result', status: 'failed' });
});

test('a value that has no room is left out, and what had ended otherwise keeps its end', async () => {
  const output = 'x'.repeat(2 * share);
  for (const [outcome, code] of [
    [{ status: 'completed', output }, 'OUTPUT_LIMIT'],
    [{ status: 'failed', code: 'FUNCTION_ERROR', message: 'no', output }, 'FUNCTION_ERROR'],
  ] as const) {
    const { log, store, clock } = await running();
    store.lowSpace = true;
    log.end({ state: outcome.status, status: outcome.status }, outcome);
    await clock.advance(1000);
    expect(log.committed).toMatchObject({ status: 'failed', state: 'failed', outcome: { code } });
    expect(log.committed?.outcome).not.toHaveProperty('output');
  }
});

test('all executions together have no more than a part of the room', async () => {
  const { open, store, clock, limits } = logBench();
  const logs = upTo(40).map((number) => open(`exec_${number}`));
  for (const log of logs) {
    admit(log);
    dispatch(log);
  }
  await settle();
  store.lowSpace = true;
  for (const log of logs) void log.write('stdout', new Uint8Array(share));
  await clock.advance(1000);
  const written = logs.reduce((sum, log) => sum + (log.committed?.outputBytes ?? 0), 0);
  expect(written).toBe(2 * mebibyte);
  expect(limits).toHaveLength(8);
});

test('when there is room again output is no longer counted', async () => {
  const { log, store, clock, limits } = await running();
  store.lowSpace = true;
  void log.write('stdout', new Uint8Array(share));
  await clock.advance(100);
  store.lowSpace = false;
  void log.write('stdout', new Uint8Array(mebibyte));
  await clock.advance(100);
  store.lowSpace = true;
  void log.write('stdout', new Uint8Array(share));
  await clock.advance(100);
  expect(limits).toEqual([]);
  expect(log.committed).toMatchObject({ outputBytes: mebibyte + 2 * share, droppedBytes: 0 });
});

test('a commit takes about 8 MiB of output, and the rest comes with the next', async () => {
  const { open, watched, clock } = logBench();
  const logs = upTo(20).map((number) => open(`exec_${number}`));
  for (const log of logs) {
    admit(log);
    dispatch(log);
  }
  await settle();
  for (const log of logs) void log.write('stdout', new Uint8Array(mebibyte));
  await clock.advance(100);
  expect(watched.commits.map((entries) => entries.length)).toEqual([20, 8, 8, 4]);
  expect(logs.every((log) => log.committed?.outputBytes === mebibyte)).toBe(true);
});
