import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../../../domain/clock.ts';
import { greetingLength, readGreeting } from './spawner-protocol.ts';

/** Sets of streams that wait for a program: more are made while one starts. */
const spareSets = 4;
/** Sets that are on their way at once. */
const maxAsked = 16;
/** For how long a set may be on its way, and a connection may be silent, in milliseconds. */
const arrivalMs = 1000;
/** For how long a start waits for a set: as long as the node has no descriptors to spare. */
const waitTimeoutMs = 10_000;
/** Connections that have not said what they are, beside those that were asked for. */
const maxStrangers = 16;
/** What fits into the address of a socket, less the end of its text. */
const longestAddress = 107;

/** stdin, stdout and stderr of one program to be. */
export interface StreamSet {
  readonly streams: number;
  readonly sockets: readonly [stdin: Socket, stdout: Socket, stderr: Socket];
}

interface Asked {
  readonly sockets: (Socket | undefined)[];
  readonly timer: Timer;
}

interface Wanted {
  readonly give: (set: StreamSet | string) => void;
  readonly timer: Timer;
}

interface StreamSetsOptions {
  /** A folder that only the node's user can enter. */
  readonly folder: string;
  readonly clock: Clock;
  /** Asks the spawner to connect the streams of a set, or to let go of them. */
  ask(streams: number): void;
  drop(streams: number): void;
  /** No spawner can connect any more. */
  broken(): void;
}

/**
 * The node's ends of the streams of programs, which the spawner connects ahead of time. A connection says which stream
 * it is in its first bytes, with a token; who is not the spawner costs a bounded number of descriptors for a bounded
 * time. A set that does not arrive, as where the node was out of descriptors, is asked for again.
 */
export class StreamSets {
  readonly token = randomBytes(16).toString('hex');
  /** Where to connect to, as seen from the folder. */
  readonly address = `streams-${randomBytes(8).toString('hex')}`;
  readonly #options: StreamSetsOptions;
  readonly #server: Server;
  readonly #strangers = new Set<Socket>();
  readonly #asked = new Map<number, Asked>();
  readonly #ready: StreamSet[] = [];
  readonly #wanted: Wanted[] = [];
  #next = 0;
  #closed = false;
  /** Why the last connection could not be taken. */
  #failure = 'ETIMEDOUT';

  constructor(options: StreamSetsOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#greet(socket),
    );
  }

  listen(listening: () => void): void {
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      // One that could not be taken, for want of descriptors, is asked for again when its time is over.
      if (this.#server.listening) this.#failure = error.code ?? this.#failure;
      else this.#options.broken();
    });
    const { folder } = this.#options;
    const path = `${folder}/${this.address}`;
    if (Buffer.byteLength(path) <= longestAddress) {
      this.#server.listen(path, listening);
    } else {
      const fd = openSync(folder, 'r');
      this.#server.listen(`/proc/self/fd/${fd}/${this.address}`, () => {
        closeSync(fd);
        listening();
      });
    }
    this.#server.unref();
  }

  /** Whether starts wait for a set. */
  get waiting(): boolean {
    return this.#wanted.length > 0;
  }

  /** A set at once where there is one, and else when there is; or the system's code of why there is none. */
  take(): StreamSet | Promise<StreamSet | string> {
    const ready = this.#ready.shift();
    // What is started now should have the processor: others come when a program has ended, or when they run short.
    if (ready !== undefined) {
      if (this.#ready.length <= 1) this.refill();
      return ready;
    }
    if (this.#closed) return Promise.resolve('EPIPE');
    const { promise, resolve } = Promise.withResolvers<StreamSet | string>();
    const wanted: Wanted = {
      give: resolve,
      timer: this.#options.clock.setTimer(waitTimeoutMs, () => {
        this.#wanted.splice(this.#wanted.indexOf(wanted), 1);
        resolve(this.#failure);
      }),
    };
    this.#wanted.push(wanted);
    this.refill();
    return promise;
  }

  /** Asks for as many as are missing. */
  refill(): void {
    const missing = () => this.#wanted.length + spareSets - this.#ready.length - this.#asked.size;
    while (!this.#closed && missing() > 0 && this.#asked.size < maxAsked) this.#ask();
  }

  /** What was given away stays. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const { give, timer } of this.#wanted.splice(0)) {
      timer.cancel();
      give('EPIPE');
    }
    for (const streams of [...this.#asked.keys()]) this.#forget(streams);
    for (const { sockets } of this.#ready.splice(0)) for (const socket of sockets) socket.destroy();
    for (const stranger of this.#strangers) stranger.destroy();
  }

  #ask(): void {
    this.#next += 1;
    const streams = this.#next;
    const timer = this.#options.clock.setTimer(arrivalMs, () => {
      this.#forget(streams);
      this.#options.drop(streams);
      this.refill();
    });
    this.#asked.set(streams, { sockets: [], timer });
    this.#options.ask(streams);
  }

  #forget(streams: number): void {
    const asked = this.#asked.get(streams);
    this.#asked.delete(streams);
    asked?.timer.cancel();
    for (const socket of asked?.sockets ?? []) socket?.destroy();
  }

  /** Reads which stream a connection is to be; what follows is a program's. */
  #greet(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#strangers.size >= maxStrangers + 3 * this.#asked.size) {
      socket.destroy();
      return;
    }
    this.#strangers.add(socket);
    const timer = this.#options.clock.setTimer(arrivalMs, () => socket.destroy());
    const known = () => {
      timer.cancel();
      this.#strangers.delete(socket);
    };
    socket.on('close', known);
    const look = () => {
      const bytes = socket.read(greetingLength) as Buffer | null;
      if (bytes === null) return;
      socket.off('readable', look);
      socket.off('close', known);
      known();
      const greeting = readGreeting(this.token, bytes.toString('latin1'));
      if (greeting === undefined) socket.destroy();
      else this.#join(greeting.streams, greeting.index, socket);
    };
    socket.on('readable', look);
  }

  #join(streams: number, index: number, socket: Socket): void {
    const asked = this.#asked.get(streams);
    if (asked === undefined) {
      socket.destroy();
      return;
    }
    asked.sockets[index] = socket;
    const [stdin, stdout, stderr] = asked.sockets;
    if (stdin === undefined || stdout === undefined || stderr === undefined) return;
    asked.timer.cancel();
    this.#asked.delete(streams);
    for (const one of [stdin, stdout, stderr]) one.unref();
    const set: StreamSet = { streams, sockets: [stdin, stdout, stderr] };
    const wanted = this.#wanted.shift();
    wanted?.timer.cancel();
    if (wanted === undefined) this.#ready.push(set);
    else wanted.give(set);
    if (this.waiting) this.refill();
  }
}
