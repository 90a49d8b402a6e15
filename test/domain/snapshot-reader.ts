import { Lines } from '../../src/domain/snapshot/lines.ts';
import type { SnapshotPart } from '../../src/domain/snapshot/parts.ts';
import { PartReader } from '../../src/domain/snapshot/reader.ts';

/** All parts of a document that comes in pieces of `size` bytes. Throws what its reader throws. */
export function readAll(document: Uint8Array, size = 1000, mostLineBytes = 1024 * 1024): SnapshotPart[] {
  const lines = new Lines(mostLineBytes);
  const reader = new PartReader();
  const parts: SnapshotPart[] = [];
  for (let at = 0; at < document.byteLength; at += size) {
    for (const line of lines.push(document.subarray(at, at + size))) {
      const part = reader.read(line);
      if (part !== undefined) parts.push(part);
    }
  }
  lines.end();
  reader.end();
  return parts;
}

/** One events part, however many lines there were: pieces are joined. */
export function joined(parts: readonly SnapshotPart[]): SnapshotPart[] {
  const whole: SnapshotPart[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (part.kind === 'events' && last?.kind === 'events') {
      whole[whole.length - 1] = { kind: 'events', events: [...last.events, ...part.events] };
    } else whole.push(part);
  }
  return whole;
}
