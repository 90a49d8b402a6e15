/**
 * Callers whose token or certificate was not good. They are counted, told of in the log at a bounded rate, and slowed
 * down by address: what is worth an answer to a person who has mistaken a token is none to a program that tries them.
 */
import { isIP } from 'node:net';
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { LruMap } from '../../domain/lru-map.ts';

/** What an address may fail at once, and how often again after that. */
const burst = 20;
const perSecond = 1;
/** Addresses that are remembered; a caller that has more of them is not slowed down by them. */
const mostAddresses = 10_000;
/** A line of the log for each address in that time, and so many of all, in milliseconds. */
const logMs = 10_000;
const mostLines = 10;

interface Address {
  left: number;
  /** On the monotonic clock. */
  at: number;
  loggedAt: number;
  unlogged: number;
}

export interface FailedAttemptsLog {
  /** `times` is how often since the line before, of that address. */
  refused(attempt: { readonly address: string; readonly why: string; readonly times: number }): void;
}

export class FailedAttempts {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #log: FailedAttemptsLog;
  readonly #addresses = new LruMap<string, Address>(mostAddresses);
  #windowAt = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #count = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, log: FailedAttemptsLog) {
    this.#clock = clock;
    this.#log = log;
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
    this.#tell(address, entry, error.message);
    if (entry.left < 1) return tooMany();
    entry.left -= 1;
    return error;
  }

  #refilled(address: string): Address {
    const key = networkOf(address);
    const now = this.#clock.monotonic();
    let entry = this.#addresses.get(key);
    if (entry === undefined) {
      entry = { left: burst, at: now, loggedAt: Number.NEGATIVE_INFINITY, unlogged: 0 };
      this.#addresses.set(key, entry);
    }
    entry.left = Math.min(burst, entry.left + ((now - entry.at) / 1000) * perSecond);
    entry.at = now;
    return entry;
  }

  #tell(address: string, entry: Address, why: string): void {
    entry.unlogged += 1;
    const now = this.#clock.monotonic();
    if (now - entry.loggedAt < logMs) return;
    if (now - this.#windowAt >= logMs) {
      this.#windowAt = now;
      this.#lines = 0;
    }
    if (this.#lines >= mostLines) return;
    this.#lines += 1;
    const times = entry.unlogged;
    entry.loggedAt = now;
    entry.unlogged = 0;
    this.#log.refused({ address, why, times });
  }
}

/** Whoever has one IPv6 address most often has all of its /64 (RFC 6177). */
function networkOf(address: string): string {
  if (isIP(address) !== 6 || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...gap, ...last].slice(0, 4).join(':');
}

function tooMany(): RequestError {
  return new RequestError(
    'resource_exhausted',
    'too many tokens of your address were not good; one that is known goes on being taken',
    { reason: 'TOO_MANY_FAILED_TOKENS', quota: 'failed-tokens', retryAfterMs: 1000 },
  );
}
