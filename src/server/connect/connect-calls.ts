/**
 * `/<package>.<Service>/<Method>`: the same handlers as gRPC's, by the Connect protocol and gRPC-Web, over HTTP/1.1.
 *
 * - Who calls is known, and may, before a byte of a message is looked at.
 * - A message is bounded by what its envelope says, counts as it arrives, and is never inflated.
 * - A call is a POST: what a GET gets, nobody has asked for with a token.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DescMethod } from '@bufbuild/protobuf';
import { didYouMean } from '../../domain/did-you-mean.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import { roleOf } from '../access/method-roles.ts';
import type { CallContext, ClientStreamHandler, StreamHandler, UnaryHandler } from '../call.ts';
import { eachWithinBudget, roomOf, toRequestError, withinBudget } from '../chain.ts';
import { callerOf, refuseMethod, sendJson } from '../http-answer.ts';
import type { ApiOptions, ServedService } from '../http-api.ts';
import { checkBrowser } from '../http-browser.ts';
import { assertStill, callerWith } from '../http-caller.ts';
import { methodPath } from '../service-definition.ts';
import { checkProtocol, type Protocol, protocolOf, protocolsOf, timeoutOf } from './protocols.ts';
import { type Reply, replyTo } from './replies.ts';
import { type Arriving, eachMessage, onlyMessage } from './requests.ts';
import { TimedCall } from './timed-call.ts';

interface ServedMethod {
  readonly method: DescMethod;
  readonly handler: unknown;
}

const methods = new WeakMap<readonly ServedService[], ReadonlyMap<string, ServedMethod>>();

/** By their paths. */
function methodsOf(services: readonly ServedService[]): ReadonlyMap<string, ServedMethod> {
  let known = methods.get(services);
  if (known === undefined) {
    known = new Map(
      services.flatMap(({ service, handlers }) =>
        service.methods.map((method) => [
          methodPath(method),
          { method, handler: handlers[method.localName] },
        ]),
      ),
    );
    methods.set(services, known);
  }
  return known;
}

/** A path of a service, whether or not there is such a one. */
export function isServicePath(services: readonly ServedService[], path: string): boolean {
  return services.some(({ service }) => path.startsWith(`/${service.file.proto.package}.`));
}

/** `path` is one of a service. */
export async function callConnect(
  options: ApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const found = methodsOf(options.services).get(path);
  if (found === undefined) throw noMethod(options.services, path);
  const { method, handler } = found;
  if (request.method !== 'POST') return refuseMethod(response, 'POST');
  const protocol = protocolOf(method, request.headers);
  if (protocol === undefined) return refuseType(request, response, method);
  const reply = replyTo(response, method, protocol);
  try {
    checkBrowser(request);
    const call = await callerWith(roleOf(method), method.name, options, request, response, (why) =>
      reply.fail(why),
    );
    checkProtocol(protocol, request.headers);
    const timeoutMs = timeoutOf(protocol, request.headers);
    const answered = { options, request, method, protocol, principal: call.principal, reply, handler };
    if (timeoutMs === undefined) return await answer(answered, call);
    const timed = new TimedCall(call, timeoutMs, options.clock, () =>
      reply.fail(toRequestError(deadlinePassed(timeoutMs), path, options)),
    );
    response.once('close', () => timed.end());
    await answer(answered, timed);
  } catch (error) {
    if (!reply.ended) reply.fail(toRequestError(error, path, options));
  }
}

interface Answered extends Arriving {
  readonly options: ApiOptions;
  readonly protocol: Protocol;
  readonly reply: Reply;
  /** It is of the method's kind: its service says so where it is made. */
  readonly handler: unknown;
}

async function answer(answered: Answered, call: CallContext): Promise<void> {
  const { options, request, method, principal, reply } = answered;
  if (method.methodKind === 'client_streaming') {
    const handler = answered.handler as ClientStreamHandler<unknown, never>;
    const room = { ...options, ...roomOf(principal, options) };
    reply.end(await handler(eachWithinBudget(eachMessage(answered), method.name, room), call));
    return;
  }
  const { message, bytes } = await onlyMessage(answered);
  if (reply.ended) return;
  assertStill(call);
  const counted = { bytes, method: method.name, principal };
  if (method.methodKind === 'unary') {
    const handler = answered.handler as UnaryHandler<unknown, never>;
    reply.end(await withinBudget(counted, options, () => handler(message, call)));
    return;
  }
  const handler = answered.handler as StreamHandler<unknown, never>;
  const leave = options.watchers.enter(callerOf(request), principal.name);
  try {
    reply.begin();
    await withinBudget(counted, options, () => handler(message, call, (each) => reply.send(each)));
  } finally {
    leave();
  }
  reply.end();
}

function deadlinePassed(timeoutMs: number): RequestError {
  return new RequestError('deadline_exceeded', `the call was not answered within its ${timeoutMs} ms`, {
    reason: 'DEADLINE_PASSED',
  });
}

/** As the protocol wants it, with the types that the method takes. */
function refuseType(request: IncomingMessage, response: ServerResponse, method: DescMethod): void {
  const allowed = protocolsOf(method)
    .map(({ contentType }) => contentType)
    .join(', ');
  response.setHeader('accept-post', allowed);
  const type = quote(request.headers['content-type'] ?? '');
  sendJson(response, 415, {
    error: { reason: 'TYPE_NOT_ALLOWED', message: `Content-Type is ${type}; allowed are ${allowed}` },
  });
}

function noMethod(services: readonly ServedService[], path: string): RequestError {
  const paths = services.flatMap(({ service }) => service.methods.map(methodPath));
  const guess = didYouMean(path, paths);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  return new RequestError('not_found', `no method ${quote(path)}${hint}`, { reason: 'METHOD_NOT_FOUND' });
}
