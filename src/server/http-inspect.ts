/**
 * `/api/inspect`: a websocket for tools that read what XState's own inspector sends (see docs/visualizer.md). What is
 * said over it is ours alone; whatever comes from the other side is not read.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { assertRole, type Principal } from '../domain/access.ts';
import { RequestError, type RequestErrorKind } from '../domain/errors.ts';
import { pathRoles } from '../domain/method-roles.ts';
import type { Scope } from '../domain/scope.ts';
import { httpScope } from './access/request-scope.ts';
import type { ChainOptions } from './chain.ts';
import { hangUp } from './half-closed.ts';
import { callerOf } from './http-answer.ts';
import { shownBy } from './http-caller.ts';
import type { HttpHosts } from './http-hosts.ts';

/** A connection that is told of state machines. Its methods must not throw. */
export interface Inspector {
  /** Each record is one JSON text. */
  record(text: string): void;
  /** The node goes away. */
  end(): void;
}

/** Tells any number of inspectors of state machines. */
export interface Inspections {
  /** Tells `inspector` of the machines in `scope` until the returned function is called. */
  attach(inspector: Inspector, scope: Scope): () => void;
}

export interface InspectOptions extends Pick<ChainOptions, 'authenticator' | 'calls' | 'clock'> {
  readonly hosts: Pick<HttpHosts, 'isOurs'>;
  /** Why the connection of a request is one too many, where it is. */
  refusalOf(request: IncomingMessage): RequestError | 'gone' | undefined;
}

/** What a browser offers beside the protocol with its token, and is answered with. */
const plainProtocol = 'spear';
const tokenProtocol = 'spear.token.';
const mostInspectors = 16;
const mostPerPrincipal = 4;
/** Bytes that wait for one who is slow; beyond, it is hung up on. */
const mostWaiting = 8 * 1024 * 1024;
/** What a close says (https://www.iana.org/assignments/websocket). */
const goingAway = 1001;
const tryAgain = 1013;
const notAllowed = 1008;

const refusals: ReadonlyMap<RequestErrorKind, string> = new Map([
  ['permission_denied', '403 Forbidden'],
  ['invalid_argument', '400 Bad Request'],
  ['resource_exhausted', '429 Too Many Requests'],
  ['unavailable', '503 Service Unavailable'],
]);

export function acceptInspectors(server: Server, inspections: Inspections, options: InspectOptions): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
    // Never the one that has the token.
    handleProtocols: (offered) => offered.has(plainProtocol) && plainProtocol,
  });
  /** Whose each of them is. */
  const open = new Map<WebSocket, string>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    const [path] = (request.url ?? '').split('?', 1);
    const refuse = (answer: string): void =>
      hangUp(socket, options.clock, `HTTP/1.1 ${answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    const refusedAtOnce = options.refusalOf(request);
    if (refusedAtOnce === 'gone') {
      socket.destroy();
      return;
    }
    if (refusedAtOnce !== undefined) return refuse(answerOf(refusedAtOnce));
    const refused = options.hosts.isOurs(request) ? refusal(request, path) : '421 Misdirected Request';
    if (refused !== undefined) return refuse(refused);
    inspectorOf(request, options).then(
      ({ principal, scope }) => {
        if (socket.destroyed) return;
        const tooMany = oneTooMany(principal, [...open.values()]);
        if (tooMany !== undefined) return refuse(answerOf(tooMany));
        sockets.handleUpgrade(request, socket, head, (client) => {
          open.set(client, principal.name);
          client.once('close', () => open.delete(client));
          tell(client, inspections, scope, (end) => options.calls.enter(principal, callerOf(request), end));
        });
      },
      (error: unknown) => refuse(answerOf(error)),
    );
  });
}

/** Rejects with a RequestError for one who may not. */
async function inspectorOf(
  request: IncomingMessage,
  { authenticator }: InspectOptions,
): Promise<{ readonly principal: Principal; readonly scope: Scope }> {
  const shown = shownBy(request, request.headers.authorization ?? tokenOffered(request.headers));
  const principal = await authenticator.authenticate(shown);
  assertRole(principal, pathRoles.inspect, 'inspection');
  return { principal, scope: httpScope(principal, request.headers, pathRoles.inspect) };
}

/** Why there may not be another inspector of a principal, by whose those are that are open. */
function oneTooMany({ name }: Principal, open: readonly string[]): RequestError | undefined {
  if (open.length >= mostInspectors) {
    return new RequestError('unavailable', `${mostInspectors} inspectors are open`, {
      reason: 'TOO_MANY_WATCHES',
    });
  }
  if (open.filter((each) => each === name).length < mostPerPrincipal) return undefined;
  return new RequestError('resource_exhausted', `${mostPerPrincipal} inspectors of ${name} are open`, {
    reason: 'TOO_MANY_WATCHES',
    quota: 'inspectors-per-principal',
  });
}

function answerOf(error: unknown): string {
  return (error instanceof RequestError && refusals.get(error.kind)) || '401 Unauthorized';
}

/** A browser lets any page open a websocket to anyone: only the page's own origin may. */
function refusal({ headers }: IncomingMessage, path: string | undefined): string | undefined {
  if (path !== '/api/inspect') return '404 Not Found';
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return '403 Forbidden';
  return undefined;
}

/** The authorization of a browser's websocket, which can have no header of its own but the protocols that it offers. */
function tokenOffered({ 'sec-websocket-protocol': offered }: IncomingMessage['headers']): string | undefined {
  const protocols = (offered ?? '').split(',').map((each) => each.trim());
  const token = protocols.find((each) => each.startsWith(tokenProtocol));
  return token === undefined ? undefined : `Bearer ${token.slice(tokenProtocol.length)}`;
}

/** `enter` counts it as a call of its principal, which may end it. */
function tell(
  client: WebSocket,
  inspections: Inspections,
  scope: Scope,
  enter: (end: () => void) => () => void,
): void {
  let detach = (): void => {};
  let leave = (): void => {};
  client.on('error', () => client.terminate());
  client.on('close', () => {
    detach();
    leave();
  });
  try {
    leave = enter(() => client.close(notAllowed, 'the token is no longer good'));
  } catch {
    client.close(tryAgain, 'too many calls');
    return;
  }
  detach = inspections.attach(
    {
      record(text) {
        if (client.readyState !== client.OPEN) return;
        if (client.bufferedAmount > mostWaiting) client.close(tryAgain, 'too slow');
        else client.send(text);
      },
      end() {
        // An upgraded connection is no longer the HTTP server's to close, which waits for it to end.
        client.close(goingAway);
        client.terminate();
      },
    },
    scope,
  );
}
