/** Secrets that the node makes and forgets, each for one thing. They are kept as hashes, in memory. */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';

export interface IssuedSecret {
  /** The secret itself, which the node does not keep. */
  readonly secret: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface SecretBounds<Value> {
  /** Milliseconds. */
  readonly lifetimeMs: number;
  /** How many secrets are kept: one more ends the oldest. */
  readonly most: number;
  /** Of one owner, whose own oldest goes; absent where all are one's. */
  readonly perOwner?: { readonly most: number; ownerOf(value: Value): string };
  /** The beginning of each secret, by which whoever finds one knows what it is. */
  readonly prefix: string;
}

interface Kept<Value> {
  readonly value: Value;
  /** On the monotonic clock: nobody makes it longer by setting the other one. */
  readonly until: number;
  /** On the wall clock. */
  readonly expiresAt: number;
}

export class ShortLivedSecrets<Value> {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #bounds: SecretBounds<Value>;
  /** By hash, the oldest first. A secret has 256 random bits, so that nobody finds one by its hash. */
  readonly #kept = new Map<string, Kept<Value>>();

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>, bounds: SecretBounds<Value>) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** `notAfter`, on the wall clock, ends it sooner. */
  issue(value: Value, notAfter = Number.POSITIVE_INFINITY): IssuedSecret {
    const { lifetimeMs, most, prefix } = this.#bounds;
    const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
    const expiresAt = Math.min(Math.round(this.#clock.now()) + lifetimeMs, notAfter);
    this.#makeRoomFor(value);
    this.#kept.set(hashOf(secret), { value, until: this.#clock.monotonic() + lifetimeMs, expiresAt });
    for (const hash of this.#kept.keys()) {
      if (this.#kept.size <= most) break;
      this.#kept.delete(hash);
    }
    return { secret, expiresAt };
  }

  #makeRoomFor(value: Value): void {
    const { perOwner } = this.#bounds;
    if (perOwner === undefined) return;
    const owner = perOwner.ownerOf(value);
    const own = [...this.#kept].filter(([, kept]) => perOwner.ownerOf(kept.value) === owner);
    for (const [hash] of own.slice(0, Math.max(0, own.length + 1 - perOwner.most))) this.#kept.delete(hash);
  }

  /** Undefined for one that is unknown, taken or late. */
  find(secret: string): Value | undefined {
    const hash = hashOf(secret);
    const kept = this.#kept.get(hash);
    if (kept === undefined) return undefined;
    if (this.#clock.monotonic() < kept.until && this.#clock.now() < kept.expiresAt) return kept.value;
    this.#kept.delete(hash);
    return undefined;
  }

  /** Finds a secret as `find` does, and ends it. */
  take(secret: string): Value | undefined {
    const value = this.find(secret);
    this.#kept.delete(hashOf(secret));
    return value;
  }

  /** Ends those whose value is so. */
  end(isSo: (value: Value) => boolean): void {
    for (const [hash, { value }] of this.#kept) if (isSo(value)) this.#kept.delete(hash);
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
