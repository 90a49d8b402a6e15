import { Gate, type Meter, type RateUse } from './gate.ts';

/**
 * A token bucket as one number: when it will be full (the generic cell rate algorithm, ITU-T I.371). `fullAt` may begin
 * later than now, for a bucket that begins empty.
 */
export class Bucket implements Meter {
  readonly gates: Gate[] = [];
  fullAt: number;

  constructor(fullAt: number) {
    this.fullAt = fullAt;
  }

  isClear(now: number): boolean {
    return this.fullAt <= now;
  }
}

/** Milliseconds in which one token comes. */
export function tokenMs({ units, perMs }: Pick<RateUse, 'units' | 'perMs'>): number {
  return perMs / units;
}

/** Lets through whoever finds a token. */
export class RateGate extends Gate {
  declare use: RateUse;
  readonly #bucket: Bucket;
  readonly holders: readonly string[] = [];

  constructor(id: string, use: RateUse, bucket: Bucket, now: number) {
    super(id, use, bucket, now);
    this.#bucket = bucket;
  }

  /** When there is a token. */
  get opensAt(): number {
    return this.#bucket.fullAt - (this.use.burst - 1) * tokenMs(this.use);
  }

  waitMs(ahead: number, _expectedMs: number, now: number): number {
    const fullAt = Math.max(now, this.#bucket.fullAt);
    return Math.max(0, fullAt - now - (this.use.burst - 1 - ahead) * tokenMs(this.use));
  }

  admits(now: number): boolean {
    return this.opensAt <= now;
  }

  pass(_id: string, now: number): void {
    this.#bucket.fullAt = Math.max(now, this.#bucket.fullAt) + tokenMs(this.use);
  }

  hold(): void {}

  leave(): void {}
}
