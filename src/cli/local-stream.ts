import { open } from 'node:fs/promises';
import { quote } from '../domain/errors.ts';
import { readFault } from './read-fault.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** Bytes that are read as they are asked for. */
export interface LocalStream {
  /** 0 where nobody knows, as for a pipe. */
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

const pieceBytes = 64 * 1024;

/** A file, or stdin for `-`. Throws a UsageError that names `field` where it cannot be read. */
export async function openLocalStream(
  field: string,
  path: string,
  { stdin }: Pick<Shell, 'stdin'>,
): Promise<LocalStream> {
  if (path === '-') return { size: 0, bytes: stdin as AsyncIterable<Buffer> };
  try {
    const file = await open(path);
    const stats = await file.stat();
    if (!stats.isDirectory()) {
      const size = stats.isFile() ? stats.size : 0;
      return { size, bytes: file.createReadStream({ highWaterMark: pieceBytes }) as AsyncIterable<Buffer> };
    }
    await file.close();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new UsageError(`${field}: cannot read ${quote(path)}: ${readFault(error)}`);
  }
  throw new UsageError(`${field}: ${quote(path)} is a folder; allowed is a file`);
}
