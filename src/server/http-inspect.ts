/**
 * `/api/inspect`: a websocket for tools that read what XState's own inspector sends (see docs/visualizer.md). What is
 * said over it is ours alone; whatever comes from the other side is not read.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { assertRole } from '../domain/access.ts';
import { RequestError, type RequestErrorKind } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import type { Authenticator } from './access/authenticator.ts';
import { pathRoles } from './access/method-roles.ts';
import { httpScope } from './access/request-scope.ts';

/** One who hears of machines. Neither of these may throw. */
export interface Inspector {
  /** Each record is one JSON text. */
  record(text: string): void;
  /** The node goes away. */
  end(): void;
}

/** What tells of machines, to as many as want to hear of them. */
export interface Inspections {
  /** It hears of those in the scope until the answer is called. */
  attach(inspector: Inspector, scope: Scope): () => void;
}

/** What a browser offers beside the protocol with its token, and is answered with. */
const plainProtocol = 'spear';
const tokenProtocol = 'spear.token.';
const mostInspectors = 16;
/** Bytes that wait for one who is slow; beyond, it is hung up on. */
const mostWaiting = 8 * 1024 * 1024;
/** What a close says (https://www.iana.org/assignments/websocket). */
const goingAway = 1001;
const tryAgain = 1013;

const refusals: ReadonlyMap<RequestErrorKind, string> = new Map([
  ['permission_denied', '403 Forbidden'],
  ['invalid_argument', '400 Bad Request'],
]);

export function acceptInspectors(
  server: Server,
  inspections: Inspections,
  authenticator: Authenticator,
  isHost: (request: IncomingMessage) => boolean,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 1024,
    perMessageDeflate: false,
    // Never the one that has the token.
    handleProtocols: (offered) => offered.has(plainProtocol) && plainProtocol,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    const [path] = (request.url ?? '').split('?', 1);
    const admitted = isHost(request)
      ? admission(request, path, authenticator, sockets.clients.size)
      : '421 Misdirected Request';
    if (typeof admitted === 'string') {
      socket.end(`HTTP/1.1 ${admitted}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => tell(client, inspections, admitted));
  });
}

/** What it may see, or why not. A browser lets any page open a websocket to anyone: only the page's own origin may. */
function admission(
  { headers }: IncomingMessage,
  path: string | undefined,
  authenticator: Authenticator,
  open: number,
): Scope | string {
  if (path !== '/api/inspect') return '404 Not Found';
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return '403 Forbidden';
  if (open >= mostInspectors) return '503 Service Unavailable';
  try {
    const principal = authenticator.authenticate(headers.authorization ?? tokenOffered(headers));
    assertRole(principal, pathRoles.inspect, 'inspection');
    return httpScope(principal, headers);
  } catch (error) {
    if (!(error instanceof RequestError)) return '401 Unauthorized';
    return refusals.get(error.kind) ?? '401 Unauthorized';
  }
}

/** The authorization of a browser's websocket, which can have no header of its own but the protocols that it offers. */
function tokenOffered({ 'sec-websocket-protocol': offered }: IncomingMessage['headers']): string | undefined {
  const protocols = (offered ?? '').split(',').map((each) => each.trim());
  const token = protocols.find((each) => each.startsWith(tokenProtocol));
  return token === undefined ? undefined : `Bearer ${token.slice(tokenProtocol.length)}`;
}

function tell(client: WebSocket, inspections: Inspections, scope: Scope): void {
  let detach = (): void => {};
  client.on('error', () => client.terminate());
  client.on('close', () => detach());
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
