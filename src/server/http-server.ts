/**
 * The HTTP side: the page at `/`, `/tasks/<name>`, `/status/<id>`, `/metrics`, `/healthz`, `/readyz`, and under `/api/` the same handlers as
 * gRPC's with the same messages as proto JSON, the page's event stream, downloads, the inspection stream, and how the
 * page signs in.
 *
 * - Only `Host` values of `http-hosts.ts` are answered, but for probes (a page of another origin cannot reach it by a
 *   name of its own), and every write needs a content type that a page of another origin cannot send unasked.
 * - Pages of other origins are answered where `http-cors.ts` lists them.
 * - What a browser sends on behalf of a page is held to `http-browser.ts`.
 */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fromJson } from '@bufbuild/protobuf';
import { notFound, RequestError } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import type { NodeFeed } from '../domain/node-feed.ts';
import { alwaysAs } from './access/authenticator.ts';
import { toRequestError } from './chain.ts';
import { callConnect, isServicePath } from './connect/connect-calls.ts';
import { type Connections, RefusedConnections } from './connections.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import { FunctionService, GetExecutionStatusResponseSchema } from './gen/spearlet/function_pb.js';
import { refusalMs } from './grpc-listener.ts';
import { closeOnceEnded, hangUp } from './half-closed.ts';
import { callerOf, decodePathPart, isRead, refuseMethod, sendError, sendJson } from './http-answer.ts';
import { type ApiOptions, callApi } from './http-api.ts';
import { askedFirst, letGo } from './http-body.ts';
import { checkBrowser } from './http-browser.ts';
import { callerWith } from './http-caller.ts';
import { type AllowedOrigins, isForPages } from './http-cors.ts';
import { type DownloadOptions, downloadHistory, downloadSnapshot } from './http-downloads.ts';
import { serveEvents } from './http-events.ts';
import { sendExecutionEvents, wantsEvents } from './http-execution-events.ts';
import { type HttpHosts, wholeUrl } from './http-hosts.ts';
import { acceptInspectors, type Inspections } from './http-inspect.ts';
import { type MetricsSource, sendMetrics } from './http-metrics.ts';
import { openApiPath, sendOpenApi } from './http-openapi.ts';
import { type PageFile, servePage } from './http-page.ts';
import { createTicket, downloadPath, openSession, type SessionOptions, sendCaller } from './http-session.ts';
import { runTask, tasksPath } from './http-tasks.ts';
import type { StalledSends } from './stalled-sends.ts';
import type { CertificateSource } from './tls/certificate-source.ts';
import { onFirstBytes, refuseCleartext } from './tls/cleartext.ts';
import { messageToJson } from './wire/json-response.ts';

/** Where the node is in its life, as load balancers want to know it. */
export interface Readiness {
  readonly ready: boolean;
  /** The node chart's state, or what is wrong. */
  readonly reason: string;
}

export interface HttpServerOptions extends ApiOptions, SessionOptions, Pick<DownloadOptions, 'snapshots'> {
  readonly functions: FunctionHandlers;
  /** The names that it answers to. */
  readonly hosts: Pick<HttpHosts, 'isOurs'>;
  /** Pages of other sites that may call; absent for none. */
  readonly origins?: Pick<AllowedOrigins, 'admit'>;
  /** Of its TLS; absent where it speaks in the clear. */
  readonly certificates?: CertificateSource;
  /**
   * How long a caller may take for its first byte, then for its part of a TLS handshake, and for the head of a request,
   * each, in milliseconds.
   */
  readonly handshakeMs: number;
  readiness(): Readiness;
  /** The files of the page by path; absent where there is no page. */
  readonly page?: ReadonlyMap<string, PageFile>;
  /** What the page's event stream tells. */
  readonly feed?: NodeFeed;
  readonly inspections?: Inspections;
  readonly metrics?: MetricsSource;
  /** Absent where nobody counts them. */
  readonly connections?: Connections;
  /** Absent where a caller may take as long as it likes. */
  readonly sends?: StalledSends;
}

/** Node looks at its own time limits that often, in milliseconds. */
const checkingMs = 1000;

export function createHttpServer(options: HttpServerOptions): Server {
  const refused = new RefusedConnections();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    options.sends?.add(response, () => response.destroy());
    letGo(request, response, options.clock);
    const refusal = refused.of(request.socket);
    if (refusal === 'gone') {
      request.socket.destroy();
      return;
    }
    if (refusal !== undefined) {
      response.setHeader('connection', 'close');
      sendError(response, refusal);
      return;
    }
    route(options, request, response).catch((error: unknown) => {
      // A ticket is of no use in a log.
      const [path = ''] = pathOf(request).split('?', 1);
      const called = path.startsWith(tasksPath) ? 'FunctionService/InvokeFunction' : path;
      sendError(response, toRequestError(error, called, options, { address: callerOf(request), request }));
    });
  };
  const server = listening(options, answer);
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
    const refusal = refused.of(request.socket);
    if (refusal === 'gone') {
      socket.destroy();
      return;
    }
    if (refusal === undefined) refuseMethod(response, 'GET, HEAD, POST');
    else sendError(response, refusal);
    hangUp(socket, options.clock);
  });
  server.prependListener('connection', (socket: Socket) => {
    const { connections, clock } = options;
    closeOnceEnded(socket, clock);
    const refusal = connections?.admit(socket);
    if (connections === undefined || refusal === undefined) return;
    if (!connections.mayHear(socket)) {
      socket.destroy();
      return;
    }
    refused.add(socket, refusal);
    clock.setTimer(refusalMs, () => socket.destroy());
  });
  server.on('secureConnection', (socket: Socket) => closeOnceEnded(socket, options.clock));
  server.headersTimeout = options.handshakeMs;
  // A body's own time is kept by whoever reads it.
  server.requestTimeout = 0;
  if (options.inspections !== undefined) {
    acceptInspectors(server, options.inspections, {
      ...options,
      refusalOf: ({ socket }) => refused.of(socket),
    });
  }
  return server;
}

