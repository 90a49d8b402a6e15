/**
 * What gRPC calls send before their handlers hear of them. grpc-js gathers a message until all of it is here, and
 * tells nobody; Node says when a stream begins (https://nodejs.org/api/diagnostics_channel.html, HTTP/2), and its
 * bytes are looked at as they pass.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../domain/clock.ts';
import type { RequestError } from '../domain/errors.ts';
import type { Arrival, Arrivals } from './arrivals.ts';
import { nameOf } from './connections.ts';
import { headBytes, MessageFrames } from './message-frames.ts';
import { trailersOf } from './status.ts';

const started = 'http2.server.stream.start';

export interface GrpcArrivalsOptions {
  readonly clock: Clock;
  readonly arrivals: Arrivals;
  /** The largest message of a method, by its path. */
  mostBytes(path: string): number;
  /** Methods whose requests stream, or carry artifacts, by their paths. */
  isUpload(path: string): boolean;
  /** Of a message that is too large. */
  tooLarge(path: string): RequestError;
  /** The largest message that the library takes. */
  readonly mostReceived: number;
}

/** A call's messages as they arrive. */
export class ArrivingCall {
  readonly #stream: ServerHttp2Stream;
  readonly #frames: MessageFrames;
  readonly #arrival: Arrival;
  readonly #tooLarge: () => RequestError;

  constructor(stream: ServerHttp2Stream, path: string, options: GrpcArrivalsOptions) {
    this.#stream = stream;
    this.#frames = new MessageFrames(options.mostBytes(path), options.mostReceived);
    this.#tooLarge = () => options.tooLarge(path);
    this.#arrival = options.arrivals.begin({
      uploads: options.isUpload(path),
      paused: () => stream.isPaused(),
      refuse: (error) => refuse(stream, error, options.clock),
    });
    const end = (): void => this.#arrival.end();
    stream.on('data', (data: Buffer) => this.#arrived(data));
    stream.once('end', end);
    stream.once('close', end);
  }

  /** A handler has a message of that size, and counts it from now on. */
  taken(bytes: number): void {
    this.#arrival.taken(bytes + headBytes);
  }

  #arrived(data: Buffer): void {
    if (this.#stream.writableEnded) return;
    const weight = this.#frames.add(data);
    try {
      if (weight === 'too large') throw this.#tooLarge();
      this.#arrival.arrived(weight);
    } catch (error) {
      this.#arrival.refuse(error as RequestError);
    }
  }
}

export class GrpcArrivals {
  readonly #options: GrpcArrivalsOptions;
  /** The connections that are this server's. */
  readonly #connections = new Set<string>();
  readonly #sessions = new WeakMap<Http2Session, boolean>();
  #latest: ArrivingCall | undefined;

  constructor(options: GrpcArrivalsOptions) {
    this.#options = options;
    subscribe(started, this.#begin);
  }

  /** Calls over a connection from here on are looked at, until it closes. */
  add(connection: Socket): void {
    const name = nameOf(connection);
    this.#connections.add(name);
    connection.once('close', () => this.#connections.delete(name));
  }

  /** The call that has just begun: grpc-js calls the handler of one whose requests stream as soon as it begins. */
  get latest(): ArrivingCall | undefined {
    return this.#latest;
  }

  close(): void {
    unsubscribe(started, this.#begin);
    this.#options.arrivals.close();
  }

  readonly #begin = (message: unknown): void => {
    const { stream, headers } = message as {
      readonly stream: ServerHttp2Stream;
      readonly headers: Readonly<Record<string, string>>;
    };
    const { session } = stream;
    if (session === undefined || !this.#isOurs(session)) return;
    // What ended with its headers has nothing to bring.
    if (stream.readableEnded) this.#latest = undefined;
    else this.#latest = new ArrivingCall(stream, headers[':path'] ?? '', this.#options);
  };

  #isOurs(session: Http2Session): boolean {
    let ours = this.#sessions.get(session);
    if (ours === undefined) {
      ours = this.#connections.has(nameOf(session.socket));
      this.#sessions.set(session, ours);
    }
    return ours;
  }
}

/** How long a caller that was refused may go on sending before its stream is reset, in milliseconds. */
const lingerMs = 1000;

/**
 * The answer goes out, and what still comes is thrown away. A reset right behind the answer would reach some clients
 * before it.
 */
function refuse(stream: ServerHttp2Stream, error: RequestError, clock: Clock): void {
  if (stream.destroyed) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_CANCEL);
    return;
  }
  stream.respond(trailersOf(error), { endStream: true });
  // grpc-js knows of no answer but its own: it takes this for a caller that has gone, and the call for cancelled.
  stream.emit('close');
  const timer = clock.setTimer(lingerMs, () => stream.close());
  stream.once('close', () => timer.cancel());
}
