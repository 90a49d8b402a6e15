import { describe, expect, test } from 'vitest';
import { LiveCursor, StoredCursor } from '../../src/actors/log/cursors.ts';
import { maxChunkBytes } from '../../src/domain/event.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { followLog } from '../../src/observers/stream.ts';
import { admit, change, complete, dispatch, logBench, sequences, upTo } from '../actors/log-bench.ts';
import { isSettled, settle } from '../support/fake-clock.ts';

const id = 'exec_1';

/** Follows in the background; what it has seen so far can be read at any time. */
function follow(cursor: LogCursor, from: number) {
  const seen: number[] = [];
  const ended = (async () => {
    for await (const page of followLog(cursor, from)) seen.push(...sequences(page));
  })();
  ended.catch(() => {});
  return { seen, ended };
}

async function running() {
  const bench = logBench();
  const log = bench.open(id);
  admit(log);
  dispatch(log);
  await settle();
  return { ...bench, log, cursor: new LiveCursor(log) };
}

async function finished() {
  const bench = await running();
  complete(bench.log);
  await settle();
  return bench;
}

describe('a log that grows', () => {
  test.each([[0], [1]])(
    'from %i it is replayed from the first event and followed to the result',
    async (from) => {
      const { log, cursor } = await running();
      const { seen, ended } = follow(cursor, from);
      await settle();
      expect(seen).toEqual([1, 2]);
      change(log, { state: 'running.backingOff' });
      await settle();
      expect(seen).toEqual([1, 2, 3]);
      complete(log);
      await ended;
      expect(seen).toEqual([1, 2, 3, 4]);
    },
  );

  test('from a number in the middle, nothing before it is sent', async () => {
    const { log, cursor } = await running();
    const { seen, ended } = follow(cursor, 2);
    complete(log);
    await ended;
    expect(seen).toEqual([2, 3]);
  });

  test('from the tip it waits for the next event', async () => {
    const { log, cursor } = await running();
    const { seen, ended } = follow(cursor, 3);
    expect(await isSettled(ended)).toBe(false);
    complete(log);
    await ended;
    expect(seen).toEqual([3]);
  });

  test('from beyond the tip it is OUT_OF_RANGE, and the error tells the last sequence number', async () => {
    const { cursor } = await running();
    await expect(follow(cursor, 4).ended).rejects.toMatchObject({
      kind: 'out_of_range',
      metadata: { last_sequence: '2' },
      violations: [{ field: 'from_sequence' }],
    });
  });

  test('before the admission is durable it waits, and then sends all', async () => {
    const { watched, open } = logBench();
    watched.hold();
    const log = open(id);
    admit(log);
    const { seen, ended } = follow(new LiveCursor(log), 1);
    await settle();
    expect(seen).toEqual([]);
    watched.release();
    await settle();
    expect(seen).toEqual([1]);
    complete(log);
    await ended;
  });

  test('an admission that fails is what the reader hears', async () => {
    const { store, open } = logBench();
    store.failNext(new Error('disk full'));
    const log = open(id);
    admit(log);
    await expect(follow(new LiveCursor(log), 1).ended).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
  });

  test('a reader that closes while it waits ends without an error and without more events', async () => {
    const { log, cursor } = await running();
    const { seen, ended } = follow(cursor, 1);
    await settle();
    cursor.close('gone');
    await ended;
    complete(log);
    await settle();
    expect(seen).toEqual([1, 2]);
    expect(log.observers).toBe(0);
  });

  test('a reader that stops taking pages holds nobody up, and goes on where it was', async () => {
    const { log, cursor } = await running();
    const pages = followLog(cursor, 1);
    const first = await pages.next();
    expect(first.done).toBe(false);
    for (let n = 0; n < 40; n++) {
      const blocked = log.write('stdout', new Uint8Array(maxChunkBytes));
      await settle();
      if (blocked !== undefined) expect(await isSettled(blocked)).toBe(true);
    }
    complete(log);
    await settle();
    const seen = sequences(first.value ?? []);
    for await (const page of pages) seen.push(...sequences(page));
    expect(seen).toEqual(upTo(43));
  });

  test('an end that is not durable yet is not sent', async () => {
    const { watched, log, cursor } = await running();
    const { seen, ended } = follow(cursor, 1);
    watched.hold();
    complete(log);
    await settle();
    expect(seen).toEqual([1, 2]);
    watched.release();
    await ended;
    expect(seen).toEqual([1, 2, 3]);
  });

  test('a log that is taken away from its readers ends them with an error, and does not keep the node busy', async () => {
    const { log } = await running();
    let reads = 0;
    const real = new LiveCursor(log);
    const cursor: LogCursor = {
      executionId: id,
      get record() {
        return real.record;
      },
      admitted: () => real.admitted(),
      read(from, maxBytes) {
        if (++reads > 50) throw new Error('it reads and reads');
        return real.read(from, maxBytes);
      },
      beyond: (sequence) => real.beyond(sequence),
      wake: () => real.wake(),
      close: (how) => real.close(how),
      closed: false,
      left: false,
    };
    const { ended } = follow(cursor, 1);
    await settle();
    log.fail(new Error('another writer has it'));
    await expect(ended).rejects.toThrow('another writer has it');
  });
});

