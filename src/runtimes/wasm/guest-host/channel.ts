import { readSync } from 'node:fs';
import {
  encodeRecordHeader,
  maxOutputBytes,
  messageHeaderBytes,
  recordHeaderBytes,
  recordKind,
} from '../hosts/channel.ts';
import type { HostMessage } from '../hosts/protocol.ts';
import { untilDone } from './blocking-call.ts';
import { type SharedSocket, SocketWriter } from './socket-writer.ts';

export interface Received {
  readonly message: HostMessage;
  /** The host's own. */
  readonly attachment: Uint8Array;
}

/** Replies of quick jobs go together: the next one after this goes with those before it, as does the last of all. */
const maxWaitUs = 500;

/** What is read ahead at a time. */
const chunkBytes = 64 * 1024;

/** The host's end of its socket; see `../hosts/channel.ts`. Everything blocks: the process has nothing else to do. */
export class Channel {
  readonly #fd: number;
  #ahead: Buffer = Buffer.alloc(0);
  readonly #chunk = Buffer.allocUnsafe(chunkBytes);
  readonly #writer: SocketWriter;
  #unsent: Uint8Array[] = [];
  /** When the first of these came, in microseconds. */
  #unsentSince = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.#writer = new SocketWriter({ fd, lock: new SharedArrayBuffer(4) });
  }

  /** For another thread of the host that has something to say. */
  get socket(): SharedSocket {
    return this.#writer.shared;
  }

  /** Nothing that was read waits to be handled; what was not sent yet is sent. The next message may be under way. */
  idle(): boolean {
    if (this.#ahead.length > 0) return false;
    this.flush();
    return true;
  }

  /** The next message; undefined where the node is gone. What was not sent yet is sent before it waits. */
  receive(): Received | undefined {
    if (this.#ahead.length === 0) this.flush();
    const header = this.#take(messageHeaderBytes);
    if (header === undefined) return undefined;
    const text = this.#take(header.readUInt32LE(0));
    const attachment = this.#take(header.readUInt32LE(4));
    if (text === undefined || attachment === undefined) return undefined;
    return { message: JSON.parse(text.toString('utf8')) as HostMessage, attachment };
  }

  /** Writes all of `bytes` of a guest's output, as several records where it is large. */
  output(stream: 'stdout' | 'stderr', ticket: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += maxOutputBytes) {
      const part = bytes.subarray(from, from + maxOutputBytes);
      this.#unsent.push(encodeRecordHeader(recordKind[stream], ticket, part.length), part);
      this.flush();
    }
  }

  /** Sends a record with others that follow at once, and at the latest before the next message is waited for. */
  send(kind: number, ticket: number, text: string): void {
    const length = Buffer.byteLength(text);
    const record = Buffer.allocUnsafe(recordHeaderBytes + length);
    encodeRecordHeader(kind, ticket, length).copy(record);
    record.write(text, recordHeaderBytes);
    const now = performance.now() * 1000;
    if (this.#unsent.length === 0) this.#unsentSince = now;
    this.#unsent.push(record);
    if (now - this.#unsentSince > maxWaitUs) this.flush();
  }

  /** One reply of JSON text and what is attached to it, to whoever asked for nothing else. */
  answer(head: object, attachments: readonly Uint8Array[]): void {
    const text = Buffer.from(JSON.stringify(head));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const parts = [length, text, ...attachments];
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    this.#unsent.push(encodeRecordHeader(recordKind.reply, 0, bytes), ...parts);
    this.flush();
  }

  flush(): void {
    if (this.#unsent.length === 0) return;
    const [first] = this.#unsent;
    const bytes = this.#unsent.length === 1 && first !== undefined ? first : Buffer.concat(this.#unsent);
    this.#unsent = [];
    this.#writer.write(bytes);
  }

  #take(length: number): Buffer | undefined {
    if (this.#ahead.length >= length) {
      const taken = this.#ahead.subarray(0, length);
      this.#ahead = this.#ahead.subarray(length);
      return taken;
    }
    const whole = Buffer.allocUnsafeSlow(length);
    let have = this.#ahead.copy(whole);
    this.#ahead = Buffer.alloc(0);
    while (have < length) {
      const large = length - have >= chunkBytes;
      const into = large ? whole.subarray(have) : this.#chunk;
      const read = untilDone(() => readSync(this.#fd, into, 0, into.length, null));
      if (read === 0) return undefined;
      if (large) {
        have += read;
        continue;
      }
      const used = this.#chunk.copy(whole, have, 0, Math.min(read, length - have));
      have += used;
      // A copy: the chunk is read into again.
      this.#ahead = Buffer.from(this.#chunk.subarray(used, read));
    }
    return whole;
  }
}
