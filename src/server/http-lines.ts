/** Streams over HTTP: messages as proto JSON, one a line. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DescMethod } from '@bufbuild/protobuf';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import { Lines } from '../domain/snapshot/lines.ts';
import { type ChainOptions, eachWithinBudget, requestTooLarge } from './chain.ts';
import { writable } from './download.ts';
import { bodyParts } from './http-body.ts';
import type { Received } from './service-definition.ts';
import { messageFromJson } from './wire/json-request.ts';
import { messageToJson } from './wire/json-response.ts';

const contentType = 'application/x-ndjson';

/**
 * Throws invalid_argument for another type, which a page of another origin cannot send without asking first, for
 * another charset than UTF-8, and for a body that is compressed.
 */
export function checkContent({ headers }: IncomingMessage, allowed: string): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (type !== allowed) {
    throw invalidArgument('Content-Type', `is ${JSON.stringify(type)}; allowed is ${allowed}`);
  }
  for (const parameter of parameters) {
    const charset = /^charset="?([^"]*)"?$/.exec(parameter)?.[1] ?? 'utf-8';
    if (charset === 'utf-8' || charset === 'utf8') continue;
    throw invalidArgument('Content-Type', `has the charset ${JSON.stringify(charset)}; allowed is utf-8`);
  }
  checkCodings({ headers });
}

/** Throws invalid_argument for a body that is compressed. */
export function checkCodings({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding !== 'identity') {
    throw invalidArgument('Content-Encoding', `is ${JSON.stringify(coding)}; allowed is identity`);
  }
  const transfer = (headers['transfer-encoding'] ?? 'chunked').trim().toLowerCase();
  if (transfer !== 'chunked') {
    throw invalidArgument('Transfer-Encoding', `is ${JSON.stringify(transfer)}; allowed is chunked`);
  }
}

/** Base64 and its surroundings make of bytes that many. */
export const jsonBytesPerByte = 1.5;

/** The messages of a request's body. Each line is bounded, and their number is not. Throws RequestErrors. */
export async function* requestLines(
  options: ChainOptions,
  request: IncomingMessage,
  method: DescMethod,
): AsyncGenerator<never> {
  checkContent(request, contentType);
  const { maxRequestBytes, maxRequestValues } = options;
  const lines = new Lines(jsonBytesPerByte * maxRequestBytes, () => requestTooLarge(method.name, options));
  const received = async function* (): AsyncGenerator<Received<never>> {
    for await (const { data, taken } of bodyParts(request, options.arrivals, true)) {
      for (const line of lines.push(data)) yield receivedLine(line, method, maxRequestValues);
      // What is left of it is a part of one line, which is bounded.
      taken();
    }
    // The last line may do without.
    for (const line of lines.push(Buffer.from('\n')))
      yield* line.byteLength > 1 ? [receivedLine(line, method, maxRequestValues)] : [];
  };
  yield* eachWithinBudget(received(), method.name, options);
}

function receivedLine(line: Uint8Array, method: DescMethod, maxValues: number): Received<never> {
  // A message in JSON is a third longer than its bytes.
  const bytes = Math.floor(line.byteLength / jsonBytesPerByte);
  const json = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  try {
    return { message: messageFromJson(method.input, json, maxValues) as never, malformed: '', bytes };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { message: undefined, malformed: error.message, refusal: error, bytes };
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
    const line = JSON.stringify(messageToJson(method.output, message));
    if (response.write(`${line}\n`) || response.destroyed) return undefined;
    return writable(response);
  };
}
