/**
 * Callers whose token or certificate was not good. They are counted, told of in the log at a bounded rate, and slowed
 * down by address: what is worth an answer to a person who has mistaken a token is none to a program that tries them.
 */
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { LruMap } from '../../domain/lru-map.ts';
import { BoundedLines } from './bounded-lines.ts';
import { networkOf } from './network-of.ts';

/** What an address may fail at once, and how often again after that. */
const burst = 20;
const perSecond = 1;
/** Addresses that are remembered; a caller that has more of them is not slowed down by them. */
const mostAddresses = 10_000;

interface Address {
  left: number;
  /** On the monotonic clock. */
  at: number;
}

export interface FailedAttemptsLog {
  /** `times` is how often since the line before, of that address. */
  refused(attempt: { readonly address: string; readonly why: string; readonly times: number }): void;
}

export class FailedAttempts {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #log: FailedAttemptsLog;
  readonly #addresses = new LruMap<string, Address>(mostAddresses);
  readonly #lines: BoundedLines;
  #count = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, log: FailedAttemptsLog) {
    this.#clock = clock;
    this.#log = log;
    this.#lines = new BoundedLines(clock);
  }

  /** Since the start. */
  get count(): number {
    return this.#count;
  }

  /** Throws resource_exhausted for an address that has failed too often. */
  assertMayTry(address: string): void {
    if (this.#refilled(address).left < 1) throw tooMany();
  }

  /** What a caller hears that has failed: `error`, or that it does so too often. */
  failed(address: string, error: RequestError): RequestError {
    this.#count += 1;
    const entry = this.#refilled(address);
    const { message: why } = error;
    this.#lines.tell(networkOf(address), (times) => this.#log.refused({ address, why, times }));
    if (entry.left < 1) return tooMany();
    entry.left -= 1;
    return error;
  }

  #refilled(address: string): Address {
    const key = networkOf(address);
    const now = this.#clock.monotonic();
    let entry = this.#addresses.get(key);
    if (entry === undefined) {
      entry = { left: burst, at: now };
      this.#addresses.set(key, entry);
    }
    entry.left = Math.min(burst, entry.left + ((now - entry.at) / 1000) * perSecond);
    entry.at = now;
    return entry;
  }
}

function tooMany(): RequestError {
  return new RequestError(
    'resource_exhausted',
    'too many tokens of your address were not good; one that is known goes on being taken',
    { reason: 'TOO_MANY_FAILED_TOKENS', quota: 'failed-tokens', retryAfterMs: 1000 },
  );
}
