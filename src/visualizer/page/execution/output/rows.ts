/** Pieces of output as rows on the screen. Pure. */
import { hasAnsi, styledText } from './ansi.ts';
import type { Piece } from './line-store.ts';
import { type Run, visibleRuns } from './visible.ts';

export interface Showing {
  /** Escape sequences are shown, not followed. */
  readonly raw: boolean;
  /** Signs in a row; infinity does not wrap. */
  readonly columns: number;
}

export function runsOf(text: string, piece: Pick<Piece, 'ansi'>, raw: boolean): readonly Run[] {
  if (raw) return visibleRuns(text, { look: '' }, true, 0);
  const runs: Run[] = [];
  let column = 0;
  for (const styled of styledText(text, piece.ansi)) {
    for (const run of visibleRuns(styled.text, styled.style, false, column)) {
      runs.push(run);
      column += run.text.length;
    }
  }
  return runs;
}

const ascii = /^[ -~]*$/;

/** How many rows a piece takes; at least one. */
export function rowCount(text: string, piece: Pick<Piece, 'ansi'>, { raw, columns }: Showing): number {
  if (columns === Number.POSITIVE_INFINITY) return 1;
  if (ascii.test(text) && !hasAnsi(text)) return Math.max(1, Math.ceil(text.length / columns));
  return cutRows(runsOf(text, piece, raw), columns).length;
}

/** Runs cut into rows of `columns` cells; at least one row. */
export function cutRows(runs: readonly Run[], columns: number): readonly (readonly Run[])[] {
  if (columns === Number.POSITIVE_INFINITY) return [runs];
  const rows: Run[][] = [[]];
  let room = columns;
  const put = (run: Run, text: string): void => {
    if (text !== '') rows.at(-1)?.push({ ...run, text });
  };
  for (const run of runs) {
    let from = 0;
    let at = 0;
    while (at < run.text.length) {
      const code = run.text.codePointAt(at) ?? 0;
      const cells = cellsOf(code);
      if (cells > room) {
        put(run, run.text.slice(from, at));
        rows.push([]);
        from = at;
        room = columns;
      }
      room -= cells;
      at += code > 0xffff ? 2 : 1;
    }
    put(run, run.text.slice(from));
  }
  return rows;
}

/** The rows of many pieces, found by number without counting them again. It grows with the pieces. */
export class RowMap {
  readonly #showing: Showing;
  /** Rows before each piece. */
  #before: number[] = [0];
  #lastLength = -1;

  constructor(showing: Showing) {
    this.#showing = showing;
  }

  /** How many pieces are mapped. */
  get pieces(): number {
    return this.#before.length - 1;
  }

  get rows(): number {
    return this.#before.at(-1) ?? 0;
  }

  /** Maps up to `most` more pieces; says whether more are left. The last piece may have grown since. */
  extend(pieces: readonly Piece[], most: number): boolean {
    const last = pieces[this.pieces - 1];
    if (last !== undefined && last.text.length !== this.#lastLength) this.#before.pop();
    const end = Math.min(pieces.length, this.pieces + most);
    for (let number = this.pieces; number < end; number += 1) {
      const piece = pieces[number];
      if (piece === undefined) break;
      this.#before.push(this.rows + rowCount(piece.text, piece, this.#showing));
      this.#lastLength = piece.text.length;
    }
    return this.pieces < pieces.length;
  }

  /** The piece of a row, and which of its rows it is. */
  find(row: number): { readonly piece: number; readonly part: number } {
    let low = 0;
    let high = this.pieces;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#before[middle + 1] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return { piece: low, part: row - (this.#before[low] ?? 0) };
  }

  /** The first row of a piece, or of what comes after the last one. */
  rowOf(piece: number): number {
    return this.#before[Math.min(piece, this.pieces)] ?? 0;
  }

  clear(): void {
    this.#before = [0];
    this.#lastLength = -1;
  }
}

const wide =
  /[\u1100-\u115f\u231a\u231b\u2329\u232a\u23e9-\u23ec\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f004}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const nothing = /\p{Mn}|\p{Me}/u;

/** What a sign takes on a line of a terminal. */
function cellsOf(code: number): number {
  if (code < 0x300) return 1;
  const sign = String.fromCodePoint(code);
  if (nothing.test(sign)) return 0;
  return wide.test(sign) ? 2 : 1;
}
