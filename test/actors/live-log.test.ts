import { describe, expect, test } from 'vitest';
import { LiveCursor } from '../../src/actors/cursors.ts';
import { maxChunkBytes } from '../../src/domain/event.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import {
  admit,
  change,
  chunks,
  complete,
  dispatch,
  logBench,
  sequences,
  storedLog,
  text,
  upTo,
} from './log-bench.ts';

const id = 'exec_1';
const mebibyte = 1024 * 1024;

describe('chunks', () => {
  test('small writes of one stream share a chunk until 5 ms are over', async () => {
    const { clock, store, open } = logBench();
    const log = open(id);
    admit(log);
    dispatch(log);
    void log.write('stdout', text('a'));
    await clock.advance(2);
    void log.write('stdout', text('b'));
    await clock.advance(2);
    expect(chunks(await storedLog(store, id))).toEqual([]);
    await clock.advance(1);
    expect(chunks(await storedLog(store, id))).toEqual(['stdout:ab']);
    void log.write('stdout', text('c'));
    await clock.advance(5);
    expect(chunks(await storedLog(store, id))).toEqual(['stdout:ab', 'stdout:c']);
  });

  test('a write of the other stream ends a chunk at once, so that the order of arrival stays', async () => {
    const { store, open } = logBench();
    const log = open(id);
    admit(log);
    for (const [stream, what] of [
      ['stdout', 'a'],
      ['stdout', 'b'],
      ['stderr', 'c'],
      ['stdout', 'd'],
    ] as const) {
      void log.write(stream, text(what));
    }
    complete(log);
    await settle();
    expect(chunks(await storedLog(store, id))).toEqual(['stdout:ab', 'stderr:c', 'stdout:d']);
  });

  test('a chunk is committed as soon as it has 64 KiB, and never has more', async () => {
    const { store, open } = logBench();
    const log = open(id);
    admit(log);
    void log.write('stdout', new Uint8Array(maxChunkBytes - 1).fill(1));
    await settle();
    expect(await storedLog(store, id)).toHaveLength(1);
    void log.write('stdout', new Uint8Array(2 * maxChunkBytes + 3).fill(2));
    await settle();
    const sizes = (await storedLog(store, id)).flatMap((event) =>
      event.kind === 'chunk' ? [event.data.byteLength] : [],
    );
    expect(sizes).toEqual([maxChunkBytes, maxChunkBytes, maxChunkBytes]);
    complete(log);
    await settle();
    const last = (await storedLog(store, id)).at(-2);
    expect(last?.kind === 'chunk' && last.data).toEqual(new Uint8Array(2).fill(2));
  });

  test('what arrives with the end is still in the log, before the result', async () => {
    const { store, open } = logBench();
    const log = open(id);
    admit(log);
    void log.write('stderr', text('last words'));
    complete(log);
    await settle();
    expect((await storedLog(store, id)).map((event) => event.kind)).toEqual([
      'transition',
      'chunk',
      'result',
    ]);
  });

  test('a transition stands after the output that came before it', async () => {
    const { store, open } = logBench();
    const log = open(id);
    admit(log);
    dispatch(log);
    void log.write('stdout', text('first attempt'));
    change(log, { state: 'running.backingOff' });
    await settle();
    const events = await storedLog(store, id);
    expect(events.map((event) => event.kind)).toEqual(['transition', 'transition', 'chunk', 'transition']);
    expect(events.map((event) => event.attempt)).toEqual([0, 1, 1, 1]);
  });

  test('an empty write makes no chunk', async () => {
    const { clock, store, open } = logBench();
    const log = open(id);
    admit(log);
    expect(log.write('stdout', new Uint8Array())).toBeUndefined();
    await clock.advance(10);
    complete(log);
    await settle();
    expect((await storedLog(store, id)).map((event) => event.kind)).toEqual(['transition', 'result']);
    expect(log.committed).toMatchObject({ outputBytes: 0, outputEvents: 0 });
  });
});

