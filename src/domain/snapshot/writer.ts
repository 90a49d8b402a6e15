import type { NewEvent } from '../event.ts';
import { base64 } from '../schema/check.ts';
import { envelopeVersion, pieceBytes, type Seal, type SnapshotPart, usualLineBytes } from './parts.ts';

export const firstLine = `{"spearSnapshot":${envelopeVersion},"parts":[\n`;
export const lastLine = ']}\n';

/** A part as its line; bytes are base64. */
export function partLine(part: SnapshotPart): string {
  return `${JSON.stringify(toJson(part))},\n`;
}

export function sealLine(seal: Seal): string {
  return `${JSON.stringify(seal)}\n`;
}

function toJson(part: SnapshotPart): object {
  switch (part.kind) {
    case 'input':
    case 'artifactBytes':
      return { kind: part.kind, data: base64(part.data) };
    case 'events':
      return { kind: part.kind, events: part.events.map(eventJson) };
    default:
      return part;
  }
}

function eventJson({ sequence, time, status, attempt, by, ...body }: NewEvent): object {
  const head = { sequence, time, status, attempt, ...(by !== undefined && { by }) };
  switch (body.kind) {
    case 'chunk':
      return { ...head, type: 'chunk', stream: body.stream, data: base64(body.data) };
    case 'refusal': {
      const { host, port, address, rule, more } = body;
      return { ...head, type: 'refusal', host, port, address, rule, more };
    }
    case 'result':
      return { ...head, type: 'result' };
    case 'transition': {
      const { from, to, eventType, reasonCode, contextPatch, chartVersion } = body;
      return { ...head, type: 'transition', from, to, eventType, reasonCode, contextPatch, chartVersion };
    }
  }
}

/** Bytes of an event's line beside its data and texts. */
const eventOverhead = 200;

/** Gathers events into parts whose lines are of the usual size. */
export class EventLines {
  #events: NewEvent[] = [];
  #bytes = 0;

  /** The line that was full before this event, if it was. */
  add(event: NewEvent): string | undefined {
    const bytes = sizeOf(event);
    const full = this.#bytes > 0 && this.#bytes + bytes > usualLineBytes;
    const line = full ? this.end() : undefined;
    this.#events.push(event);
    this.#bytes += bytes;
    return line;
  }

  /** What is left. */
  end(): string | undefined {
    if (this.#events.length === 0) return undefined;
    const line = partLine({ kind: 'events', events: this.#events });
    this.#events = [];
    this.#bytes = 0;
    return line;
  }
}

function sizeOf(event: NewEvent): number {
  switch (event.kind) {
    case 'chunk':
      return eventOverhead + Math.ceil(event.data.byteLength / 3) * 4;
    case 'transition':
      // Quotes in it are escaped.
      return eventOverhead + 2 * event.contextPatch.length;
    case 'refusal':
      return eventOverhead + event.host.length + event.address.length;
    case 'result':
      return eventOverhead;
  }
}

/** Bytes as the pieces of an input or artifact. */
export function* pieces(data: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < data.byteLength; at += pieceBytes) yield data.subarray(at, at + pieceBytes);
}
