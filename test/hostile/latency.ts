/** How much longer innocent calls take beside attackers than without. */
import type { InnocentCall, Phase } from './history.ts';

export interface Latency {
  readonly innocent: string;
  readonly calls: number;
  /** Milliseconds. */
  readonly calm: number;
  readonly attack: number;
  readonly ratio: number;
}

/** The 99th percentiles of each innocent, and their ratio. */
export function latencies(calls: readonly InnocentCall[]): Latency[] {
  return [...new Set(calls.map(({ innocent }) => innocent))].map((innocent) => {
    const times = (phase: Phase) =>
      calls.filter((call) => call.innocent === innocent && call.phase === phase).map(({ ms }) => ms);
    const calm = percentile(times('calm'), 0.99);
    const attack = percentile(times('attack'), 0.99);
    return { innocent, calls: times('attack').length, calm, attack, ratio: attack / calm };
  });
}

/** The least of the values that so great a share of them is not above; NaN for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
