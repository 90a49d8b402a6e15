/** A snapshot's document as a stream of bytes: lines, sealed, in pieces of a size. */
import { createHash, type KeyObject } from 'node:crypto';
import { firstLine, lastLine, sealLine } from '../../domain/snapshot/writer.ts';
import { sealOf } from './seals.ts';

/** What one message of a stream carries. */
const blockBytes = 64 * 1024;

/** `lines` are those of the parts. Nothing is read ahead of whoever reads this. */
export async function* documentOf(
  lines: AsyncIterable<string>,
  signing: KeyObject | undefined,
): AsyncGenerator<Uint8Array> {
  yield* blocks(sealed(lines, signing));
}

async function* sealed(
  lines: AsyncIterable<string>,
  signing: KeyObject | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const counted = (line: string): Uint8Array => {
    const bytes = Buffer.from(line);
    hash.update(bytes);
    return bytes;
  };
  yield counted(firstLine);
  for await (const line of lines) yield counted(line);
  yield Buffer.from(sealLine(sealOf(hash.digest('hex'), signing)));
  yield Buffer.from(lastLine);
}

/** Joins what is small and cuts what is large. */
async function* blocks(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let block = Buffer.allocUnsafe(blockBytes);
  let filled = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.byteLength; ) {
      const taken = Math.min(part.byteLength - at, blockBytes - filled);
      block.set(part.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < blockBytes) continue;
      yield block;
      block = Buffer.allocUnsafe(blockBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
