import { Gate, type Meter, type RateUse } from './gate.ts';
import type { MeterUse } from './order-use.ts';

/**
 * A token bucket as one number: when it will be full (the generic cell rate algorithm, ITU-T I.371). `fullAt` may begin
 * later than now, for a bucket that begins empty.
 */
export class Bucket implements Meter {
  readonly id: string;
  readonly gates: Gate[] = [];
  fullAt = Number.NEGATIVE_INFINITY;

  constructor(id: string) {
    this.id = id;
  }

  /** No bucket is less than empty: one that had a slower rate before is not waited for longer than that. */
  limit(now: number): void {
    let most = Number.NEGATIVE_INFINITY;
    for (const gate of this.gates) if (gate instanceof RateGate) most = Math.max(most, fillMs(gate.use));
    this.fullAt = Math.min(this.fullAt, now + most);
  }

  isClear(now: number): boolean {
    return this.fullAt <= now;
  }
}

/** Milliseconds in which one token comes. */
export function tokenMs({ units, perMs }: Pick<RateUse, 'units' | 'perMs'>): number {
  return perMs / units;
}

/** Milliseconds in which an empty bucket becomes full. */
export function fillMs(use: Pick<RateUse, 'units' | 'perMs' | 'burst'>): number {
  return use.burst * tokenMs(use);
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

  get meterUse(): MeterUse {
    return { meter: this.#bucket.id, fullAt: this.#bucket.fullAt };
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
