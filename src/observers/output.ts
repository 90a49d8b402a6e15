import type { ExecutionRecord } from '../domain/execution.ts';
import type { LogCursor } from '../domain/log.ts';
import { type InlineOutput, noOutput } from '../domain/response.ts';

/** The most that a response carries of stdout and stderr together; the log has all of it. */
export const mostInlineBytes = 3 * 1024 * 1024;
const pageBytes = 256 * 1024;

/**
 * Reads the output of the last attempt of `record` from the log, at most `maxBytes` of it. A typed function's
 * value is left out whole where it does not fit, as half of a JSON text is of no use. What the log no longer has is
 * missing, and `truncated` then.
 */
export async function readOutput(
  cursor: LogCursor,
  record: ExecutionRecord,
  maxBytes: number,
): Promise<InlineOutput> {
  const value = record.outcome?.output;
  if (record.outputBytes === 0 && value === undefined) return noOutput;
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  let room = maxBytes;
  let truncated = false;
  if (value !== undefined) {
    const bytes = Buffer.from(value);
    if (bytes.byteLength <= room) {
      stdout.push(bytes);
      room -= bytes.byteLength;
    } else {
      truncated = true;
    }
  }
  let next = record.attemptSequence + 1;
  while (record.outputBytes > 0 && next <= record.lastSequence && !(truncated && room === 0)) {
    const page = await cursor.read(next, pageBytes);
    const last = page.at(-1);
    // A log that is no longer kept begins later than this, or not at all.
    if (page[0]?.sequence !== next) truncated = true;
    if (last === undefined) break;
    next = last.sequence + 1;
    for (const event of page) {
      if (event.kind !== 'chunk' || event.sequence > record.lastSequence) continue;
      // A typed function's stdout is in the log; `output` is its value.
      if (event.stream === 'stdout' && value !== undefined) continue;
      const part = event.data.subarray(0, room);
      room -= part.byteLength;
      if (part.byteLength < event.data.byteLength) truncated = true;
      if (part.byteLength > 0) (event.stream === 'stdout' ? stdout : stderr).push(part);
    }
  }
  return { stdout: joined(stdout), stderr: joined(stderr), truncated };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}
