/**
 * How long the time in which nothing happened is drawn. Pure.
 *
 * All gaps of a kind have one ceiling: equal waits look equal, and a longer one never looks shorter.
 */

/** Time between two instants at which something happened. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** An attempt ran meanwhile: its length says something, so that it keeps more of its place. */
  readonly busy: boolean;
}

/** `above`: from which share of the picture on the longest gap is compressed. `keeps`: the most that a gap has then. */
const idleRule = { above: 0.15, keeps: 0.12 } as const;
const busyRule = { above: 0.72, keeps: 0.375 } as const;
/** Where less than this happened beside it, a busy gap is what there is to see. */
const minRest = 0.02;
/** Many waits together are compressed from this share of the picture on, and have at most this for each unit of the rest. */
const together = { above: 0.8, perRest: 1.5 } as const;
/** More waits than these are the rhythm of the execution, and stay as they are. */
const maxCompressed = 200;
/** A shorter gap is nothing that anyone waits through, in milliseconds. */
const minGap = 400;

export function lengthOf({ from, to }: Gap): number {
  return to - from;
}

/** The length that a gap is drawn with, in the unit of those that are not compressed. `whole` is all of the time. */
export function drawnLengths(whole: number, gaps: readonly Gap[]): (gap: Gap) => number {
  const idle = new Lengths(gaps.filter(({ busy }) => !busy));
  const busy = new Lengths(gaps.filter((gap) => gap.busy));
  const active = whole - idle.sum;
  const busyCeiling = busyCeilingOf(busy, active);
  // Even where nothing but waits is there, they have a length.
  const rest = Math.max(active - busy.sum + busy.under(busyCeiling), whole / 1e6);
  const idleCeiling = idleCeilingOf(idle, rest);
  return (gap) => Math.min(lengthOf(gap), gap.busy ? busyCeiling : idleCeiling);
}

function busyCeilingOf(busy: Lengths, active: number): number {
  const rest = active - busy.longest;
  if (busy.longest < Math.max(minGap, busyRule.above * active) || rest < minRest * active) {
    return Number.POSITIVE_INFINITY;
  }
  return busy.ceilingOfEach(busyRule.keeps, Math.max(active - busy.sum, minRest * active));
}

function idleCeilingOf(idle: Lengths, rest: number): number {
  const whole = idle.sum + rest;
  if (idle.longest <= Math.max(minGap, whole / 400)) return Number.POSITIVE_INFINITY;
  const each =
    idle.longest > idleRule.above * whole
      ? idle.ceilingOfEach(idleRule.keeps, rest)
      : Number.POSITIVE_INFINITY;
  if (idle.under(each) <= together.above * (idle.under(each) + rest)) return each;
  const all = idle.ceilingOfAll(together.perRest * rest);
  return idle.above(all) > maxCompressed ? each : Math.min(each, all);
}

/** Lengths that are cut off at one ceiling. */
class Lengths {
  /** The longest first. */
  readonly #lengths: readonly number[];
  /** `#sums[i]` is the sum from `i` on. */
  readonly #sums: readonly number[];

  constructor(gaps: readonly Gap[]) {
    this.#lengths = gaps.map(lengthOf).sort((one, other) => other - one);
    const sums = [0];
    for (let index = this.#lengths.length - 1; index >= 0; index -= 1) {
      sums.push((sums.at(-1) ?? 0) + this.#at(index));
    }
    this.#sums = sums.reverse();
  }

  get longest(): number {
    return this.#at(0);
  }

  get sum(): number {
    return this.#from(0);
  }

  /** How many are longer than a ceiling. */
  above(ceiling: number): number {
    const index = this.#lengths.findIndex((length) => length <= ceiling);
    return index === -1 ? this.#lengths.length : index;
  }

  /** Their sum under a ceiling. */
  under(ceiling: number): number {
    const count = this.above(ceiling);
    return this.#from(count) + (count === 0 ? 0 : count * ceiling);
  }

  /** The highest ceiling under which each has at most a share of all that is drawn, they and `rest`. */
  ceilingOfEach(share: number, rest: number): number {
    // Below a ceiling that is too high there are the lengths from `index` on; the share grows with the ceiling.
    const index = this.#first((length) => length <= share * (rest + this.under(length)));
    return index === 0
      ? Number.POSITIVE_INFINITY
      : (share * (rest + this.#from(index))) / (1 - share * index);
  }

  /** The highest ceiling under which all of them together have at most a length. */
  ceilingOfAll(length: number): number {
    const index = this.#first((each) => this.under(each) <= length);
    return index === 0 ? Number.POSITIVE_INFINITY : (length - this.#from(index)) / index;
  }

  /** The index of the longest for which `holds`, as it does for all that are shorter. */
  #first(holds: (length: number) => boolean): number {
    const index = this.#lengths.findIndex(holds);
    return index === -1 ? this.#lengths.length : index;
  }

  #at(index: number): number {
    return this.#lengths[index] ?? 0;
  }

  #from(index: number): number {
    return this.#sums[index] ?? 0;
  }
}
