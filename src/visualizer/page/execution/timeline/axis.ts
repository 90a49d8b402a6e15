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

/** Marks at round times after the beginning, at least `apart` of the picture from each other: what the longest text takes. */
export function ticksOf(scale: TimeScale, start: number, end: number, apart: number): readonly Tick[] {
  const ticks: Tick[] = [];
  const origin = scale.from;
  let last = Number.NEGATIVE_INFINITY;
  for (const [number, piece] of scale.pieces.entries()) {
    if (piece.compressed || piece.end < start || piece.start > end || piece.end <= piece.start) continue;
    const room = scale.pieces[number + 1]?.compressed === true ? Math.min(piece.end, end) : end;
    const perPlace = (piece.to - piece.from) / (piece.end - piece.start);
    const step = stepFor(perPlace * apart);
    const first = Math.ceil((Math.max(piece.from, scale.time(start)) - origin) / step) * step;
    for (let after = first; origin + after <= Math.min(piece.to, scale.time(end)); after += step) {
      const place = scale.place(origin + after);
      const text = tickText(after, step);
      // Its text stands to the right of it: it would be cut off at the very end, and run into the next piece's.
      if (place - last < apart || place + apart * widthOf(text) > room) continue;
      ticks.push({ time: origin + after, place, text });
      last = place;
    }
  }
  return ticks;
}

/** With as many decimals as tell it from the marks beside it, which are `step` away. */
function tickText(after: number, step: number): string {
  if (after === 0) return '0';
  const told = after < 9_995 ? 2 : after < 59_950 ? 1 : 0;
  const wanted = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
  if (after < 1000 || wanted <= told) return durationText(after);
  const minutes = Math.floor(after / 60_000);
  const seconds = ((after % 60_000) / 1000).toFixed(wanted);
  return minutes === 0 ? `${seconds} s` : `${minutes} m ${seconds.padStart(wanted + 3, '0')} s`;
}

/** Of a mark's text and what stands around it, as a share of the least distance between two. */
function widthOf(text: string): number {
  return 0.1 + 0.075 * text.length;
}

function stepFor(least: number): number {
  const day = 86_400_000;
  return steps.find((step) => step >= least) ?? Math.ceil(least / day) * day;
}
