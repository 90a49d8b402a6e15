/**
 * Files that somebody names and that are read whole: configuration, tokens, certificates, keys. A regular file of at
 * most so many bytes; a device or a pipe that nobody writes to would never end. The one exception is what a shell hands
 * over for `<(command)`: a pipe of this very process, which ends with the command.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** Of configuration and task files, in bytes. */
export const mostTextBytes = 4 * 1024 * 1024;
/** Of tokens, certificates and keys, in bytes. */
export const mostKeyBytes = 1024 * 1024;

const handedOver = /^\/(dev|proc\/self)\/(fd\/\d+|stdin)$/;

/** Throws an Error that says what is wrong with the file, without its path, and with the `code` of the system where it has one. */
export function readSmallFile(path: string, mostBytes: number): Buffer {
  // Without NONBLOCK a pipe would be waited for before anybody can say that it is one.
  let fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (stats.isFIFO() && handedOver.test(path)) {
      closeSync(fd);
      fd = openSync(path, constants.O_RDONLY);
    } else if (!stats.isFile()) throw new Error(`it is ${kindOf(stats)}; allowed is a file`);
    if (stats.size > mostBytes) throw tooLarge(stats.size, mostBytes);
    return allOf(fd, mostBytes);
  } finally {
    closeSync(fd);
  }
}

/** What grows meanwhile, and what has no size, is bounded too. */
function allOf(fd: number, mostBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let bytes = 0; ; ) {
    const part = Buffer.allocUnsafe(Math.min(64 * 1024, mostBytes + 1 - bytes));
    const read = readSync(fd, part);
    if (read === 0) return Buffer.concat(parts);
    bytes += read;
    if (bytes > mostBytes) throw tooLarge(bytes, mostBytes);
    parts.push(part.subarray(0, read));
  }
}

function tooLarge(bytes: number, mostBytes: number): Error {
  return new Error(`it has ${bytes} bytes or more; allowed are ${mostBytes}`);
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  return stats.isSocket() ? 'a socket' : 'a device';
}
