import { describe, expect, test } from 'vitest';
import { maxChunkBytes } from '../../src/domain/event.ts';
import { settle } from '../support/fake-clock.ts';
import { admit, change, chunks, complete, dispatch, id, logBench, storedLog, text } from './log-bench.ts';

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
