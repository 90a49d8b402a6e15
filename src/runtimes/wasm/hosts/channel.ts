/**
 * What a node and a guest host say to each other, as bytes on one stream socket.
 *
 * 1. To a host: messages. `u32` bytes of JSON text, `u32` bytes of attachments, the JSON text, the attachments.
 * 2. From a host: records. `u32` bytes of data, `u32` kind, `u32` ticket, the data.
 * 3. All numbers are little-endian. A host is not trusted: what it sends is checked here, and it is ended for what
 *    does not fit.
 */
import { maxResultBytes } from './protocol.ts';

export const messageHeaderBytes = 8;
export const recordHeaderBytes = 12;

/** The longest output record, and the longest that a reader joins. */
export const maxOutputBytes = 64 * 1024;

/** JSON text of an outcome: the result in it may grow sixfold where its text is escaped. */
const maxReplyBytes = 6 * maxResultBytes + 64 * 1024;

/**
 * Kinds of records. `reply` is JSON text of an AttemptOutcome; `begun` is the processor time of the host in
 * microseconds, as text, when a job with a limit of it begins; `notice` is JSON text of a Notice; `ready` is empty and
 * comes once, when the host's code is loaded; `refusal` is JSON text of a NetworkRefusal.
 */
export const recordKind = {
  stdout: 0,
  stderr: 1,
  reply: 2,
  begun: 3,
  notice: 4,
  ready: 5,
  refusal: 6,
} as const;

export interface HostRecord {
  readonly kind: number;
  readonly ticket: number;
  readonly data: Uint8Array;
}

/** The bytes of one message, to be written one after the other. */
export function encodeMessage(head: object, attachments: readonly Uint8Array[] = []): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(head));
  const first = Buffer.allocUnsafe(messageHeaderBytes + text.length);
  first.writeUInt32LE(text.length, 0);
  first.writeUInt32LE(
    attachments.reduce((sum, part) => sum + part.length, 0),
    4,
  );
  text.copy(first, messageHeaderBytes);
  return [first, ...attachments.filter((part) => part.length > 0)];
}

export function encodeRecordHeader(kind: number, ticket: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(recordHeaderBytes);
  header.writeUInt32LE(length, 0);
  header.writeUInt32LE(kind, 4);
  header.writeUInt32LE(ticket, 8);
  return header;
}

/** Cuts what comes from a host into records. */
export class RecordReader {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param maxBytes of one record that is no output */
  constructor(maxBytes = maxReplyBytes) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The records that are whole now; neighbours of the same output stream and ticket are joined. `data` may be a view
   * of `chunk`, which is the reader's own from now on.
   *
   * @throws Error where the host sends what no host of ours does
   */
  push(chunk: Buffer): HostRecord[] {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    const records: HostRecord[] = [];
    if (this.#bytes < this.#wanted()) return records;
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    let at = 0;
    while (bytes.length - at >= recordHeaderBytes) {
      const length = lengthAt(bytes, at, this.#maxBytes);
      if (bytes.length - at - recordHeaderBytes < length) break;
      const from = at + recordHeaderBytes;
      records.push({
        kind: bytes.readUInt32LE(at + 4),
        ticket: bytes.readUInt32LE(at + 8),
        data: bytes.subarray(from, from + length),
      });
      at = from + length;
    }
    const rest = bytes.subarray(at);
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return joined(records);
  }

  /** How many bytes there have to be before it is worth a look. */
  #wanted(): number {
    const [first] = this.#parts;
    if (first === undefined || first.length < recordHeaderBytes) return recordHeaderBytes;
    return recordHeaderBytes + lengthAt(first, 0, this.#maxBytes);
  }
}

function lengthAt(bytes: Buffer, at: number, maxBytes: number): number {
  const length = bytes.readUInt32LE(at);
  const kind = bytes.readUInt32LE(at + 4);
  const most = kind === recordKind.stdout || kind === recordKind.stderr ? maxOutputBytes : maxBytes;
  if (length > most || kind > recordKind.refusal) {
    throw new Error(`a record of kind ${kind} and ${length} bytes`);
  }
  return length;
}

function isOutput(kind: number): boolean {
  return kind === recordKind.stdout || kind === recordKind.stderr;
}

function joined(records: HostRecord[]): HostRecord[] {
  if (records.length < 2) return records;
  const out: HostRecord[] = [];
  for (let at = 0; at < records.length; ) {
    const first = records[at] as HostRecord;
    let end = at + 1;
    if (isOutput(first.kind)) {
      let length = first.data.length;
      for (let next = records[end]; next !== undefined; next = records[end]) {
        length += next.data.length;
        if (next.kind !== first.kind || next.ticket !== first.ticket || length > maxOutputBytes) break;
        end += 1;
      }
    }
    const run = records.slice(at, end);
    out.push(end === at + 1 ? first : { ...first, data: Buffer.concat(run.map(({ data }) => data)) });
    at = end;
  }
  return out;
}
