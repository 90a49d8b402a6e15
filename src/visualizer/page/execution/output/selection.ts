/** What leaves the output pane: the text that is shown, or the bytes as they were written. Pure. */
import type { LogIndex } from '../log/log-index.ts';
import { withoutAnsi } from './ansi.ts';
import { type LineStore, textAt } from './line-store.ts';
import type { Choice } from './use-output.ts';

/** More than this is no use on a clipboard. */
const maxCopied = 8_000_000;

/** Nothing where it is too much. */
export function chosenText(store: LineStore, at: number | undefined): string | undefined {
  let text = '';
  const end = at === undefined ? store.pieces.length : store.countUpTo(at);
  for (let number = 0; number < end; number += 1) {
    const piece = store.pieces[number];
    if (piece === undefined) break;
    if (number > 0 && !piece.continues) text += '\n';
    text += withoutAnsi(at === undefined ? piece.text : textAt(piece, at));
    if (text.length > maxCopied) return undefined;
  }
  return text;
}

export function chosenChunks(
  index: LogIndex,
  { stream, attempt }: Choice,
  at: number | undefined,
): Uint8Array[] {
  const { log } = index;
  const parts: Uint8Array[] = [];
  const end = at === undefined ? log.length.peek() : log.indexOf(at) + 1;
  for (let number = 0; number < end; number += 1) {
    const event = log.at(number);
    if (event?.kind !== 'chunk') continue;
    if (stream !== 'both' && event.chunk.stream !== stream) continue;
    if (attempt === 0 || event.attempt === attempt) parts.push(event.chunk.data);
  }
  return parts;
}
