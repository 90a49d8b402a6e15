/**
 * `/api/inspect`: a websocket for tools that read what XState's own inspector sends (see docs/visualizer.md). What is
 * said over it is ours alone; whatever comes from the other side is not read.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { assertRole } from '../domain/access.ts';
import { RequestError } from '../domain/errors.ts';
import type { Authenticator } from './access/authenticator.ts';
import { pathRoles } from './access/method-roles.ts';

/** One who hears of machines. Neither of these may throw. */
export interface Inspector {
  /** Each record is one JSON text. */
  record(text: string): void;
  /** The node goes away. */
  end(): void;
}

/** What tells of machines, to as many as want to hear of them. */
export interface Inspections {
  /** It hears of them until the answer is called. */
  attach(inspector: Inspector): () => void;
}

const mostInspectors = 16;
/** Bytes that wait for one who is slow; beyond, it is hung up on. */
const mostWaiting = 8 * 1024 * 1024;
/** What a close says (https://www.iana.org/assignments/websocket). */
const goingAway = 1001;
const tryAgain = 1013;

export function acceptInspectors(
  server: Server,
  inspections: Inspections,
  authenticator: Authenticator,
  isHost: (request: IncomingMessage) => boolean,
): void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {});
    const [path] = (request.url ?? '').split('?', 1);
    const refused = !isHost(request)
      ? '421 Misdirected Request'
      : refusal(request, path, authenticator, sockets.clients.size);
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => tell(client, inspections));
  });
}

/** A browser lets any page open a websocket to anyone: only the page's own origin may. */
function refusal(
  { headers }: IncomingMessage,
  path: string | undefined,
  authenticator: Authenticator,
  open: number,
): string | undefined {
  if (path !== '/api/inspect') return '404 Not Found';
  const { origin, host } = headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return '403 Forbidden';
  try {
    assertRole(authenticator.authenticate(headers.authorization), pathRoles.inspect, 'inspection');
  } catch (error) {
    return error instanceof RequestError && error.kind === 'permission_denied'
      ? '403 Forbidden'
      : '401 Unauthorized';
  }
  return open >= mostInspectors ? '503 Service Unavailable' : undefined;
}

function tell(client: WebSocket, inspections: Inspections): void {
  let detach = (): void => {};
  client.on('error', () => client.terminate());
  client.on('close', () => detach());
  detach = inspections.attach({
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
  });
}
