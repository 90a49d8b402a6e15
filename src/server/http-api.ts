/** `/api/<Service>/<Method>`: the same handlers as gRPC's, the same messages as proto JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DescMethod, type DescService, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import type { ClientStreamHandler, StreamHandler, UnaryHandler } from './call.ts';
import { type ChainOptions, requestTooLarge, withinBudget } from './chain.ts';
import { contextOf, refuseMethod, sendJson } from './http-answer.ts';
import { checkBrowser, isReading } from './http-browser.ts';
import { checkContentType, requestLines, responseLines } from './http-lines.ts';

export interface ServedService {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, unknown>>;
  /** Its streams are lines of JSON here. */
  readonly streams?: true;
}

export interface ApiOptions extends ChainOptions {
  readonly services: readonly ServedService[];
  /** A page in a browser may change something. */
  readonly actionsAllowed?: boolean;
}

/** `name` is what follows `/api/`. */
export async function callApi(
  options: ApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
): Promise<void> {
  const [serviceName, methodName, ...rest] = name.split('/');
  const found = options.services.find(
    ({ service }) => service.name === serviceName || service.typeName === serviceName,
  );
  const method = found?.service.methods.find((each) => each.name === methodName);
  if (found === undefined || method === undefined || rest.length > 0) {
    throw new RequestError('not_found', 'no such method; call /api/<Service>/<Method>', {
      reason: 'METHOD_NOT_FOUND',
    });
  }
  if (request.method !== 'POST') return refuseMethod(response, 'POST');
  checkBrowser(request, {
    changes: !isReading(method.name),
    actionsAllowed: options.actionsAllowed === true,
  });
  const call = contextOf(request, response);
  if (found.streams === true && method.methodKind === 'client_streaming') {
    const handler = found.handlers[method.localName] as ClientStreamHandler<unknown, never>;
    const answer = await handler(requestLines(options, request, method), call);
    return sendJson(response, 200, toJson(method.output, answer, { alwaysEmitImplicit: true }));
  }
  if (found.streams === true && method.methodKind === 'server_streaming') {
    const handler = found.handlers[method.localName] as StreamHandler<unknown, never>;
    const { message, bytes } = await readMessage(options, request, method);
    const send = responseLines(response, method);
    await withinBudget(bytes, options, () => handler(message, call, send));
    response.end();
    return;
  }
  if (method.methodKind !== 'unary') {
    throw new RequestError('unimplemented', 'this method streams; use gRPC', {
      reason: 'STREAMS_OVER_GRPC_ONLY',
    });
  }
  const handler = found.handlers[method.localName] as UnaryHandler<unknown, never>;
  const { message, bytes } = await readMessage(options, request, method);
  const answer = await withinBudget(bytes, options, () => handler(message, call));
  sendJson(response, 200, toJson(method.output, answer, { alwaysEmitImplicit: true }));
}

async function readMessage(options: ApiOptions, request: IncomingMessage, method: DescMethod) {
  checkContentType(request, 'application/json');
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.byteLength;
    if (bytes > options.maxRequestBytes) throw requestTooLarge(options.maxRequestBytes);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString();
  try {
    const json = text === '' ? {} : (JSON.parse(text) as JsonValue);
    return { message: fromJson(method.input, json), bytes };
  } catch (error) {
    throw invalidArgument(
      'request',
      `is not a ${method.input.typeName} in JSON: ${error instanceof Error ? error.message : ''}`,
    );
  }
}