function listening(
  { certificates, clock, handshakeMs }: Pick<HttpServerOptions, 'certificates' | 'clock' | 'handshakeMs'>,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const times = { connectionsCheckingInterval: Math.min(checkingMs, handshakeMs) };
  if (certificates === undefined) return createServer(times, answer);
  const server = createTlsServer(
    { ...times, ...certificates.options, handshakeTimeout: handshakeMs, ALPNProtocols: ['http/1.1'] },
    answer,
  );
  certificates.follow((context) => server.setSecureContext(context));
  const shakeHands = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return;
    onFirstBytes(socket, {
      ...{ clock, withinMs: handshakeMs },
      take: (speaks) => {
        if (speaks !== 'tls') refuseCleartext(socket, clock);
        else for (const listener of shakeHands) listener.call(server, socket);
      },
    });
  });
  return server;
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const [, , path] = wholeUrl.exec(url) ?? [];
  if (path === undefined) return url;
  return path.startsWith('/') ? path : `/${path}`;
}

async function route(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/', query = ''] = pathOf(request).split('?', 2);
  if (path === '/healthz') {
    if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
    return sendJson(response, 200, { status: 'ok' });
  }
  if (path === '/readyz') {
    if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
    const { ready, reason } = options.readiness();
    return sendJson(response, ready ? 200 : 503, { ready, reason });
  }
  // Those who probe know an address, and learn nothing that a page of another site could use.
  if (!options.hosts.isOurs(request)) {
    const host = JSON.stringify(request.headers.host ?? '');
    const message = `this server does not answer for the host ${host}; spear serve --http-host names more of them`;
    return sendJson(response, 421, { error: { reason: 'HOST_NOT_ALLOWED', message } });
  }
  const isService = isServicePath(options.services, path);
  if ((isService || isForPages(path)) && options.origins?.admit(request, response) === true) return;
  const file = options.page?.get(path);
  if (file !== undefined) return servePage(file, request, response);
  if (path === openApiPath) return sendOpenApi(request, response);
  if (path.startsWith('/status/'))
    return sendStatus(options, request, response, path.slice('/status/'.length));
  if (path.startsWith(tasksPath)) {
    return runTask(options, request, response, path.slice(tasksPath.length), new URLSearchParams(query));
  }
  if (path === '/api/events' && options.feed !== undefined) {
    const { feed } = options;
    return serveEvents({ ...options, feed }, request, response, new URLSearchParams(query));
  }
  const [, download, id] = downloadPath.exec(path) ?? [];
  if (id !== undefined) {
    const send = download === 'history' ? downloadHistory : downloadSnapshot;
    return send(withTicket(options, path, query), request, response, decodePathPart(id));
  }
  if (path === '/api/session') return openSession(options, request, response);
  if (path === '/api/caller') return sendCaller(options, request, response);
  if (path === '/api/tickets') return createTicket(options, request, response);
  if (path.startsWith('/api/')) return callApi(options, request, response, path.slice('/api/'.length));
  if (isService) return callConnect(options, request, response, path);
  if (path === '/metrics' && options.metrics !== undefined) {
    const { metrics } = options;
    return sendMetrics({ ...withTicket(options, path, query), metrics }, request, response);
  }
  throw new RequestError(
    'not_found',
    'no such path; there are /, /tasks/<task>, /status/<execution_id>, /metrics, /openapi.json, /healthz, /readyz, /api/<Service>/<Method> and /<package>.<Service>/<Method>',
    { reason: 'PATH_NOT_FOUND' },
  );
}

/** Who comes with a ticket is whoever had it made. */
function withTicket(options: HttpServerOptions, path: string, query: string): HttpServerOptions {
  const ticket = new URLSearchParams(query).get('ticket');
  if (ticket === null) return options;
  return { ...options, authenticator: alwaysAs(options.pageAccess.takeTicket(ticket, path)) };
}

async function sendStatus(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  encodedId: string,
): Promise<void> {
  if (!isRead(request)) return refuseMethod(response, 'GET, HEAD');
  checkBrowser(request);
  const executionId = decodePathPart(encodedId);
  if (!executionId.startsWith('exec_')) throw notFound('execution', executionId);
  const method = FunctionService.method.getExecutionStatus;
  const call = await callerWith(pathRoles.status, 'a status', options, request, response);
  const asEvents = wantsEvents(request);
  const message = await options.functions.getExecutionStatus(
    fromJson(method.input, { executionId, includeOutput: !asEvents }),
    call,
  );
  if (asEvents) return sendExecutionEvents(options, request, response, call, message);
  sendJson(response, 200, messageToJson(GetExecutionStatusResponseSchema, message));
}
