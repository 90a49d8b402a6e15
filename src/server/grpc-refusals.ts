import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { RequestError } from '../domain/errors.ts';
import { nameOf } from './connections.ts';
import { trailersOf } from './status.ts';

/** Answers every call of a connection with the same refusal. */
export class GrpcRefusals {
  readonly #refusals = new Map<string, RequestError>();
  readonly #server = createServer();

  constructor() {
    this.#server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      const refusal = stream.session && this.#refusals.get(nameOf(stream.session.socket));
      if (refusal === undefined) stream.close();
      else stream.respond(trailersOf(refusal), { endStream: true });
      stream.resume();
    });
    this.#server.on('session', (session) => void session.on('error', () => {}));
  }

  take(socket: Socket, refusal: RequestError): void {
    const name = nameOf(socket);
    this.#refusals.set(name, refusal);
    socket.once('close', () => this.#refusals.delete(name));
    this.#server.emit('connection', socket);
  }
}
