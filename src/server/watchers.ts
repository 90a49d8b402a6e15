import { RequestError } from '../domain/errors.ts';

export interface WatcherCaps {
  readonly most: number;
  /** Of one connection over gRPC, or one address over HTTP. */
  readonly perCaller: number;
}

/** The streams that are open to follow something. */
export class Watchers {
  readonly #caps: WatcherCaps;
  readonly #ofCaller = new Map<string, number>();
  #open = 0;

  constructor(caps: WatcherCaps) {
    this.#caps = caps;
  }

  /** Counts a stream of a caller until the answer is called, once. Throws resource_exhausted for one too many. */
  enter(caller: string): () => void {
    const ofCaller = this.#ofCaller.get(caller) ?? 0;
    const { most, perCaller } = this.#caps;
    if (this.#open >= most) throw tooMany(`${most} streams are open`, 'max-watchers');
    if (ofCaller >= perCaller) {
      throw tooMany(`${perCaller} streams of this connection are open`, 'max-watchers-per-connection');
    }
    this.#open += 1;
    this.#ofCaller.set(caller, ofCaller + 1);
    return () => {
      this.#open -= 1;
      const left = (this.#ofCaller.get(caller) ?? 1) - 1;
      if (left === 0) this.#ofCaller.delete(caller);
      else this.#ofCaller.set(caller, left);
    };
  }
}

function tooMany(what: string, quota: string): RequestError {
  return new RequestError('resource_exhausted', `${what}, which is as many as are allowed`, {
    reason: 'TOO_MANY_WATCHES',
    quota,
    retryAfterMs: 1000,
  });
}
