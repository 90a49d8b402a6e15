/**
 * The HTTP side: the page at `/`, `/status/<id>`, `/healthz`, `/readyz`, and under `/api/` the same handlers as
 * gRPC's with the same messages as proto JSON, the page's event stream, downloads, and the inspection stream.
 *
 * - Only `Host` values that the server was bound to are answered (a page of another origin cannot reach it by a
 *   name of its own), there are no CORS headers, and every write needs a JSON content type.
 * - What a browser sends on behalf of a page is held to `http-browser.ts`.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fromJson } from '@bufbuild/protobuf';
import { notFound, RequestError } from '../domain/errors.ts';
import type { NodeFeed } from '../domain/node-feed.ts';
import { pathRoles } from './access/method-roles.ts';
import { toRequestError } from './chain.ts';
import type { Connections } from './connections.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import { FunctionService, GetExecutionStatusResponseSchema } from './gen/spearlet/function_pb.js';
import { refusalMs } from './grpc-listener.ts';
import { callerOf, decodePathPart, isRead, refuseMethod, sendError, sendJson } from './http-answer.ts';
import { type ApiOptions, callApi } from './http-api.ts';
import { askedFirst, letGo } from './http-body.ts';
import { checkBrowser } from './http-browser.ts';
import { callerWith } from './http-caller.ts';
import { type DownloadOptions, downloadHistory, downloadSnapshot } from './http-downloads.ts';
import { serveEvents } from './http-events.ts';
import { acceptInspectors, type Inspections } from './http-inspect.ts';
import { type PageFile, servePage } from './http-page.ts';
import { messageToJson } from './wire/json-response.ts';

/** Where the node is in its life, as load balancers want to know it. */
export interface Readiness {
  readonly ready: boolean;
  /** The node chart's state, or what is wrong. */
  readonly reason: string;
}

export interface HttpServerOptions extends ApiOptions, Pick<DownloadOptions, 'snapshots'> {
  readonly functions: FunctionHandlers;
  readiness(): Readiness;
  /** The files of the page by path; absent where there is no page. */
  readonly page?: ReadonlyMap<string, PageFile>;
  /** What the page's event stream tells. */
  readonly feed?: NodeFeed;
  readonly inspections?: Inspections;
  /** Absent where nobody counts them. */
  readonly connections?: Connections;
}

/** Loopback by its usual names: a browser on this machine may use any of them. */
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

/** Node looks at its own time limits that often, in milliseconds. */
const checkingMs = 1000;

export function createHttpServer(options: HttpServerOptions): Server {
  const refused = new WeakMap<Duplex, RequestError>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    letGo(request, response, options.clock);
    const refusal = refused.get(request.socket);
    if (refusal !== undefined) {
      response.setHeader('connection', 'close');
      sendError(response, refusal);
      return;
    }
    route(options, hostsOf(server), request, response).catch((error: unknown) => {
      sendError(response, toRequestError(error, request.url ?? '', options));
    });
  };
  const server = createServer({ connectionsCheckingInterval: checkingMs }, answer);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    askedFirst(request, response);
    answer(request, response);
  });
  // Where nobody listens for it, Node closes the connection without a word.
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {});
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once('finish', () => socket.end());
    refuseMethod(response, 'GET, HEAD, POST');
  });
  server.prependListener('connection', (socket: Socket) => {
    const { connections, clock } = options;
    const refusal = connections?.admit(socket);
    if (connections === undefined || refusal === undefined) return;
    if (!connections.mayHear(socket)) {
      socket.destroy();
      return;
    }
    refused.set(socket, refusal);
    clock.setTimer(refusalMs, () => socket.destroy());
  });
  server.headersTimeout = 10_000;
  // A body's own time is kept by whoever reads it.
  server.requestTimeout = 0;
  if (options.inspections !== undefined) {
    acceptInspectors(server, options.inspections, options.authenticator, (request) =>
      isHost(hostsOf(server), request),
    );
  }
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

/** RFC 9112, 3.2.2: a target may be a whole URL, and then its host stands for the header. */
const wholeUrl = /^https?:\/\/([^/?#]*)(.*)$/i;

function isHost(hosts: readonly string[], { headers, url }: IncomingMessage): boolean {
  const host = wholeUrl.exec(url ?? '')?.[1] ?? headers.host ?? '';
  return hosts.length === 0 || hosts.includes(host.toLowerCase());
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const [, , path] = wholeUrl.exec(url) ?? [];
  if (path === undefined) return url;
  return path.startsWith('/') ? path : `/${path}`;
}

async function route(
  options: HttpServerOptions,
  hosts: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isHost(hosts, request)) {
    const host = JSON.stringify(request.headers.host ?? '');
    return sendJson(response, 421, {
      error: { reason: 'HOST_NOT_ALLOWED', message: `this server does not answer for the host ${host}` },
    });
  }
  const [path = '/', query = ''] = pathOf(request).split('?', 2);
  const file = options.page?.get(path);
  if (file !== undefined) return servePage(file, request, response);
  if (path === '/healthz') {
    if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
    return sendJson(response, 200, { status: 'ok' });
  }
  if (path === '/readyz') {
    if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
    const { ready, reason } = options.readiness();
    return sendJson(response, ready ? 200 : 503, { ready, reason });
  }
  if (path.startsWith('/status/'))
    return sendStatus(options, request, response, path.slice('/status/'.length));
  if (path === '/api/events' && options.feed !== undefined) {
    const { feed } = options;
    return serveEvents({ ...options, feed }, request, response, new URLSearchParams(query));
  }
  const [, download, id] = /^\/api\/(history|snapshots)\/([^/]+)$/.exec(path) ?? [];
  if (id !== undefined) {
    response.once('close', options.watchers.enter(callerOf(request)));
    const send = download === 'history' ? downloadHistory : downloadSnapshot;
    return send(options, request, response, decodePathPart(id));
  }
  if (path.startsWith('/api/')) return callApi(options, request, response, path.slice('/api/'.length));
  if (path === '/metrics') {
    throw new RequestError('not_found', 'this version has no metrics yet', { reason: 'NOT_IN_THIS_VERSION' });
  }
  throw new RequestError(
    'not_found',
    'no such path; there are /, /status/<execution_id>, /healthz, /readyz and /api/<Service>/<Method>',
    { reason: 'PATH_NOT_FOUND' },
  );
}

async function sendStatus(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  encodedId: string,
): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request, { changes: false, actionsAllowed: false });
  const executionId = decodePathPart(encodedId);
  if (!executionId.startsWith('exec_')) throw notFound('execution', executionId);
  const method = FunctionService.method.getExecutionStatus;
  const message = await options.functions.getExecutionStatus(
    fromJson(method.input, { executionId, includeOutput: true }),
    callerWith(pathRoles.status, 'a status', options, request, response),
  );
  sendJson(response, 200, messageToJson(GetExecutionStatusResponseSchema, message));
}
