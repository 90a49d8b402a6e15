/**
 * The calls that are under way, by who makes them: so many at once of one principal and of one address, and none of a
 * principal whose token, or the key that has signed it, has been revoked or whose token has expired. What they have begun goes on; nobody hears of it any more.
 */
import { type Principal, unauthenticated } from '../../domain/access.ts';
import type { Clock, Timer } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';

export interface OpenCallCaps {
  readonly perPrincipal: number;
  readonly perAddress: number;
}

/** How often it is looked whose time is over, in milliseconds. */
const lookMs = 500;

interface OpenCall {
  readonly principal: Principal;
  end(why: RequestError): void;
}

export class OpenCalls {
  readonly #clock: Pick<Clock, 'now' | 'setTimer'>;
  readonly #caps: OpenCallCaps;
  readonly #ofPrincipal = new Map<string, Set<OpenCall>>();
  readonly #ofAddress = new Map<string, number>();
  readonly #expiring = new Set<OpenCall>();
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, 'now' | 'setTimer'>, caps: OpenCallCaps) {
    this.#clock = clock;
    this.#caps = caps;
  }

  /**
   * Counts a call until the answer is called, which may be more than once. `end` is called, once at most, when its
   * principal may no longer be answered. Throws resource_exhausted for one too many.
   */
  enter(principal: Principal, address: string, end: (why: RequestError) => void): () => void {
    const { name, expiresAt } = principal;
    const ofAddress = this.#ofAddress.get(address) ?? 0;
    let calls = this.#ofPrincipal.get(name);
    if ((calls?.size ?? 0) >= this.#caps.perPrincipal) {
      throw tooMany(`${this.#caps.perPrincipal} calls of ${name} are open`, 'max-calls-per-principal');
    }
    if (ofAddress >= this.#caps.perAddress) {
      throw tooMany(`${this.#caps.perAddress} calls of your address are open`, 'max-calls-per-address');
    }
    if (calls === undefined) {
      calls = new Set();
      this.#ofPrincipal.set(name, calls);
    }
    const call: OpenCall = { principal, end };
    calls.add(call);
    this.#ofAddress.set(address, ofAddress + 1);
    if (expiresAt !== undefined) {
      this.#expiring.add(call);
      this.#timer ??= this.#clock.setTimer(lookMs, this.#look);
    }
    return () => this.#leave(call, address);
  }

  /** Ends the calls of a principal, by its name. */
  endOf(name: string): void {
    for (const call of [...(this.#ofPrincipal.get(name) ?? [])]) {
      call.end(unauthenticated('the token was revoked'));
    }
  }

  /** Ends the calls of all whose tokens a key has signed, by the name that principals have for it. */
  endOfSigner(signer: string): void {
    const calls = [...this.#ofPrincipal.values()].flatMap((each) => [...each]);
    for (const call of calls) {
      if (call.principal.signer === signer) {
        call.end(unauthenticated('the token is signed with a key that its issuer has taken back'));
      }
    }
  }

  close(): void {
    this.#timer?.cancel();
  }

  #leave(call: OpenCall, address: string): void {
    const { name } = call.principal;
    const calls = this.#ofPrincipal.get(name);
    if (calls?.delete(call) !== true) return;
    if (calls.size === 0) this.#ofPrincipal.delete(name);
    this.#expiring.delete(call);
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(address);
    else this.#ofAddress.set(address, left);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const call of [...this.#expiring]) {
      if ((call.principal.expiresAt ?? now) <= now) call.end(unauthenticated('the token has expired'));
    }
    if (this.#expiring.size > 0) this.#timer = this.#clock.setTimer(lookMs, this.#look);
  };
}

function tooMany(what: string, quota: string): RequestError {
  return new RequestError('resource_exhausted', `${what}, which is as many as are allowed`, {
    reason: 'TOO_MANY_CALLS',
    quota,
    retryAfterMs: 1000,
  });
}
