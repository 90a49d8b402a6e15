import { describe, expect, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionStatus,
  OutputStream,
} from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { mebibyte, server, start, withMeasuredServer } from './isolation.ts';
import { line } from './line.ts';
import { usageOf } from './measured.ts';

withMeasuredServer();

describe('a flood of output', () => {
  test('that nobody reads neither waits for its reader nor fills the memory, and the reader misses nothing', async () => {
    const bytes = 40 * mebibyte;
    const slow = await line(server.grpcAddress);
    const before = await usageOf(server);
    const executionId = await start({
      task: 'flood',
      args: [String(bytes)],
      startAfter: { nanos: 300_000_000 },
    });
    const readers = Array.from({ length: 5 }, () =>
      slow.functions.watchExecution({ executionId })[Symbol.asyncIterator](),
    );
    const first = await Promise.all(readers.map((reader) => reader.next()));
    expect(first.map((event) => event.value?.sequence)).toEqual(readers.map(() => 1n));
    const { result } = await server.functions.waitExecution({ executionId, maxInlineBytes: 0 });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, outputBytes: BigInt(bytes) });
    const during = await usageOf(server);
    const held = during.heapUsed + during.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(held).toBeLessThan(24 * mebibyte);

    const [reader, ...others] = readers;
    for (const other of others) await other.return?.();
    let at = 0;
    let next = await reader?.next();
    let sequence = 1n;
    while (next?.done === false) {
      const { event } = next.value;
      expect(next.value.sequence).toBe(++sequence);
      if (event.case === 'chunk') {
        const { data } = event.value;
        expect(data[0]).toBe(0x61 + (at % 26));
        expect(data.at(-1)).toBe(0x61 + ((at + data.byteLength - 1) % 26));
        at += data.byteLength;
      }
      next = await reader?.next();
    }
    expect(at).toBe(bytes);
  });

  test('ends exactly at max_output_bytes', async () => {
    await server.register('limited', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 1_000_001n } });
    const events = await collect(server.functions.streamFunction({ task: 'limited' }));
    const result = expectWholeLog(events);
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.OUTPUT_LIMIT,
      errorOrigin: ErrorOrigin.POLICY,
      errorMessage: expect.stringContaining('1000001'),
      outputBytes: 1_000_001n,
    });
    expect(outputOf(events).byteLength).toBe(1_000_001);
    expect(result.resourceUse?.droppedBytes).toBeGreaterThan(0n);
  });

  test('that is just as long as its limit is no flood', async () => {
    await server.register('exact', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 500_000n } });
    const { result } = await server.functions.invokeFunction({ task: 'exact', args: ['500000'] });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, outputBytes: 500_000n });
    const none = await server.register('silent', 'misbehaving/flood.wasm', {
      limits: { maxOutputBytes: 0n },
    });
    expect(none.definition?.limits?.maxOutputBytes).toBe(0n);
    const refused = await server.functions.invokeFunction({ task: 'silent', args: ['1'] });
    expect(refused.result).toMatchObject({ errorCode: ErrorCode.OUTPUT_LIMIT, outputBytes: 0n });
  });

  test('in small pieces ends at max_output_events', async () => {
    await server.register('pieces', 'misbehaving/stderr-mix.wasm', { limits: { maxOutputEvents: 7n } });
    const events = await collect(server.functions.streamFunction({ task: 'pieces', args: ['1000'] }));
    expect(expectWholeLog(events)).toMatchObject({
      errorCode: ErrorCode.OUTPUT_LIMIT,
      errorMessage: expect.stringContaining('7'),
    });
    expect(events.filter(({ event }) => event.case === 'chunk')).toHaveLength(7);
  });

  test('byte by byte is joined into few chunks', async () => {
    await server.register('bytes', 'misbehaving/flood-bytes.wasm');
    const events = await collect(server.functions.streamFunction({ task: 'bytes', args: ['200000'] }));
    expect(expectWholeLog(events)).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      outputBytes: 200_000n,
    });
    const chunks = events.filter(({ event }) => event.case === 'chunk');
    expect(chunks.length).toBeLessThan(2000);
    const bytes = outputOf(events);
    expect(bytes.every((byte, index) => byte === 0x61 + (index % 26))).toBe(true);
  });

  test('on both streams keeps the order in which it was written', async () => {
    await server.register('mixed', 'misbehaving/stderr-mix.wasm');
    const events = await collect(server.functions.streamFunction({ task: 'mixed', args: ['50'] }));
    expectWholeLog(events);
    const streams = events.flatMap(({ event }) => (event.case === 'chunk' ? [event.value.stream] : []));
    expect(streams).toHaveLength(100);
    expect(streams).toEqual(
      streams.map((_, index) => (index % 2 === 0 ? OutputStream.STDOUT : OutputStream.STDERR)),
    );
  });
});
