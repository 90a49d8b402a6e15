/** A search through output, some pieces at a time. Pure. */
import type { TextMatch } from '../text-match.ts';
import { withoutAnsi } from './ansi.ts';
import type { Piece } from './line-store.ts';

/** Places beyond these are counted and not kept. */
const maxKept = 50_000;

export class OutputSearch {
  readonly match: TextMatch;
  readonly #raw: boolean;
  #next = 0;
  #hits = 0;
  readonly #pieces: number[] = [];

  constructor(match: TextMatch, raw: boolean) {
    this.match = match;
    this.#raw = raw;
  }

  /** Occurrences. */
  get hits(): number {
    return this.#hits;
  }

  /** The pieces with occurrences, ascending. */
  get pieces(): readonly number[] {
    return this.#pieces;
  }

  get seen(): number {
    return this.#next;
  }

  /** Looks at up to `most` more pieces, the last one only when it is complete; says whether more are left. */
  extend(pieces: readonly Piece[], end: number, most: number): boolean {
    const until = Math.min(end, this.#next + most);
    for (; this.#next < until; this.#next += 1) {
      const text = pieces[this.#next]?.text ?? '';
      const found = this.match.ranges(this.#raw ? text : withoutAnsi(text), 1000).length;
      if (found === 0) continue;
      this.#hits += found;
      if (this.#pieces.length < maxKept) this.#pieces.push(this.#next);
    }
    return this.#next < end;
  }
}

/** Runs with the occurrences in them as runs of their own, marked. */
export function markedRuns<R extends { readonly text: string; readonly look: string }>(
  runs: readonly R[],
  match: TextMatch | undefined,
): readonly R[] {
  if (match === undefined) return runs;
  const text = runs.map((run) => run.text).join('');
  const ranges = match.ranges(text);
  if (ranges.length === 0) return runs;
  const marked: R[] = [];
  let offset = 0;
  let range = 0;
  for (const run of runs) {
    let from = 0;
    while (from < run.text.length) {
      const at = offset + from;
      while ((ranges[range]?.[1] ?? Number.POSITIVE_INFINITY) <= at) range += 1;
      const [start, end] = ranges[range] ?? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      const inside = at >= start;
      const until = Math.min(run.text.length, (inside ? end : start) - offset);
      marked.push({
        ...run,
        text: run.text.slice(from, until),
        look: inside ? `${run.look} found` : run.look,
      });
      from = until;
    }
    offset += run.text.length;
  }
  return marked;
}
