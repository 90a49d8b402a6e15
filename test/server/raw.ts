/** A gRPC call as bytes on an HTTP/2 stream, for what no client library lets its caller do. */
import { connect } from 'node:http2';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Metadata, status } from '@grpc/grpc-js';
import { InvokeFunctionRequestSchema } from '../../src/server/gen/spearlet/function_pb.js';
import { readRefusal } from './refusal.ts';

export interface RawAnswer {
  /** The name of the gRPC code. */
  readonly status: string;
  readonly message: string;
  readonly reason: string;
  readonly bytes: Buffer;
}

export async function rawCall(
  address: string,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const session = connect(`http://${address}`);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const seen: Record<string, unknown> = {};
    stream.on('response', (found) => Object.assign(seen, found));
    stream.on('trailers', (found) => Object.assign(seen, found));
    stream.end(body);
    const parts: Buffer[] = [];
    for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
    const code = Number(seen['grpc-status'] ?? Number.NaN);
    const details = String(seen['grpc-status-details-bin'] ?? '');
    const metadata = new Metadata();
    if (details !== '') metadata.set('grpc-status-details-bin', Buffer.from(details, 'base64'));
    const message = decodeURIComponent(String(seen['grpc-message'] ?? ''));
    const refusal = readRefusal(Object.assign(new Error(message), { code, details: message, metadata }));
    return {
      status: status[code] ?? `HTTP ${seen[':status']}, grpc-status ${seen['grpc-status']}`,
      message,
      reason: refusal.reason,
      bytes: Buffer.concat(parts),
    };
  } finally {
    session.close();
  }
}

/** One length-prefixed message, not compressed. */
export function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** InvokeFunction with a `grpc-timeout` that only the server counts. */
export function callWithTimeout(
  address: string,
  request: MessageInitShape<typeof InvokeFunctionRequestSchema>,
  timeout: string,
): Promise<RawAnswer> {
  const message = toBinary(InvokeFunctionRequestSchema, create(InvokeFunctionRequestSchema, request));
  return rawCall(address, '/spearlet.FunctionService/InvokeFunction', frame(message), {
    'grpc-timeout': timeout,
  });
}
