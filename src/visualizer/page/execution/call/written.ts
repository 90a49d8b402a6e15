/** The beginning of what an attempt wrote to stdout. Pure. */
import type { EventLog } from '../../model/event-log.ts';

export interface Written {
  readonly bytes: Uint8Array;
  /** How much there is, in bytes. */
  readonly all: number;
}

/** At most `most` bytes of it. */
export function writtenBy(log: EventLog, attempt: number, most: number): Written {
  const parts: Uint8Array[] = [];
  let kept = 0;
  let all = 0;
  const length = log.length.peek();
  for (let place = 0; place < length; place += 1) {
    const event = log.at(place);
    if (event?.kind !== 'chunk' || event.attempt !== attempt || event.chunk.stream !== 'stdout') continue;
    const { data } = event.chunk;
    all += data.byteLength;
    if (kept >= most) continue;
    const part = data.subarray(0, most - kept);
    parts.push(part);
    kept += part.byteLength;
  }
  const bytes = new Uint8Array(kept);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return { bytes, all };
}
