/**
 * The public keys of an issuer (a JWK set, RFC 7517): in a file, or at an https URL.
 *
 * They are read again from time to time, and at once for a key that is not known, but not more often than an issuer
 * can bear. Where that fails, those that are known stay.
 */
import { KeyObject } from 'node:crypto';
import { request } from 'node:https';
import type { FlattenedJWSInput } from 'jose';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { unauthenticated } from '../../domain/access.ts';
import type { Clock, Timer } from '../../domain/clock.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import { readSmallFile } from '../../small-file.ts';

export interface JwtKeysListener {
  /** The keys are others than before. */
  changed(ids: readonly string[]): void;
  /** They could not be read; those that are known stay. */
  failed(error: Error): void;
}

/** How often keys are read without a reason, in milliseconds: so long one counts that its issuer has taken back. */
const everyMs = 5 * 60_000;
/** The least time from one reading for a key that is not known to the next, in milliseconds. */
const leastMs = 10_000;
const answerMs = 5000;
const mostBytes = 1024 * 1024;

type KeySet = ReturnType<typeof createLocalJWKSet>;
type Key = Awaited<ReturnType<KeySet>>;

/** A key, and how tokens name it. */
export interface Signer {
  readonly header: JWSHeaderParameters;
  /** SubjectPublicKeyInfo in base64: another key may have the name of one that was taken back. */
  readonly publicKey: string;
}

export function publicKeyOf(key: Key): string {
  return KeyObject.from(key).export({ type: 'spki', format: 'der' }).toString('base64');
}

export class JwtKeys {
  readonly #source: string;
  readonly #clock: Clock;
  readonly #listener: JwtKeysListener;
  readonly #followers: (() => void)[] = [];
  #keys: KeySet | undefined;
  #text = '';
  #version = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  /** `source` is a path or an https URL. */
  constructor(source: string, clock: Clock, listener: JwtKeysListener) {
    this.#source = source;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Another number with other keys. */
  get version(): number {
    return this.#version;
  }

  changed(follow: () => void): void {
    this.#followers.push(follow);
  }

  /** Rejects with an Error for people where they cannot be read; what fails later is told to the listener. */
  async open(): Promise<void> {
    this.#later();
    this.#readAt = this.#clock.monotonic();
    const reading = this.#load();
    // Who comes meanwhile waits for it.
    this.#reading = reading.catch(() => {}).finally(this.#read);
    await reading;
  }

  /** The key that a token says it is signed with. Rejects with unauthenticated, or unavailable where none are known. */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<Key> {
    if (this.#keys === undefined) await this.#readAgain();
    const found = await this.#in(header, token);
    if (found !== undefined) return found;
    await this.#readAgain();
    const later = await this.#in(header, token);
    if (later !== undefined) return later;
    throw unauthenticated('the token is signed with a key that its issuer does not have');
  }

  /** Whether tokens with that header are still checked with that key. */
  async has({ header, publicKey }: Signer): Promise<boolean> {
    try {
      const key = await this.#keys?.(header);
      return key !== undefined && publicKeyOf(key) === publicKey;
    } catch {
      // None, one that cannot be used, or several.
      return false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Undefined for one that is not there. */
  async #in(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<Key | undefined> {
    if (this.#keys === undefined) {
      throw new RequestError('unavailable', 'the keys of the issuer of tokens could not be read yet', {
        reason: 'ISSUER_KEYS_UNAVAILABLE',
        retryAfterMs: leastMs,
      });
    }
    try {
      return await this.#keys(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return undefined;
      if (error instanceof errors.JWKSMultipleMatchingKeys) {
        throw unauthenticated('the token does not say (kid) which of several keys has signed it');
      }
      throw error;
    }
  }

  /** Never rejects. */
  #readAgain(): Promise<void> {
    const now = this.#clock.monotonic();
    if (this.#reading === undefined && now - this.#readAt >= leastMs) {
      this.#readAt = now;
      this.#reading = this.#load()
        .catch((error: Error) => this.#listener.failed(error))
        .finally(this.#read);
    }
    return this.#reading ?? Promise.resolve();
  }

  readonly #read = (): void => {
    this.#reading = undefined;
  };

  #later(): void {
    this.#timer = this.#clock.setTimer(everyMs, () => {
      void this.#readAgain();
      if (!this.#closed) this.#later();
    });
  }

  async #load(): Promise<void> {
    const text = isUrl(this.#source)
      ? await fetched(this.#source)
      : readSmallFile(this.#source, mostBytes).toString();
    if (text === this.#text || this.#closed) return;
    const set = keySet(text, this.#source);
    this.#keys = createLocalJWKSet(set);
    this.#text = text;
    this.#version += 1;
    for (const follow of this.#followers) follow();
    this.#listener.changed(set.keys.map(({ kid = '' }) => kid));
  }
}

function isUrl(source: string): boolean {
  return source.startsWith('https://');
}

/** Throws an Error for what is no set of keys, and for one that has secrets. */
function keySet(text: string, source: string): JSONWebKeySet {
  const value: unknown = JSON.parse(text);
  const { keys } = (value ?? {}) as { readonly keys?: unknown };
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'object' && key !== null)) {
    throw new Error(`${quote(source)} is no set of keys; allowed is {"keys": [...]} (RFC 7517)`);
  }
  const set = { keys } as JSONWebKeySet;
  const secret = set.keys.find((key) => key.kty === 'oct' || key.d !== undefined);
  if (secret === undefined) return set;
  throw new Error(
    `${quote(source)} has a secret or a private key (${quote(secret.kid ?? '')}); allowed are public keys`,
  );
}

/** The answer to a GET. Redirects are not followed: the operator has named who is to be asked. */
function fetched(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`the keys at ${url} cannot be read: ${why}`));
    const call = request(
      url,
      { agent: false, headers: { accept: 'application/json' }, signal: AbortSignal.timeout(answerMs) },
      (response) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        response.on('data', (part: Buffer) => {
          bytes += part.byteLength;
          if (bytes > mostBytes) call.destroy(new Error(`the answer has more than ${mostBytes} bytes`));
          else parts.push(part);
        });
        response.once('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(parts).toString());
          else fail(`the answer is ${response.statusCode}`);
        });
        response.once('error', (error) => fail(error.message));
      },
    );
    call.once('error', (error) => fail(error.message));
    call.end();
  });
}
