/**
 * Where an instant stands on the timeline, from 0 to 1. Time in which nothing happened is drawn short where it would
 * take the place of what did. Pure.
 */
import { drawnLengths, type Gap, lengthOf } from './compression.ts';

/** A stretch of time and its stretch of the picture. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** From 0 to 1. */
  readonly start: number;
  readonly end: number;
  readonly compressed: boolean;
  /** Nothing ran in it. Only such a piece may look empty. */
  readonly idle: boolean;
}

export class TimeScale {
  readonly pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
  }

  get from(): number {
    return this.pieces[0]?.from ?? 0;
  }

  get to(): number {
    return this.pieces.at(-1)?.to ?? 0;
  }

  place(time: number): number {
    const piece = this.#find((each) => time <= each.to);
    if (piece === undefined) return 0;
    if (piece.to <= piece.from) return piece.start;
    const share = (Math.min(piece.to, Math.max(piece.from, time)) - piece.from) / (piece.to - piece.from);
    return piece.start + share * (piece.end - piece.start);
  }

  time(place: number): number {
    const piece = this.#find((each) => place <= each.end);
    if (piece === undefined) return 0;
    if (piece.end <= piece.start) return piece.from;
    const share =
      (Math.min(piece.end, Math.max(piece.start, place)) - piece.start) / (piece.end - piece.start);
    return piece.from + share * (piece.to - piece.from);
  }

  /** How many times wider a stretch is drawn than its share of the time; below 1 it is drawn narrower. */
  widening(from: number, to: number): number {
    const share = (Math.min(this.to, to) - Math.max(this.from, from)) / (this.to - this.from);
    return share > 0 ? (this.place(to) - this.place(from)) / share : 1;
  }

  /** The first piece for which `reached` holds, or the last one; it holds for all that follow. */
  #find(reached: (piece: Piece) => boolean): Piece | undefined {
    let low = 0;
    let high = this.pieces.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.pieces[middle];
      if (piece !== undefined && reached(piece)) high = middle;
      else low = middle + 1;
    }
    return this.pieces[low];
  }
}

export function scaleOf(from: number, to: number, gaps: readonly Gap[], compress: boolean): TimeScale {
  const end = Math.max(to, from + 1);
  const drawn = compress ? drawnLengths(end - from, gaps) : lengthOf;
  const chosen = gaps.filter((gap) => drawn(gap) < lengthOf(gap)).sort((one, other) => one.from - other.from);
  const lengths: { from: number; to: number; length: number; compressed: boolean; idle: boolean }[] = [];
  let at = from;
  for (const gap of chosen) {
    if (gap.from > at)
      lengths.push({ from: at, to: gap.from, length: gap.from - at, compressed: false, idle: false });
    lengths.push({ from: gap.from, to: gap.to, length: drawn(gap), compressed: true, idle: !gap.busy });
    at = gap.to;
  }
  if (end > at) lengths.push({ from: at, to: end, length: end - at, compressed: false, idle: false });
  const whole = lengths.reduce((sum, { length }) => sum + length, 0);
  let start = 0;
  return new TimeScale(
    lengths.map((each) => {
      const piece = { ...each, start, end: start + each.length / whole };
      start = piece.end;
      return piece;
    }),
  );
}
