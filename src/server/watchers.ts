import { RequestError } from '../domain/errors.ts';

export interface WatcherCaps {
  readonly most: number;
  /** Streams at a time of one caller: a connection over gRPC, an address over HTTP. */
  readonly perCaller: number;
  readonly perPrincipal: number;
}

/** The streams that are open to follow something. */
export class Watchers {
  readonly #caps: WatcherCaps;
  readonly #ofCaller = new Map<string, number>();
  readonly #ofPrincipal = new Map<string, number>();
  #open = 0;

  constructor(caps: WatcherCaps) {
    this.#caps = caps;
  }

  /**
   * Counts a stream of a caller until the returned function is called, which has to be once. Throws
   * resource_exhausted for one too many.
   */
  enter(caller: string, principal: string): () => void {
    const ofCaller = this.#ofCaller.get(caller) ?? 0;
    const ofPrincipal = this.#ofPrincipal.get(principal) ?? 0;
    const { most, perCaller, perPrincipal } = this.#caps;
    if (this.#open >= most) throw tooMany(`${most} streams are open`, 'max-watchers');
    if (ofCaller >= perCaller) {
      throw tooMany(`${perCaller} streams of this connection are open`, 'max-watchers-per-connection');
    }
    if (ofPrincipal >= perPrincipal) {
      throw tooMany(`${perPrincipal} streams of ${principal} are open`, 'max-watchers-per-principal');
    }
    this.#open += 1;
    this.#ofCaller.set(caller, ofCaller + 1);
    this.#ofPrincipal.set(principal, ofPrincipal + 1);
    return () => {
      this.#open -= 1;
      leave(this.#ofCaller, caller);
      leave(this.#ofPrincipal, principal);
    };
  }
}

function leave(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left === 0) counts.delete(key);
  else counts.set(key, left);
}

function tooMany(what: string, quota: string): RequestError {
  return new RequestError('resource_exhausted', `${what}, which is as many as are allowed`, {
    reason: 'TOO_MANY_WATCHES',
    quota,
    retryAfterMs: 1000,
  });
}