describe('limits', () => {
  test('output ends exactly at max_output_bytes over both streams, and what is beyond is counted', async () => {
    const { store, open, limits } = logBench();
    const log = open(id, { limits: { maxOutputBytes: 10 } });
    admit(log);
    void log.write('stdout', text('12345'));
    void log.write('stderr', text('6789'));
    expect(limits).toEqual([]);
    void log.write('stdout', text('abc'));
    expect(limits).toEqual([{ executionId: id, message: 'more than 10 bytes of output' }]);
    void log.write('stderr', text('more'));
    expect(limits).toHaveLength(1);
    complete(log);
    await settle();
    expect(chunks(await storedLog(store, id))).toEqual(['stdout:12345', 'stderr:6789', 'stdout:a']);
    expect(log.committed).toMatchObject({ outputBytes: 10, outputEvents: 3, droppedBytes: 6 });
  });

  test('exactly max_output_bytes is allowed', async () => {
    const { store, open, limits } = logBench();
    const log = open(id, { limits: { maxOutputBytes: 10 } });
    admit(log);
    void log.write('stdout', text('1234567890'));
    void log.write('stdout', new Uint8Array());
    complete(log);
    await settle();
    expect(limits).toEqual([]);
    expect(chunks(await storedLog(store, id))).toEqual(['stdout:1234567890']);
    expect(log.committed).toMatchObject({ droppedBytes: 0 });
  });

  test('output ends exactly at max_output_events, and what would need one more is counted', async () => {
    const { store, open, limits } = logBench();
    const log = open(id, { limits: { maxOutputEvents: 3 } });
    admit(log);
    for (const [stream, what] of [
      ['stdout', 'a'],
      ['stderr', 'b'],
      ['stdout', 'c'],
      ['stdout', 'd'],
    ] as const) {
      void log.write(stream, text(what));
    }
    expect(limits).toEqual([]);
    void log.write('stderr', text('too much'));
    expect(limits).toEqual([{ executionId: id, message: 'more than 3 chunks of output' }]);
    complete(log);
    await settle();
    expect(chunks(await storedLog(store, id))).toEqual(['stdout:a', 'stderr:b', 'stdout:cd']);
    expect(log.committed).toMatchObject({ outputBytes: 4, outputEvents: 3, droppedBytes: 8 });
  });

  test('a single write beyond the last chunk is kept up to it', async () => {
    const { open, limits } = logBench();
    const log = open(id, { limits: { maxOutputEvents: 2 } });
    admit(log);
    void log.write('stdout', new Uint8Array(2 * maxChunkBytes + 7));
    expect(limits).toHaveLength(1);
    complete(log);
    await settle();
    expect(log.committed).toMatchObject({ outputBytes: 2 * maxChunkBytes, droppedBytes: 7 });
  });
});

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

describe('the tail', () => {
  test('the last events are read from memory, older ones from the store, with no seam between', async () => {
    const { watched, store, open } = logBench();
    const log = open(id);
    admit(log);
    const parts = 20;
    for (let n = 0; n < parts; n++) {
      await log.write('stdout', new Uint8Array(maxChunkBytes).fill(n));
      await settle();
    }
    let storeReads = 0;
    const events = store.events.bind(store);
    store.events = (...query) => {
      storeReads++;
      return events(...query);
    };
    await log.read(parts + 1, mebibyte);
    expect(storeReads).toBe(0);
    await log.read(1, mebibyte);
    expect(storeReads).toBe(1);
    const cursor = new LiveCursor(log);
    const seen: number[] = [];
    for (;;) {
      const page = await cursor.read(seen.length + 1, 256 * 1024);
      if (page.length === 0) break;
      for (const event of page) {
        seen.push(event.sequence);
        if (event.kind === 'chunk') expect(event.data[0]).toBe(event.sequence - 2);
      }
    }
    expect(seen).toEqual(upTo(parts + 1));
    expect(watched.commits.flat().length).toBeGreaterThan(0);
  });

  test('a log of many small events keeps few of them in memory', async () => {
    const { store, open } = logBench();
    const log = open(id);
    for (let n = 0; n < 5000; n++) admit(log);
    await settle();
    expect(await storedLog(store, id)).toHaveLength(5000);
    store.setFault(new Error('so that only memory answers'));
    expect(sequences(await log.read(4500, mebibyte))).toEqual(upTo(5000).slice(4499));
    await expect(log.read(1000, mebibyte)).rejects.toThrow();
  });

  test('a page has about the bytes that were asked for, and at least one event', async () => {
    const { open } = logBench();
    const log = open(id);
    admit(log);
    for (let n = 0; n < 3; n++) void log.write('stdout', new Uint8Array(maxChunkBytes));
    await settle();
    expect(sequences(await log.read(2, 1))).toEqual([2]);
    expect(sequences(await log.read(2, 2 * maxChunkBytes))).toEqual([2, 3]);
    expect(sequences(await log.read(5, mebibyte))).toEqual([]);
  });
});

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
