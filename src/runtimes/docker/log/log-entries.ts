import type { OutputStream } from '../../../domain/event.ts';

/** `2006-01-02T15:04:05.000000000Z` and a space, which the engine puts before each entry where it is asked for times. */
const timeBytes = 31;
/** What the engine's buffer of a line holds: a longer line becomes several entries. */
const fullEntryBytes = 16 * 1024;
const newline = 10;

interface Line {
  readonly time: Buffer;
  /** How much of the time came yet. */
  timeHas: number;
  /** The time of the entry before. */
  before: string;
  /** Of the entry so far, without its time. */
  bytes: number;
  /** There are entries of this line before this one. */
  continued: boolean;
  /** The entry so far does not end with a line feed: it is a part of a line. */
  open: boolean;
}

/**
 * Makes the bytes that a program wrote of the entries of the engine's log, read with `timestamps=1`.
 *
 * The `local` driver keeps each line as an entry, and its reader adds the line feed. A line of more than 16 KiB is kept
 * in parts, which the reader gives out without any line feed, also not after the last (moby 20.10 to 28:
 * `daemon/logger/copier.go`, `daemon/logger/local/read.go`). What tells lines apart then is that all parts of one carry
 * one time, in nanoseconds, and the next line another. A last part that is empty is given out.
 */
export class LogEntries {
  readonly #lines: Record<OutputStream, Line> = { stdout: noLine(), stderr: noLine() };
  #entryBytes = 0;
  #begins = true;

  /** An entry of so many bytes comes next. Returns how many of them the program wrote. */
  begin(bytes: number): number {
    this.#begins = true;
    this.#entryBytes = Math.max(0, bytes - timeBytes);
    return this.#entryBytes;
  }

  /** What the program wrote up to the end of this piece of an entry, and was not returned before. */
  piece(stream: OutputStream, data: Uint8Array): Uint8Array {
    const line = this.#lines[stream];
    if (this.#begins) line.timeHas = 0;
    this.#begins = false;
    const time = data.subarray(0, timeBytes - line.timeHas);
    line.time.set(time, line.timeHas);
    line.timeHas += time.length;
    const rest = data.subarray(time.length);
    const begins = time.length > 0 && line.timeHas === timeBytes;
    const ended = begins && this.#entryBegins(line);
    line.bytes += rest.length;
    if (rest.length > 0) line.open = rest.at(-1) !== newline;
    return ended ? Buffer.concat([Uint8Array.of(newline), rest]) : rest;
  }

  /**
   * The last entry is the end of a long line. Whether a line feed came after it, the log does not say: the engine
   * makes such an entry of a whole line, and of the end of the output.
   */
  isUnsure(stream: OutputStream): boolean {
    const { open, continued, bytes } = this.#lines[stream];
    return open && continued && bytes < fullEntryBytes;
  }

  /** Returns whether a line has ended without a line feed in the log. */
  #entryBegins(line: Line): boolean {
    const time = line.time.toString('latin1');
    const wasOpen = line.open;
    line.continued = wasOpen && time === line.before;
    line.before = time;
    line.bytes = 0;
    line.open = false;
    return wasOpen && (!line.continued || this.#entryBytes === 0);
  }
}

function noLine(): Line {
  return { time: Buffer.alloc(timeBytes), timeHas: 0, before: '', bytes: 0, continued: false, open: false };
}
