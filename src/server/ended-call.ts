import type { CallContext } from './call.ts';

/** A call that its caller may make no longer: its token was revoked, or has expired. */
export class EndedCall {
  readonly #listeners: ((how: 'done') => void)[] = [];
  #ended = false;

  get ended(): boolean {
    return this.#ended;
  }

  end(): void {
    this.#ended = true;
    for (const listener of this.#listeners.splice(0)) listener('done');
  }

  /** As CallContext.onGone, for this end alone. */
  readonly onEnd: CallContext['onGone'] = (listener) => {
    if (this.#ended) listener('done');
    else this.#listeners.push(listener);
  };
}
