import { describe, expect, test } from 'vitest';
import { LiveCursor } from '../../src/actors/log/cursors.ts';
import { maxChunkBytes } from '../../src/domain/event.ts';
import { settle } from '../support/fake-clock.ts';
import { admit, id, logBench, mebibyte, sequences, storedLog, upTo } from './log-bench.ts';

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