describe('a finished log', () => {
  test.each([['live'], ['stored']])('%s: it is replayed to the result, and ends', async (kind) => {
    const { cursor, store } = await finished();
    const reader = kind === 'live' ? cursor : new StoredCursor(store, cursor.record);
    for (const [from, expected] of [
      [0, [1, 2, 3]],
      [3, [3]],
      [4, []],
    ] as const) {
      const { seen, ended } = follow(reader, from);
      await ended;
      expect(seen).toEqual(expected);
    }
    await expect(follow(reader, 5).ended).rejects.toMatchObject({
      kind: 'out_of_range',
      metadata: { last_sequence: '3' },
    });
  });
});

describe('a log that is no longer kept', () => {
  const nothing = { endedBefore: 0, now: 0, unusedForMs: 0, maxBytes: 1500 };

  test.each([[0], [1], [2]])(
    'from %i it is OUT_OF_RANGE, and the error tells the oldest event',
    async (from) => {
      const { cursor, store } = await finished();
      await store.retain(nothing);
      const record = await store.execution(id);
      if (record === undefined) throw new Error('its record is to be kept');
      await expect(follow(new StoredCursor(store, record), from).ended).rejects.toMatchObject({
        kind: 'out_of_range',
        reason: 'SEQUENCE_GONE',
        metadata: { oldest_sequence: '3' },
      });
      const { seen, ended } = follow(new StoredCursor(store, record), 3);
      await ended;
      expect(seen).toEqual([3]);
      expect(cursor.record.oldestSequence).toBeUndefined();
    },
  );

  test('one that is being read when it goes ends with an error, and not with a gap', async () => {
    const { cursor, store } = await finished();
    const reader = new StoredCursor(store, cursor.record);
    await store.retain(nothing);
    await expect(follow(reader, 1).ended).rejects.toMatchObject({ metadata: { oldest_sequence: '3' } });
  });

  test('an execution that is deleted while it is read ends with NOT_FOUND', async () => {
    const { cursor, store } = await finished();
    const reader = new StoredCursor(store, cursor.record);
    expect(await store.delete(id)).toBe(true);
    await expect(follow(reader, 1).ended).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('a stored log that has not ended, and that nobody goes on with, ends with UNAVAILABLE', async () => {
    const { cursor, store } = await running();
    const reader = new StoredCursor(store, cursor.record);
    const { seen, ended } = follow(reader, 1);
    await expect(ended).rejects.toMatchObject({ kind: 'unavailable' });
    expect(seen).toEqual([1, 2]);
  });
});
