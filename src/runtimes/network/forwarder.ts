import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NetworkGate } from './gate.ts';
import { parseAuthority } from './host-name.ts';
import type { FoundAddress } from './name-lookups.ts';

/** Connections of one function at once. */
const mostConnections = 256;
const mostHeaderBytes = 32 * 1024;

/** Those of one connection, which are not handed on (RFC 9110, 7.6.1; `proxy-connection` is an old mistake). */
const hopByHop = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
];

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * A proxy for HTTP and, by CONNECT, for all else over TCP, whose every connection asks a gate. It has no listener of its
 * own: it is given connections.
 */
export class Forwarder {
  readonly #gate: NetworkGate;
  readonly #server = http.createServer({ maxHeaderSize: mostHeaderBytes, keepAlive: true });
  readonly #sockets = new Set<Duplex>();
  #closed = false;

  constructor(gate: NetworkGate) {
    this.#gate = gate;
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#tunnel(request, socket, head).catch(() => socket.destroy());
    });
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#forward(request, response).catch(() => response.destroy());
    });
    this.#server.on('upgrade', (_request, socket: Duplex) => answer(socket, 501, 'no upgrade is forwarded'));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  accept(socket: Socket): void {
    if (this.#closed || this.#sockets.size >= mostConnections) {
      socket.destroy();
      return;
    }
    this.#hold(socket);
    this.#server.emit('connection', socket);
  }

  /** Ends all connections, and tells how many refusals were not told. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#gate.end();
  }

  #hold(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
  }

  async #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { host = '', port = '' } = parseAuthority(request.url ?? '') ?? {};
    if (port === '') return answer(socket, 400, 'CONNECT takes HOST:PORT');
    const place = { host, port: Number(port) };
    const open = await this.#open(place);
    if (typeof open === 'string') return answer(socket, 403, open);
    if (this.#closed || socket.destroyed) return;
    const target = connect({ ...place, lookup: always(open) });
    this.#hold(target);
    const failed = (error: Error): void => answer(socket, 502, told(error));
    target.once('error', failed);
    target.once('connect', () => {
      target.off('error', failed);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) target.write(head);
      socket.pipe(target).pipe(socket);
      // An end goes through the pipes; what fails takes the other along.
      for (const [one, other] of [
        [socket, target],
        [target, socket],
      ] as const) {
        one.once('error', () => other.destroy());
        one.once('close', () => other.destroy());
      }
    });
    socket.once('close', () => target.destroy());
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '');
    if (url?.protocol !== 'http:') return refuse(response, 400, 'a request has to name a URL with http://');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const place = { host, port: url.port === '' ? 80 : Number(url.port) };
    const open = await this.#open(place);
    if (typeof open === 'string') return refuse(response, 403, open);
    if (this.#closed || response.destroyed) return;
    const sent = http.request({
      ...place,
      lookup: always(open),
      agent: false,
      method: request.method,
      path: `${url.pathname}${url.search}`,
      setHost: false,
      headers: { ...withoutHops(request.headers), host: url.host, connection: 'close' },
    });
    sent.on('socket', (socket) => this.#hold(socket));
    sent.on('error', (error) => refuse(response, 502, told(error)));
    // Also where what came was no answer, such as a change of protocol.
    sent.on('close', () => {
      if (!response.headersSent) refuse(response, 502, 'there was no answer');
    });
    sent.on('response', (answered) => {
      answered.on('error', () => response.destroy());
      try {
        response.writeHead(answered.statusCode ?? 502, withoutHops(answered.headers));
        answered.pipe(response);
      } catch {
        // Whoever is at the other end may send what is no answer, such as a status of 99.
        response.destroy();
        answered.destroy();
      }
    });
    for (const stream of [request, response]) stream.on('error', () => sent.destroy());
    response.once('close', () => sent.destroy());
    request.pipe(sent);
  }

  /** Where it may be connected to, or why it may not. */
  async #open({ host, port }: Place): Promise<readonly FoundAddress[] | string> {
    try {
      return await this.#gate.open(host, port);
    } catch (error) {
      const code = error instanceof Object && 'code' in error ? String(error.code) : 'unknown';
      return code === 'EACCES'
        ? `the network list of the task does not have ${host}:${port}`
        : `${host}: ${code}`;
    }
  }
}

/** What was judged is what is connected to. */
function always(addresses: readonly FoundAddress[]): LookupFunction {
  return (_name, { all }, callback) => {
    const [first] = addresses;
    if (all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = String(headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const left = Object.entries(headers).filter(([name]) => !hopByHop.includes(name) && !named.includes(name));
  return Object.fromEntries(left);
}

function told(error: Error): string {
  return 'code' in error ? String(error.code) : 'the connection failed';
}

function answer(socket: Duplex, status: number, why: string): void {
  const text = `${why}\n`;
  const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}`;
  socket.end(`${head}\r\n\r\n${text}`);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, { connection: 'close' }).end(`${why}\n`);
}
