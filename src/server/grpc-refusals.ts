import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { RequestError } from '../domain/errors.ts';
import { trailersOf } from './status.ts';

/** Answers every call of a connection with the same refusal. */
export class GrpcRefusals {
  /** By the numbers of their connections. */
  readonly #refusals = new Map<number | undefined, RequestError>();
  readonly #server = createServer();

  constructor() {
    this.#server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      const refusal = stream.session && this.#refusals.get(stream.session.socket.remotePort);
      if (refusal === undefined) stream.close();
      else stream.respond(trailersOf(refusal), { endStream: true });
      stream.resume();
    });
    this.#server.on('session', (session) => void session.on('error', () => {}));
  }

  /** `socket` has a number. */
  take(socket: Socket, refusal: RequestError): void {
    const { remotePort } = socket;
    this.#refusals.set(remotePort, refusal);
    socket.once('close', () => this.#refusals.delete(remotePort));
    this.#server.emit('connection', socket);
  }
}
