/**
 * Where an instant stands on the timeline, from 0 to 1. Time in which nothing happened is drawn short where it would
 * take the place of what did. Pure.
 */

/** A stretch of time and its stretch of the picture. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  /** From 0 to 1. */
  readonly start: number;
  readonly end: number;
  readonly compressed: boolean;
}

/** Time between two instants at which something happened. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** An attempt ran meanwhile: its length says something, so that it keeps more of its place. */
  readonly busy: boolean;
}

/** From which share of the picture on a gap is compressed, and to which share of the rest. */
const idleRule = { above: 0.15, keeps: 0.07 } as const;
const busyRule = { above: 0.72, keeps: 0.6 } as const;
const mostCompressed = 40;
/** A shorter gap is nothing that anyone waits through, in milliseconds. */
const leastGap = 400;
/** Where less than this happened beside it, a busy gap is what there is to see. */
const leastRest = 0.02;

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
  const shortened = compress ? shortenedOf(end - from, gaps) : new Map<Gap, number>();
  const chosen = [...shortened.keys()].sort((one, other) => one.from - other.from);
  const lengths: { from: number; to: number; length: number; compressed: boolean }[] = [];
  let at = from;
  for (const gap of chosen) {
    if (gap.from > at) lengths.push({ from: at, to: gap.from, length: gap.from - at, compressed: false });
    lengths.push({ from: gap.from, to: gap.to, length: shortened.get(gap) ?? 0, compressed: true });
    at = gap.to;
  }
  if (end > at) lengths.push({ from: at, to: end, length: end - at, compressed: false });
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

/** The gaps that are compressed, and the length that each is drawn with. */
function shortenedOf(whole: number, gaps: readonly Gap[]): Map<Gap, number> {
  const chosen = new Map<Gap, number>();
  let length = whole;
  const candidates = gaps
    .filter((gap) => gap.to - gap.from > Math.max(leastGap, whole / 400))
    .sort((one, other) => other.to - other.from - (one.to - one.from))
    .slice(0, 4 * mostCompressed);
  for (const gap of candidates) {
    if (chosen.size === mostCompressed) break;
    const lasted = gap.to - gap.from;
    const rest = length - lasted;
    const rule = gap.busy ? busyRule : idleRule;
    if (lasted / length < rule.above || (gap.busy && rest < leastRest * length)) continue;
    const kept = Math.min(lasted, Math.max(rest, whole / 1e6) * rule.keeps);
    chosen.set(gap, kept);
    length = rest + kept;
  }
  return chosen;
}
