/** Durations counted in buckets, each a tenth longer than the one before: what is read of them is right to a twentieth. */

const growth = 1.1;
const logGrowth = Math.log(growth);
/** The last one begins beyond a thousand years. */
const most = 320;

/** Number of a bucket, how many are in it, and so on. */
export type KeptDurations = Uint32Array;

export const noDurations: KeptDurations = new Uint32Array(0);

/** `ms` is at least 0; the first bucket is for what took less than 1 ms. */
export function bucketOf(ms: number): number {
  return ms < 1 ? 0 : Math.min(most, 1 + Math.floor(Math.log(ms) / logGrowth));
}

export function keptDurations(counts: ReadonlyMap<number, number>): KeptDurations {
  return counts.size === 0 ? noDurations : Uint32Array.from([...counts].flat());
}

/** What several have together. */
export class Durations {
  readonly #counts = new Float64Array(most + 1);
  #total = 0;

  add(kept: KeptDurations): void {
    for (let at = 0; at < kept.length; at += 2) {
      const count = kept[at + 1] ?? 0;
      this.#counts[kept[at] ?? 0] = (this.#counts[kept[at] ?? 0] ?? 0) + count;
      this.#total += count;
    }
  }

  /** Milliseconds that this share of them (0 to 1) did not exceed; -1 where there are none. */
  quantile(share: number): number {
    if (this.#total === 0) return -1;
    let left = Math.ceil(share * this.#total);
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return bucket === 0 ? 0 : rounded(growth ** (bucket - 0.5));
    }
    return -1;
  }
}

function rounded(ms: number): number {
  return ms < 100 ? Math.round(ms * 10) / 10 : Math.round(ms);
}
