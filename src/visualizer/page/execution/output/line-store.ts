/**
 * Output as lines, made of chunks as they come. Pure.
 *
 * - A line is cut into pieces of bounded length, so that one of 50 MB costs what 50 MB of lines cost.
 * - A line goes on only while its stream does: where the other one comes in between, what follows is a piece of its own,
 *   as on a terminal. Only the last piece ever changes.
 * - Memory is bounded: beyond `maxPieces` the oldest are given up, and `forgotten` counts their lines.
 */
import type { ChunkEvent } from '../../model/log-event.ts';
import { type AnsiState, stateAfter } from './ansi.ts';

export interface Piece {
  text: string;
  /** The event that began it. */
  readonly sequence: number;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr';
  /** From 1, within what the store was made for. */
  readonly line: number;
  /** It goes on with the line of an earlier piece. */
  readonly continues: boolean;
  /** Colours that were set before it. */
  readonly ansi: AnsiState | undefined;
  /** What later events added: from which offset on, and their numbers. */
  added: { readonly offset: number; readonly sequence: number }[] | undefined;
}

const maxChars = 2048;
const maxPieces = 800_000;
/** No sequence that sets a colour is longer. */
const longestSequence = 32;

interface StreamState {
  readonly attempt: number;
  readonly decoder: TextDecoder;
  ansi: AnsiState | undefined;
  /** The last text of this stream did not end its line. */
  open: boolean;
}

export class LineStore {
  readonly #pieces: Piece[] = [];
  readonly #streams = new Map<string, StreamState>();
  #lines = 0;
  #forgotten = 0;
  /** Increases when pieces were given up: places have moved then. */
  #generation = 0;
  /** Whose text the last piece is. */
  #owner: StreamState | undefined;

  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  get lines(): number {
    return this.#lines;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  get generation(): number {
    return this.#generation;
  }

  push({ chunk, attempt, sequence }: ChunkEvent): void {
    let state = this.#streams.get(chunk.stream);
    if (state === undefined || state.attempt !== attempt) {
      state = { attempt, decoder: new TextDecoder(), ansi: undefined, open: false };
      this.#streams.set(chunk.stream, state);
    }
    if (this.#owner !== state) this.#leave();
    const text = state.decoder.decode(chunk.data, { stream: true });
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from);
      this.#add(state, chunk.stream, sequence, text.slice(from, end === -1 ? text.length : end));
      if (end === -1) break;
      this.#endLine(state, chunk.stream, sequence);
      from = end + 1;
    }
    if (this.#pieces.length > maxPieces) this.#forget();
  }

  /** How many pieces there were up to an event. */
  countUpTo(sequence: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#pieces[middle]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #add(state: StreamState, stream: Piece['stream'], sequence: number, text: string): void {
    let next = behindReturn(text, 0);
    for (let from = 0; from < text.length; ) {
      if (from >= next) next = behindReturn(text, from);
      const last = this.#open(state);
      if (last === undefined) {
        const end = cutOf(text, from, maxChars, next);
        this.#begin(state, stream, sequence, text.slice(from, end));
        from = end;
      } else {
        const end = cutOf(text, from, maxChars - last.text.length, next);
        last.added ??= [];
        last.added.push({ offset: last.text.length, sequence });
        last.text += text.slice(from, end);
        from = end;
      }
    }
  }

  #endLine(state: StreamState, stream: Piece['stream'], sequence: number): void {
    if (!state.open) this.#begin(state, stream, sequence, '');
    if (this.#owner === state) {
      const last = this.#pieces.at(-1);
      if (last?.text.endsWith('\r')) last.text = last.text.slice(0, -1);
      this.#leave();
    }
    state.open = false;
  }

  /** The piece that goes on with this stream's text; nothing where a new one is due. */
  #open(state: StreamState): Piece | undefined {
    const last = this.#pieces.at(-1);
    if (last === undefined || !state.open || this.#owner !== state) return undefined;
    // A carriage return alone starts over, as a progress bar does: what follows stands below.
    if (last.text.length < maxChars && !last.text.endsWith('\r')) return last;
    this.#leave();
    return undefined;
  }

  #begin(state: StreamState, stream: Piece['stream'], sequence: number, text: string): void {
    if (!state.open) this.#lines += 1;
    this.#pieces.push({
      text,
      sequence,
      attempt: state.attempt,
      stream,
      line: this.#lines,
      continues: state.open,
      ansi: state.ansi,
      added: undefined,
    });
    state.open = true;
    this.#owner = state;
  }

  /** The last piece is complete: what comes next of its stream has the colours that it leaves. */
  #leave(): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && this.#owner !== undefined) this.#owner.ansi = stateAfter(last.text, last.ansi);
    this.#owner = undefined;
  }

  #forget(): void {
    const given = this.#pieces.splice(0, maxPieces >> 2);
    this.#forgotten = given.at(-1)?.line ?? this.#forgotten;
    this.#generation += 1;
  }
}

/** What of a piece was there at an event. */
export function textAt(piece: Piece, sequence: number): string {
  const later = piece.added?.find((each) => each.sequence > sequence);
  return later === undefined ? piece.text : piece.text.slice(0, later.offset);
}

/** Where a piece that begins at `from` ends: neither within a pair of surrogates nor within an escape sequence. */
function cutOf(text: string, from: number, most: number, next: number): number {
  const end = Math.min(next, from + Math.max(1, most));
  if (end >= next) return next;
  const tail = Math.max(from, end - longestSequence);
  const esc = text.slice(tail, end).lastIndexOf('\u001b');
  if (esc !== -1 && tail + esc > from) return tail + esc;
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code <= 0xdbff && end - 1 > from ? end - 1 : end;
}

/** Behind the next carriage return, unless the text ends there: a line feed may follow it. */
function behindReturn(text: string, from: number): number {
  const back = text.indexOf('\r', from);
  return back !== -1 && back + 1 < text.length ? back + 1 : text.length;
}
