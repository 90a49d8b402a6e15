/**
 * The HTTP side: `/status/<id>`, `/healthz`, `/readyz`, `/api/<Service>/<Method>`. The same handlers as gRPC's, the
 * same messages as proto JSON with empty fields always emitted.
 *
 * - Only `Host` values that the server was bound to are answered (a page of another origin cannot reach it by a
 *   name of its own), there are no CORS headers, and every write needs a JSON content type.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type DescMethod, type DescService, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { invalidArgument, notFound, RequestError, type RequestErrorKind } from '../domain/errors.ts';
import type { CallContext, ClientStreamHandler, StreamHandler, UnaryHandler } from './call.ts';
import { type ChainOptions, requestTooLarge, toRequestError, withinBudget } from './chain.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import { FunctionService, GetExecutionStatusResponseSchema } from './gen/spearlet/function_pb.js';
import { checkContentType, requestLines, responseLines } from './http-lines.ts';

/** Where the node is in its life, as load balancers want to know it. */
export interface Readiness {
  readonly ready: boolean;
  /** The node chart's state, or what is wrong. */
  readonly reason: string;
}

export interface HttpServerOptions extends ChainOptions {
  readonly services: readonly {
    readonly service: DescService;
    readonly handlers: Readonly<Record<string, unknown>>;
    /** Its streams are lines of JSON here. */
    readonly streams?: true;
  }[];
  readonly functions: FunctionHandlers;
  readiness(): Readiness;
}

const httpCodes = {
  invalid_argument: 400,
  not_found: 404,
  already_exists: 409,
  resource_exhausted: 429,
  failed_precondition: 409,
  out_of_range: 400,
  aborted: 409,
  unimplemented: 501,
  permission_denied: 403,
  unavailable: 503,
  deadline_exceeded: 504,
  cancelled: 499,
  internal: 500,
} as const satisfies Record<RequestErrorKind, number>;

/** Loopback by its usual names: a browser on this machine may use any of them. */
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

export function createHttpServer(options: HttpServerOptions): Server {
  const server = createServer((request, response) => {
    route(options, hostsOf(server), request, response).catch((error: unknown) => {
      const known = toRequestError(error, request.url ?? '', options);
      if (known.retryAfterMs !== undefined && !response.headersSent) {
        response.setHeader('retry-after', Math.ceil(known.retryAfterMs / 1000));
      }
      sendJson(response, httpCodes[known.kind], errorBody(known));
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  return server;
}

function hostsOf(server: Server): readonly string[] {
  const address = server.address();
  if (address === null || typeof address === 'string') return [];
  const own = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const isLoopback = loopbackNames.includes(own) || own.startsWith('127.');
  const isAny = own === '0.0.0.0' || own === '[::]';
  if (isAny) return [];
  return (isLoopback ? [own, ...loopbackNames] : [own]).flatMap((name) => [name, `${name}:${address.port}`]);
}

async function route(
  options: HttpServerOptions,
  hosts: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const host = request.headers.host ?? '';
  if (hosts.length > 0 && !hosts.includes(host.toLowerCase())) {
    return sendJson(response, 421, {
      error: {
        reason: 'HOST_NOT_ALLOWED',
        message: `this server does not answer for the host ${JSON.stringify(host)}`,
      },
    });
  }
  const [path = '/'] = (request.url ?? '/').split('?', 1);
  if (path === '/healthz') return sendJson(response, 200, { status: 'ok' });
  if (path === '/readyz') {
    const { ready, reason } = options.readiness();
    return sendJson(response, ready ? 200 : 503, { ready, reason });
  }
  if (path.startsWith('/status/'))
    return sendStatus(options, request, response, path.slice('/status/'.length));
  if (path.startsWith('/api/')) return callApi(options, request, response, path.slice('/api/'.length));
  if (path === '/metrics') {
    throw new RequestError('not_found', 'this version has no metrics yet', { reason: 'NOT_IN_THIS_VERSION' });
  }
  throw new RequestError(
    'not_found',
    'no such path; there are /status/<execution_id>, /healthz, /readyz and /api/<Service>/<Method>',
    { reason: 'PATH_NOT_FOUND' },
  );
}

async function sendStatus(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  encodedId: string,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuseMethod(response, 'GET, HEAD');
  const executionId = decodePathPart(encodedId);
  if (!executionId.startsWith('exec_')) throw notFound('execution', executionId);
  const method = FunctionService.method.getExecutionStatus;
  const message = await options.functions.getExecutionStatus(
    fromJson(method.input, { executionId, includeOutput: true }),
    contextOf(request, response),
  );
  sendJson(response, 200, toJson(GetExecutionStatusResponseSchema, message, { alwaysEmitImplicit: true }));
}

async function callApi(
  options: HttpServerOptions,
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

async function readMessage(options: HttpServerOptions, request: IncomingMessage, method: DescMethod) {
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

function contextOf(request: IncomingMessage, response: ServerResponse): CallContext {
  return {
    deadlineMs: undefined,
    remainingMs: () => undefined,
    get gone() {
      return request.destroyed && !response.writableEnded;
    },
    onGone(listener) {
      response.once('close', () => {
        if (!response.writableFinished) listener();
      });
    },
  };
}

function decodePathPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A broken escape names no execution.
    return part;
  }
}

function refuseMethod(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed);
  sendJson(response, 405, { error: { reason: 'METHOD_NOT_ALLOWED', message: `allowed is ${allowed}` } });
}

function errorBody(error: RequestError) {
  return {
    error: {
      code: error.kind.toUpperCase(),
      reason: error.reason,
      message: error.message.toWellFormed(),
      ...(error.violations.length > 0 && { violations: error.violations }),
      ...(error.quota !== undefined && { quota: error.quota }),
      ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
      ...(Object.keys(error.metadata).length > 0 && { metadata: error.metadata }),
    },
  };
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = JSON.stringify(body);
  response.writeHead(code, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
