/** What a caller without a token may take of the node by reflection. */
import { Duplex } from 'node:stream';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { Server } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from '../../src/server/gen/grpc/reflection/v1/reflection_pb.js';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { addReflection } from '../../src/server/reflection.ts';
import { settle } from '../support/fake-clock.ts';
import { frame, rawCall } from './raw.ts';
import { another } from './snapshots.ts';

const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const mebibyte = 1024 * 1024;

type Asked = MessageInitShape<typeof ServerReflectionRequestSchema>;

function encoded(request: Asked): Uint8Array {
  return toBinary(ServerReflectionRequestSchema, create(ServerReflectionRequestSchema, request));
}

function repeated(count: number, request: Asked): Buffer {
  return Buffer.concat(Array<Buffer>(count).fill(frame(encoded(request))));
}

const symbol: Asked = {
  messageRequest: { case: 'fileContainingSymbol', value: 'spearlet.FunctionService' },
};

function answersIn(bytes: Buffer) {
  const answers = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    answers.push(fromBinary(ServerReflectionResponseSchema, bytes.subarray(at + 5, end)));
    at = end;
  }
  return answers;
}

/** As grpc-js hands over a call, of a caller that takes no answer. */
class UnreadCall extends Duplex {
  readonly cancelled = false;
  /** Requests that the handler has taken. */
  taken = 0;

  constructor() {
    super({ objectMode: true });
  }

  override _read(): void {
    this.taken += 1;
    const message = create(ServerReflectionRequestSchema, symbol);
    this.push({ message, malformed: '', bytes: encoded(symbol).byteLength });
    if (this.taken === 500) this.push(null);
  }

  override _write(): void {}
}

test('answers that nobody reads are not made, and no more requests are read', async () => {
  const services: Record<string, (call: Duplex) => void>[] = [];
  const server: Pick<Server, 'addService'> = {
    addService: (_definition, handlers) =>
      void services.push(handlers as unknown as (typeof services)[number]),
  };
  addReflection(server, [FunctionService]);
  const calls = services.map((handlers) => {
    const call = new UnreadCall();
    handlers.serverReflectionInfo?.(call);
    return call;
  });
  await settle();
  expect(calls.map(({ writableLength }) => writableLength)).toEqual([1, 1]);
  // What a stream of objects reads ahead.
  for (const { taken, readableHighWaterMark } of calls) {
    expect(taken).toBeLessThanOrEqual(readableHighWaterMark + 1);
  }
});

test('a stream answers a bounded number of requests, and their bytes count until each is answered', async () => {
  const server = await another({
    ...{ anonymousRole: 'none', maxRequestBytes: String(mebibyte) },
    requestBytesInFlight: String(4 * mebibyte),
  });
  const unknown: Asked = { messageRequest: { case: 'fileByFilename', value: 'x'.repeat(1000) } };
  const { bytes, ...end } = await rawCall(server.grpcAddress, path, repeated(1001, unknown));
  expect(end).toMatchObject({ status: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_CALLS' });
  expect(answersIn(bytes)).toHaveLength(1000);
});

test('the same is answered again as it was', async () => {
  const server = await another();
  const { bytes, status } = await rawCall(server.grpcAddress, path, repeated(2, symbol));
  const [first, second] = answersIn(bytes);
  expect(status).toBe('OK');
  expect(first?.messageResponse.case).toBe('fileDescriptorResponse');
  expect(second).toEqual(first);
});

test.each<[string, string, Asked]>([
  ['host', 'host', { ...symbol, host: 'h'.repeat(257) }],
  ['name', 'request', { messageRequest: { case: 'fileByFilename', value: 'n'.repeat(5000) } }],
])('a %s that is too long is not sent back', async (_what, field, request) => {
  const server = await another({ anonymousRole: 'none' });
  const { bytes, ...end } = await rawCall(server.grpcAddress, path, repeated(1, request));
  expect(end).toMatchObject({ status: 'INVALID_ARGUMENT', message: expect.stringContaining(field) });
  expect(bytes).toHaveLength(0);
});
