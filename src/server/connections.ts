/** Who is connected, over gRPC and HTTP together: at most so many of one address, and in all. */
import type { Socket } from 'node:net';
import { RequestError } from '../domain/errors.ts';

export interface ConnectionCaps {
  readonly most: number;
  /** Of one address. */
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

/** A connection, told apart from all others that are open. */
export function nameOf({
  remoteAddress,
  remotePort,
  localPort,
}: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localPort'>): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
