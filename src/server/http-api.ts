/** `/api/<Service>/<Method>`: the same handlers as gRPC's, the same messages as proto JSON. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import type { Principal } from '../domain/access.ts';
import { didYouMean } from '../domain/did-you-mean.ts';
import { quote, RequestError } from '../domain/errors.ts';
import { roleOf } from './access/method-roles.ts';
import type { ClientStreamHandler, StreamHandler, UnaryHandler } from './call.ts';
import { type ChainOptions, mostBytesOf, requestTooLarge, roomOf, withinBudget } from './chain.ts';
import { callerOf, refuseMethod, sendJson } from './http-answer.ts';
import { bodyParts } from './http-body.ts';
import { checkBrowser } from './http-browser.ts';
import { assertStill, callerWith } from './http-caller.ts';
import { checkContent, jsonBytesPerByte, requestLines, responseLines } from './http-lines.ts';
import { methodPath } from './service-definition.ts';
import { messageFromJson } from './wire/json-request.ts';
import { messageToJson } from './wire/json-response.ts';

export interface ServedService {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, unknown>>;
  /** Its methods that stream are offered, too: each message is a line of JSON. */
  readonly streams?: true;
}

export interface ApiOptions extends ChainOptions {
  readonly services: readonly ServedService[];
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
    throw new RequestError('not_found', noMethodText(options.services, name), { reason: 'METHOD_NOT_FOUND' });
  }
  if (request.method !== 'POST') return refuseMethod(response, 'POST');
  checkBrowser(request);
  const call = await callerWith(roleOf(method), method.name, options, request, response);
  const { principal } = call;
  if (found.streams === true && method.methodKind === 'client_streaming') {
    const handler = found.handlers[method.localName] as ClientStreamHandler<unknown, never>;
    const answer = await handler(
      requestLines({ ...options, ...roomOf(principal, options) }, request, method),
      call,
    );
    return sendJson(response, 200, messageToJson(method.output, answer));
  }
  if (found.streams === true && method.methodKind === 'server_streaming') {
    const handler = found.handlers[method.localName] as StreamHandler<unknown, never>;
    const { message, counted } = await readMessage(options, request, method, principal);
    assertStill(call);
    const lines = responseLines(response, method);
    const send = (line: never): Promise<void> | undefined => (call.gone ? undefined : lines(line));
    const leave = options.watchers.enter(callerOf(request), principal.name);
    try {
      await withinBudget(counted, options, () => handler(message, call, send));
    } finally {
      leave();
    }
    response.end();
    return;
  }
  if (method.methodKind !== 'unary') {
    throw new RequestError('unimplemented', 'this method streams; use gRPC', {
      reason: 'STREAMS_OVER_GRPC_ONLY',
    });
  }
  const handler = found.handlers[method.localName] as UnaryHandler<unknown, never>;
  const { message, counted } = await readMessage(options, request, method, principal);
  assertStill(call);
  const run = (): Promise<never> => withinBudget(counted, options, () => handler(message, call));
  const path = methodPath(method);
  const answer =
    options.access?.times(path) === true
      ? await options.access.within({ path, principal, address: callerOf(request) }, run)
      : await run();
  sendJson(response, 200, messageToJson(method.output, answer));
}

/** Names the nearest, or the methods of the service, or the services. */
function noMethodText(services: readonly ServedService[], name: string): string {
  const shown = quote(name);
  const paths = services.flatMap(({ service }) =>
    service.methods.map((each) => `${service.name}/${each.name}`),
  );
  const guess = didYouMean(name, paths);
  if (guess !== undefined) return `no method ${shown}; did you mean /api/${guess}?`;
  const served = services.find(({ service }) => service.name === name.split('/')[0])?.service;
  return served === undefined
    ? `no method ${shown}; allowed is /api/<Service>/<Method>, where the services are ${services.map(({ service }) => service.name).join(', ')}`
    : `no method ${shown}; those of ${served.name} are ${served.methods.map((each) => each.name).join(', ')}`;
}

async function readMessage(
  options: ApiOptions,
  request: IncomingMessage,
  method: DescMethod,
  principal: Principal,
) {
  checkContent(request, 'application/json');
  const most = Math.ceil(jsonBytesOf(method.name, options));
  if (Number(request.headers['content-length'] ?? 0) > most) throw requestTooLarge(method.name, options);
  const parts: Buffer[] = [];
  let bytes = 0;
  const uploads = mostBytesOf(method.name, options) > options.maxRequestBytes;
  for await (const { data } of bodyParts(request, roomOf(principal, options).arrivals, uploads)) {
    bytes += data.byteLength;
    if (bytes > most) throw requestTooLarge(method.name, options);
    parts.push(data);
  }
  const message = messageFromJson(method.input, Buffer.concat(parts), options.maxRequestValues);
  return {
    message,
    counted: { bytes: Math.min(bytes, mostBytesOf(method.name, options)), method: method.name, principal },
  };
}

/** The bound of a request is that of its JSON; an artifact is a third longer in JSON than it is. */
function jsonBytesOf(method: string, options: ApiOptions): number {
  const most = mostBytesOf(method, options);
  return most > options.maxRequestBytes ? jsonBytesPerByte * most : most;
}
