/** A file as lines, read as they are wanted, so that a large one neither fills the memory nor stops the page. */
import { Lines } from '../../../../domain/snapshot/lines.ts';
import { UnreadableFile } from './unreadable-file.ts';

/** The longest line that either kind of file has: a result with all of its output. */
const maxBytes = 64 * 1024 * 1024;

export interface FileLine {
  readonly text: string;
  /** From 1. */
  readonly number: number;
  /** Where the line begins in the file, in bytes. */
  readonly offset: number;
  /** The file ends without a line feed after it. */
  readonly cutOff: boolean;
}

export async function* fileLines(file: Blob): AsyncGenerator<FileLine> {
  const lines = new Lines(maxBytes, (line) => new UnreadableFile(`line ${line} is longer than any of ours`));
  const decoder = new TextDecoder();
  let offset = 0;
  let number = 0;
  let read = 0;
  const reader = file.stream().getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      read += part.value.byteLength;
      for (const line of lines.push(part.value)) {
        number += 1;
        yield { text: decoder.decode(line).trimEnd(), number, offset, cutOff: false };
        offset += line.byteLength;
      }
    }
  } finally {
    reader.releaseLock();
  }
  if (offset === read) return;
  // The last line has no end; `Lines` keeps it to itself.
  const rest = await file.slice(offset).arrayBuffer();
  yield { text: decoder.decode(rest).trimEnd(), number: number + 1, offset, cutOff: true };
}
