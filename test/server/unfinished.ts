/** Callers that begin a request and do not finish it. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { type Refusal, readRefusal } from './refusal.ts';

export interface UnfinishedBody {
  readonly answer: Promise<string>;
  write(bytes: Uint8Array | string): void;
  /** Hangs up. */
  leave(): void;
}

/** Sends the head of a POST and a part of its body. Resolves with all that comes back until the connection ends. */
export function unfinishedBody(
  address: string,
  path: string,
  length: number,
  part: Uint8Array,
  token?: string,
): UnfinishedBody {
  const [host, port] = address.split(':');
  const socket = connectSocket(Number(port), host);
  const answer = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
      if (text.includes('\r\n\r\n') && text.endsWith('}')) resolve(text);
    });
    socket.on('error', (error) => resolve(`${text} ${error.message}`));
    socket.on('close', () => resolve(text));
  });
  onTestFinished(() => void socket.destroy());
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${address}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${token === undefined ? '' : `authorization: Bearer ${token}\r\n`}\r\n`,
  );
  socket.write(part);
  return {
    answer,
    write: (bytes) => void socket.write(bytes),
    leave: () => void socket.destroy(),
  };
}

/** A session of its own for calls of this test. */
export function rawSession(address: string): ClientHttp2Session {
  const session = connect(`http://${address}`);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

export interface UnfinishedCall {
  readonly stream: ClientHttp2Stream;
  /** How it was refused. */
  readonly refusal: Promise<Refusal>;
}

/** Begins a gRPC call with a message of `length` bytes, of which it sends a part. */
export function unfinishedCall(
  session: ClientHttp2Session,
  path: string,
  length: number,
  part: Uint8Array,
  token?: string,
): UnfinishedCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  });
  const refusal = new Promise<Refusal>((resolve) => {
    for (const event of ['response', 'trailers']) {
      stream.on(event, (headers: Readonly<Record<string, unknown>>) => {
        if (headers['grpc-status'] !== undefined) resolve(refusalOf(headers));
      });
    }
  });
  stream.on('error', () => {});
  stream.resume();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  stream.write(head);
  stream.write(part);
  return { stream, refusal };
}

function refusalOf(headers: Readonly<Record<string, unknown>>): Refusal {
  const metadata = new Metadata();
  const details = String(headers['grpc-status-details-bin'] ?? '');
  if (details !== '') metadata.set('grpc-status-details-bin', Buffer.from(details, 'base64'));
  const code = Number(headers['grpc-status'] ?? status.UNKNOWN);
  const message = decodeURI(String(headers['grpc-message'] ?? ''));
  return readRefusal(Object.assign(new Error(message), { code, details: message, metadata }));
}
