/** Files of the client: read before anything is sent, and refused in the words of the flag that named them. */
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { quote } from '../domain/errors.ts';
import { readFault } from './read-fault.ts';
import { sizeText } from './size.ts';
import { UsageError } from './usage-error.ts';

/** What no server takes in one request: the largest value of its --max-request-bytes. */
const mostBytes = 128 * 1024 * 1024;

/** The file's bytes. Throws a UsageError that names `field` where it is missing, not a file, or too large to send. */
export async function readLocalFile(field: string, path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const stats = await file.stat();
    if (stats.isDirectory()) throw new UsageError(`${field}: ${quote(path)} is a folder; allowed is a file`);
    // A pipe or a device has no size to check first.
    if (!stats.isFile()) return await readAll(field, file.createReadStream({ autoClose: false }));
    if (stats.size > mostBytes) throw tooLarge(field, stats.size);
    return await file.readFile();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new UsageError(`${field}: cannot read ${quote(path)}: ${readFault(error)}`);
  }
}

/** All of a stream, such as stdin. Throws a UsageError as soon as it is too large to send. */
export async function readAll(field: string, stream: Readable): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    bytes += part.byteLength;
    if (bytes > mostBytes) throw tooLarge(field, bytes);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(field: string, bytes: number): UsageError {
  return new UsageError(
    `${field}: has ${sizeText(bytes)}; allowed are ${sizeText(mostBytes)} in one request`,
  );
}
