/** The marks of the time axis. Pure. */
import { durationText } from '../../model/quantity.ts';
import type { TimeScale } from './scale.ts';

export interface Tick {
  readonly time: number;
  /** From 0 to 1, in the whole picture. */
  readonly place: number;
  readonly text: string;
}

const steps = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** Marks at round times after the beginning, at least `apart` of the picture from each other. */
export function ticksOf(scale: TimeScale, start: number, end: number, apart: number): readonly Tick[] {
  const ticks: Tick[] = [];
  const origin = scale.from;
  let last = Number.NEGATIVE_INFINITY;
  for (const piece of scale.pieces) {
    if (piece.compressed || piece.end < start || piece.start > end || piece.end <= piece.start) continue;
    const perPlace = (piece.to - piece.from) / (piece.end - piece.start);
    const step = stepFor(perPlace * apart);
    const first = Math.ceil((Math.max(piece.from, scale.time(start)) - origin) / step) * step;
    for (let after = first; origin + after <= Math.min(piece.to, scale.time(end)); after += step) {
      const place = scale.place(origin + after);
      // Its text stands to the right of it, and would be cut off at the very end.
      if (place - last < apart || place > end - apart / 2) continue;
      ticks.push({ time: origin + after, place, text: after === 0 ? '0' : durationText(after) });
      last = place;
    }
  }
  return ticks;
}

function stepFor(least: number): number {
  const day = 86_400_000;
  return steps.find((step) => step >= least) ?? Math.ceil(least / day) * day;
}
