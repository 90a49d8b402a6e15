import { describe, expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import { admit, complete, id, logBench, mebibyte, text } from './log-bench.ts';

describe('backpressure', () => {
  test('a producer with a megabyte that is not durable waits, and goes on when it is', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    admit(log);
    await settle();
    watched.hold();
    expect(log.write('stdout', new Uint8Array(mebibyte - 1))).toBeUndefined();
    const blocked = log.write('stdout', new Uint8Array(1));
    if (blocked === undefined) throw new Error('it was not held back');
    expect(await isSettled(blocked)).toBe(false);
    expect(await isSettled(log.write('stderr', text('x')) ?? Promise.resolve())).toBe(false);
    watched.release();
    expect(await isSettled(blocked)).toBe(true);
  });

  test('a store that fails holds the producer back for as long as it fails', async () => {
    const { clock, store, open } = logBench();
    const log = open(id);
    admit(log);
    await settle();
    store.setFault(new Error('disk full'));
    const blocked = log.write('stdout', new Uint8Array(mebibyte));
    await clock.advance(60_000);
    expect(await isSettled(blocked ?? Promise.resolve())).toBe(false);
    store.setFault(undefined);
    await clock.advance(1000);
    expect(await isSettled(blocked ?? Promise.resolve())).toBe(true);
  });

  test('a producer that is held back goes on when the log is sealed, and its bytes are dropped', async () => {
    const { watched, open } = logBench();
    const log = open(id);
    admit(log);
    await settle();
    watched.hold();
    const blocked = log.write('stdout', new Uint8Array(mebibyte));
    complete(log);
    expect(await isSettled(blocked ?? Promise.reject(new Error('it was not held back')))).toBe(true);
    expect(log.write('stdout', new Uint8Array(mebibyte))).toBeUndefined();
    expect(log.record.droppedBytes).toBe(mebibyte);
    watched.release();
  });
});
