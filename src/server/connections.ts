/** Who is connected, over gRPC and HTTP together: at most so many of one address, and in all. */
import type { Socket } from 'node:net';
import { RequestError } from '../domain/errors.ts';

export interface ConnectionCaps {
  readonly most: number;
  /** Connections at a time from one address. */
  readonly perAddress: number;
}

/** When a caller that was refused may try again, in milliseconds. */
const retryAfterMs = 1000;

export class Connections {
  readonly #caps: ConnectionCaps;
  readonly #ofAddress = new Map<string, number>();
  readonly #refusing = new Set<Socket>();
  #open = 0;

  constructor(caps: ConnectionCaps) {
    this.#caps = caps;
  }

  get open(): number {
    return this.#open;
  }

  /** Counts a connection until it closes. Why it is one too many, where it is. */
  admit(socket: Socket): RequestError | undefined {
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#ofAddress.get(address) ?? 0;
    const { most, perAddress } = this.#caps;
    if (this.#open >= most) return tooMany(`${most} connections are open`, 'max-connections');
    if (ofAddress >= perAddress) {
      return tooMany(`${perAddress} connections of your address are open`, 'max-connections-per-address');
    }
    this.#open += 1;
    this.#ofAddress.set(address, ofAddress + 1);
    socket.once('close', () => this.#leave(address));
    return undefined;
  }

  /** A few that are one too many may stay for as long as their answer takes; false where there are enough of them. */
  mayHear(socket: Socket): boolean {
    if (this.#refusing.size >= Math.min(32, Math.ceil(this.#caps.most / 8))) return false;
    this.#refusing.add(socket);
    socket.once('close', () => this.#refusing.delete(socket));
    return true;
  }

  #leave(address: string): void {
    this.#open -= 1;
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(address);
    else this.#ofAddress.set(address, left);
  }
}

function tooMany(what: string, quota: string): RequestError {
  return new RequestError('resource_exhausted', `${what}, which is as many as are allowed`, {
    reason: 'TOO_MANY_CONNECTIONS',
    quota,
    retryAfterMs,
  });
}

/**
 * Why connections are refused, until they close. Over TLS the socket that is accepted is another object than the one
 * that asks, and Node tells nobody which belongs to which: both ends of the connection do.
 */
export class RefusedConnections {
  readonly #refusals = new Map<string, RequestError>();

  add(socket: Socket, refusal: RequestError): void {
    const name = nameOf(socket);
    if (name === undefined) {
      socket.destroy();
      return;
    }
    this.#refusals.set(name, refusal);
    // The system may have given both ends to another connection before this one is known to be over.
    socket.once('close', () => {
      if (this.#refusals.get(name) === refusal) this.#refusals.delete(name);
    });
  }

  /** Undefined for one that is not refused, `gone` for one that is over: nobody can tell which it was. */
  of(socket: Socket): RequestError | 'gone' | undefined {
    const name = nameOf(socket);
    return name === undefined ? 'gone' : this.#refusals.get(name);
  }
}

/** Both ends; undefined where the system does not know them any more. */
function nameOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string | undefined {
  const ends = [localAddress, localPort, remoteAddress, remotePort];
  return ends.includes(undefined) ? undefined : ends.join(' ');
}

/** Those of all servers of this process. The first is beyond the ports. */
let lastNumber = 65_535;

/**
 * Gives a connection a number of its own where its peer's port is read. grpc-js tells its handlers of a connection by
 * its peer's address and port alone, and two that come in at two addresses of the node may have both in common.
 */
export function giveNumber(socket: Socket): void {
  lastNumber += 1;
  Object.defineProperty(socket, 'remotePort', { value: lastNumber });
}
