/** What is sent back to a caller, in the words of its protocol. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type DescMethod, toBinary } from '@bufbuild/protobuf';
import type { RequestError } from '../../domain/errors.ts';
import { writable } from '../download.ts';
import { keepOpenForBody } from '../http-body.ts';
import { trailersOf } from '../status.ts';
import { messageToJson } from '../wire/json-response.ts';
import { connectError, connectHttpCodes } from './connect-error.ts';
import { envelope } from './envelopes.ts';
import type { Protocol } from './protocols.ts';

export interface Reply {
  /** It has ended: nothing more is sent. */
  readonly ended: boolean;
  /** Sends the head of a stream of messages. */
  begin(): void;
  /** A promise means wait before the next. */
  send(message: never): Promise<void> | undefined;
  /** Ends it, with the one message where the method answers with one. */
  end(message?: never): void;
  fail(error: RequestError): void;
}

export function replyTo(response: ServerResponse, method: DescMethod, protocol: Protocol): Reply {
  return protocol.name === 'connect'
    ? new PlainReply(response, method, protocol)
    : new EnvelopedReply(response, method, protocol);
}

function encoded(method: DescMethod, { codec }: Protocol, message: never): Uint8Array {
  return codec === 'proto'
    ? toBinary(method.output, message)
    : Buffer.from(JSON.stringify(messageToJson(method.output, message)));
}

const always = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

abstract class ReplyBy {
  protected readonly response: ServerResponse;
  protected readonly method: DescMethod;
  protected readonly protocol: Protocol;

  constructor(response: ServerResponse, method: DescMethod, protocol: Protocol) {
    this.response = response;
    this.method = method;
    this.protocol = protocol;
  }

  get ended(): boolean {
    return this.response.writableEnded;
  }
}

/** The message as the body, or an error as JSON with a status that says so. */
class PlainReply extends ReplyBy implements Reply {
  begin(): void {}

  send(): undefined {
    throw new Error(`${this.method.name} does not stream`);
  }

  end(message: never): void {
    this.#send(200, this.protocol.contentType, encoded(this.method, this.protocol, message));
  }

  fail(error: RequestError): void {
    if (this.ended) return;
    if (error.retryAfterMs !== undefined) {
      this.response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
    }
    if (error.kind === 'unauthenticated') {
      this.response.setHeader('www-authenticate', 'Bearer realm="spear"');
    }
    const body = Buffer.from(JSON.stringify(connectError(error)));
    this.#send(connectHttpCodes[error.kind], 'application/json', body);
  }

  #send(code: number, contentType: string, body: Uint8Array): void {
    if (this.ended) return;
    keepOpenForBody(this.response);
    this.response.writeHead(code, {
      'content-type': contentType,
      'content-length': body.byteLength,
      ...always,
    });
    this.response.end(body);
  }
}

const lastOfConnect = 0b0000_0010;
const lastOfGrpcWeb = 0b1000_0000;

/** Messages in envelopes; the last envelope says how it went. The status of HTTP is always 200. */
class EnvelopedReply extends ReplyBy implements Reply {
  begin(): void {
    if (this.response.headersSent) return;
    keepOpenForBody(this.response);
    this.response.writeHead(200, {
      'content-type': this.protocol.contentType,
      // Some proxies keep what they pass on until there is more of it.
      'x-accel-buffering': 'no',
      ...always,
    });
    this.response.flushHeaders();
  }

  send(message: never): Promise<void> | undefined {
    if (this.ended || this.response.destroyed) return undefined;
    this.begin();
    const bytes = envelope(0, encoded(this.method, this.protocol, message));
    if (this.response.write(this.#asText(bytes)) || this.response.destroyed) return undefined;
    return writable(this.response);
  }

  end(message?: never): void {
    if (this.ended) return;
    if (message !== undefined) void this.send(message);
    this.#close(undefined);
  }

  fail(error: RequestError): void {
    if (!this.ended) this.#close(error);
  }

  #close(error: RequestError | undefined): void {
    this.begin();
    const last =
      this.protocol.name === 'grpc-web'
        ? envelope(lastOfGrpcWeb, trailers(error))
        : envelope(
            lastOfConnect,
            Buffer.from(JSON.stringify(error === undefined ? {} : { error: connectError(error) })),
          );
    this.response.end(this.#asText(last));
  }

  #asText(bytes: Buffer): Buffer | string {
    return this.protocol.text === true ? bytes.toString('base64') : bytes;
  }
}

/** Those of gRPC, as lines. */
function trailers(error: RequestError | undefined): Buffer {
  const fields: OutgoingHttpHeaders = error === undefined ? { 'grpc-status': 0 } : trailersOf(error);
  const lines = Object.entries(fields)
    .filter(([name]) => name.startsWith('grpc-'))
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(lines.join(''));
}
