import { describe, expect, test } from 'vitest';
import { maxChunkBytes } from '../../src/domain/event.ts';
import { settle } from '../support/fake-clock.ts';
import { admit, chunks, complete, id, logBench, storedLog, text } from './log-bench.ts';

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
