/** Streams over HTTP: messages as proto JSON, one a line. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DescMethod, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { invalidArgument } from '../domain/errors.ts';
import { Lines } from '../domain/snapshot/lines.ts';
import { type ChainOptions, eachWithinBudget, requestTooLarge } from './chain.ts';
import { writable } from './download.ts';
import type { Received } from './service-definition.ts';

const contentType = 'application/x-ndjson';

/** Throws invalid_argument for another one: a page of another origin cannot send it without asking first. */
export function checkContentType(request: IncomingMessage, allowed: string): void {
  const type = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === allowed) return;
  throw invalidArgument('Content-Type', `is ${JSON.stringify(type)}; allowed is ${allowed}`);
}

/** Base64 and its surroundings make of bytes that many. */
const jsonBytesPerByte = 1.5;

/** The messages of a request's body. Each line is bounded, and their number is not. Throws RequestErrors. */
export async function* requestLines(
  options: ChainOptions,
  request: IncomingMessage,
  method: DescMethod,
): AsyncGenerator<never> {
  checkContentType(request, contentType);
  const { maxRequestBytes } = options;
  const lines = new Lines(jsonBytesPerByte * maxRequestBytes, () => requestTooLarge(maxRequestBytes));
  const received = async function* (): AsyncGenerator<Received<never>> {
    for await (const part of request as AsyncIterable<Buffer>) {
      for (const line of lines.push(part)) yield receivedLine(line, method);
    }
    // The last line may do without.
    for (const line of lines.push(Buffer.from('\n')))
      yield* line.byteLength > 1 ? [receivedLine(line, method)] : [];
  };
  yield* eachWithinBudget(received(), options);
}

function receivedLine(line: Uint8Array, method: DescMethod): Received<never> {
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString();
  // A message in JSON is a third longer than its bytes.
  const bytes = Math.floor(line.byteLength / jsonBytesPerByte);
  try {
    return { message: fromJson(method.input, JSON.parse(text) as JsonValue) as never, malformed: '', bytes };
  } catch (error) {
    const malformed = `a line is not a ${method.input.typeName} in JSON: ${error instanceof Error ? error.message : ''}`;
    return { message: undefined, malformed, bytes };
  }
}

/** Sends messages as lines, and says when to wait. The first sends the head of the response. */
export function responseLines(
  response: ServerResponse,
  method: DescMethod,
): (message: never) => Promise<void> | undefined {
  return (message) => {
    if (!response.headersSent) {
      response.writeHead(200, {
        'content-type': contentType,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    }
    const line = JSON.stringify(toJson(method.output, message, { alwaysEmitImplicit: true }));
    if (response.write(`${line}\n`) || response.destroyed) return undefined;
    return writable(response);
  };
}
