/** The messages of a call as they arrive: each bounded before it is here, and counted from its first byte on. */
import type { IncomingMessage } from 'node:http';
import type { DescMethod } from '@bufbuild/protobuf';
import type { Principal } from '../../domain/access.ts';
import { invalidArgument } from '../../domain/errors.ts';
import { type ChainOptions, decoded, mostBytesOf, requestTooLarge, roomOf } from '../chain.ts';
import { bodyParts } from '../http-body.ts';
import { jsonBytesPerByte } from '../http-lines.ts';
import { headBytes } from '../message-frames.ts';
import { decoder, type Received } from '../service-definition.ts';
import { messageFromJson } from '../wire/json-request.ts';
import { Base64Parts, Envelopes, Gathered } from './envelopes.ts';
import type { Protocol } from './protocols.ts';

export interface Arriving {
  readonly options: ChainOptions;
  readonly request: IncomingMessage;
  readonly method: DescMethod;
  readonly protocol: Protocol;
  readonly principal: Principal;
}

/** The message of a method that takes one. Rejects with what is wrong with it. */
export async function onlyMessage(arriving: Arriving): Promise<Received<unknown>> {
  const bytes =
    arriving.protocol.name === 'connect' ? await wholeBody(arriving) : await onlyEnvelope(arriving);
  const received = receivedFrom(arriving, bytes);
  decoded(received);
  return received;
}

/** The messages of a method whose requests stream, as they are asked for. */
export async function* eachMessage(arriving: Arriving): AsyncGenerator<Received<never>> {
  for await (const message of enveloped(arriving)) yield receivedFrom(arriving, message) as Received<never>;
}

async function wholeBody(arriving: Arriving): Promise<Buffer> {
  const { options, request, method } = arriving;
  const most = mostBytes(arriving);
  if (Number(request.headers['content-length'] ?? 0) > most) throw requestTooLarge(method.name, options);
  const body = new Gathered();
  for await (const { data } of partsOf(arriving)) {
    if (body.length + data.byteLength > most) throw requestTooLarge(method.name, options);
    body.add(data);
  }
  return body.bytes;
}

async function onlyEnvelope(arriving: Arriving): Promise<Buffer> {
  let only: Buffer | undefined;
  for await (const message of enveloped(arriving)) {
    if (only !== undefined) throw invalidArgument('request', 'has more than one message; allowed is one');
    only = message;
  }
  if (only === undefined) throw invalidArgument('request', 'has no message; allowed is one');
  return only;
}

async function* enveloped(arriving: Arriving): AsyncGenerator<Buffer> {
  const { options, method, protocol } = arriving;
  const envelopes = new Envelopes(mostBytes(arriving), () => requestTooLarge(method.name, options));
  const base64 = protocol.text === true ? new Base64Parts() : undefined;
  const streams = method.methodKind === 'client_streaming';
  for await (const { data, taken } of partsOf(arriving)) {
    for (const message of envelopes.push(base64?.push(data) ?? data)) {
      const bytes = message.byteLength + headBytes;
      // Whoever asked for it counts it from now on.
      if (streams) taken(base64 === undefined ? bytes : Math.ceil((bytes * 4) / 3));
      yield message;
    }
  }
  base64?.end();
  envelopes.end();
}

function partsOf({ options, request, method, principal }: Arriving): ReturnType<typeof bodyParts> {
  const uploads =
    method.methodKind === 'client_streaming' || mostBytesOf(method.name, options) > options.maxRequestBytes;
  return bodyParts(request, roomOf(principal, options).arrivals, uploads);
}

/** Bytes of a message are a third longer in JSON: where there are many, the bound is for what they stand for. */
function isLonger({ options, method, protocol }: Arriving): boolean {
  return (
    protocol.codec === 'json' &&
    (method.methodKind === 'client_streaming' || mostBytesOf(method.name, options) > options.maxRequestBytes)
  );
}

function mostBytes(arriving: Arriving): number {
  const most = mostBytesOf(arriving.method.name, arriving.options);
  return isLonger(arriving) ? Math.ceil(jsonBytesPerByte * most) : most;
}

function receivedFrom(arriving: Arriving, data: Buffer): Received<unknown> {
  const { options, method, protocol } = arriving;
  if (protocol.codec === 'proto') return decoder(method.input, options.maxRequestValues)(data);
  const bytes = isLonger(arriving) ? Math.floor(data.byteLength / jsonBytesPerByte) : data.byteLength;
  return {
    message: messageFromJson(method.input, data, options.maxRequestValues),
    ...{ malformed: '', bytes },
  };
}
