/** The end of what an attempt wrote to stderr, or to stdout where it wrote nothing there. Pure. */
import type { EventLog } from '../../model/event-log.ts';
import { withoutAnsi } from '../output/ansi.ts';
import { oneLine } from '../output/visible.ts';

export interface LastLines {
  readonly stream: 'stdout' | 'stderr';
  readonly lines: readonly string[];
}

const enoughBytes = 8192;
const longest = 300;

export function lastLines(log: EventLog, attempt: number, most: number): LastLines | undefined {
  for (const stream of ['stderr', 'stdout'] as const) {
    const lines = tail(log, attempt, stream);
    if (lines.length > 0) return { stream, lines: lines.slice(-most) };
  }
  return undefined;
}

function tail(log: EventLog, attempt: number, stream: 'stdout' | 'stderr'): readonly string[] {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (let place = log.length.peek() - 1; place >= 0 && bytes < enoughBytes; place -= 1) {
    const event = log.at(place);
    if (event === undefined || event.attempt < attempt) break;
    if (event.kind !== 'chunk' || event.chunk.stream !== stream) continue;
    const data = event.chunk.data.subarray(-enoughBytes);
    parts.unshift(data);
    bytes += data.byteLength;
  }
  const decoder = new TextDecoder();
  const text = parts.map((part) => decoder.decode(part, { stream: true })).join('');
  return withoutAnsi(text)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => oneLine(line, longest));
}
