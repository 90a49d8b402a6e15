import { create, equals, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, it } from 'vitest';
import {
  ChunkSchema,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../../../src/server/gen/spearlet/function_pb.js';
import { encodeStreamEvent } from '../../../src/server/wire/stream-event.ts';

const around = {
  executionId: 'exec_01',
  sequence: 7n,
  position: 1n << 40n,
  time: timestampFromMs(1_700_000_000_123),
  status: ExecutionStatus.RUNNING,
  attempt: 2,
  principal: 'token:ci',
};

const chunkOf = (length: number, stream: OutputStream): StreamExecutionResult => {
  const data = Uint8Array.from({ length }, (_, index) => index % 251);
  const value = create(ChunkSchema, { stream, data });
  return create(StreamExecutionResultSchema, { ...around, event: { case: 'chunk', value } });
};

it.each([0, 1, 4095, 4096, 16 * 1024, 64 * 1024, 1024 * 1024])(
  'a chunk of %i bytes is read as the general encoder’s',
  (length) => {
    for (const stream of [OutputStream.UNSPECIFIED, OutputStream.STDOUT, OutputStream.STDERR]) {
      const event = chunkOf(length, stream);
      const bytes = encodeStreamEvent(event);
      const read = fromBinary(StreamExecutionResultSchema, bytes);
      expect(equals(StreamExecutionResultSchema, read, event)).toBe(true);
      expect(bytes.byteLength).toBe(toBinary(StreamExecutionResultSchema, event).byteLength);
    }
  },
);

it('an event without a chunk is as the general encoder makes it', () => {
  const event = create(StreamExecutionResultSchema, {
    ...around,
    event: { case: 'transition', value: { from: 'pending.queued', to: 'running.attempting' } },
  });
  expect(encodeStreamEvent(event)).toEqual(Buffer.from(toBinary(StreamExecutionResultSchema, event)));
});
