import type { OutputStream } from '../../../domain/event.ts';
import { maxTransfer, type OpenFile } from '../files/port.ts';
import type { StandardStream } from './descriptors.ts';
import { CallError, errnoOf } from './errno.ts';
import type { GuestHost, HostCalls } from './host.ts';
import { rights } from './rights.ts';
import { Vectors } from './vectors.ts';

/** The result is 32 bits; this is far below. */
const maxWritten = 2 ** 30;

/** `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`. */
export function transferCalls({ context, memory, descriptors }: GuestHost): HostCalls {
  const vectors = new Vectors(memory);

  function readInput(into: Uint8Array): number {
    const count = Math.min(into.length, context.input.length - context.inputAt);
    if (count <= 0) return 0;
    into.set(context.input.subarray(context.inputAt, context.inputAt + count));
    context.inputAt += count;
    return count;
  }

  function readFrom(node: OpenFile | StandardStream, into: Uint8Array, offset: bigint | undefined): number {
    if (node.kind === 'stream') return readInput(into);
    return offset === undefined ? node.read(into) : node.pread(into, offset);
  }

  function writeTo(node: OpenFile | StandardStream, bytes: Uint8Array, offset: bigint | undefined): number {
    if (node.kind === 'file') return offset === undefined ? node.write(bytes) : node.pwrite(bytes, offset);
    writeOutput(node.stream === 'stderr' ? 'stderr' : 'stdout', bytes);
    return bytes.length;
  }

  /** Where nobody is left to take it, that is the end of the guest, not an answer to its call. */
  function writeOutput(stream: OutputStream, bytes: Uint8Array): void {
    try {
      context.write(stream, bytes);
    } catch (cause) {
      throw new Error('the output of the guest cannot be delivered', { cause });
    }
  }

  /** One call of the file system, so that a FIFO or the end of a file is asked once. */
  function read(
    node: OpenFile | StandardStream,
    list: number,
    count: number,
    offset: bigint | undefined,
    result: number,
  ): void {
    vectors.set(list, count);
    memory.check(result, 4);
    const into = vectors.target(maxTransfer);
    const done = into.length === 0 ? 0 : readFrom(node, into, offset);
    vectors.scatter(done);
    memory.setU32(result, done);
  }

  /** All of it, in pieces: programs that do not look for a short write are many. */
  function write(
    node: OpenFile | StandardStream,
    list: number,
    count: number,
    offset: bigint | undefined,
    result: number,
  ): void {
    vectors.set(list, count);
    memory.check(result, 4);
    let done = 0;
    for (;;) {
      const piece = vectors.next(maxTransfer);
      if (piece === undefined) break;
      let moved: number;
      try {
        moved = writeTo(node, piece, offset === undefined ? undefined : offset + BigInt(done));
      } catch (error) {
        if (done === 0 || errnoOf(error) === undefined) throw error;
        break;
      }
      done += moved;
      if (moved < piece.length || done > maxWritten) break;
    }
    memory.setU32(result, done);
  }

  return {
    fd_read(fd: number, list: number, count: number, result: number) {
      read(descriptors.fileOrStream(fd, rights.fdRead), list, count, undefined, result);
    },
    fd_pread(fd: number, list: number, count: number, offset: bigint, result: number) {
      read(descriptors.file(fd, rights.fdRead), list, count, offsetOf(offset), result);
    },
    fd_write(fd: number, list: number, count: number, result: number) {
      write(descriptors.fileOrStream(fd, rights.fdWrite), list, count, undefined, result);
    },
    fd_pwrite(fd: number, list: number, count: number, offset: bigint, result: number) {
      write(descriptors.file(fd, rights.fdWrite), list, count, offsetOf(offset), result);
    },
  };
}

/** Half of the interface's offsets are beyond what a file can have: EINVAL, also where no byte is asked for. */
function offsetOf(offset: bigint): bigint {
  if (offset < 0n) throw new CallError('EINVAL');
  return offset;
}
