import { FileError, type OpenFile } from '../../files/port.ts';
import { type ErrorCode, errorCodes } from './filesystem-words.ts';
import type { ByteSink, ByteSource, GuestIo } from './io.ts';

/** A file that its descriptor and its streams share; whoever is last closes it. */
export class SharedFile {
  readonly file: OpenFile;
  #users = 1;

  constructor(file: OpenFile) {
    this.file = file;
  }

  use(): this {
    this.#users += 1;
    return this;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.file.close();
  }
}

/** Streams over files. What goes wrong in one is an `error` that `filesystem-error-code` has the code of. */
export function createFileStreams(io: GuestIo) {
  class FileIoError extends io.IoError {
    readonly code: ErrorCode;

    constructor(code: ErrorCode) {
      super();
      this.code = code;
    }

    toDebugString(): string {
      return this.code;
    }
  }

  function streaming<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw { tag: 'last-operation-failed', val: new FileIoError(errorCodes[error.errno]) };
    }
  }

  function reading(shared: SharedFile, offset: bigint): ByteSource {
    const { file } = shared.use();
    let at = offset;
    return {
      read(length) {
        const into = new Uint8Array(length);
        const count = streaming(() => (file.type === 'fifo' ? file.read(into) : file.pread(into, at)));
        if (count === 0 && length > 0) throw { tag: 'closed' };
        at += BigInt(count);
        return into.subarray(0, count);
      },
      close: () => shared.release(),
    };
  }

  function writing(shared: SharedFile, offset: bigint): ByteSink {
    const { file } = shared.use();
    let at = offset;
    return {
      write(bytes) {
        for (let rest = bytes; rest.length > 0; ) {
          const count = streaming(() => (file.type === 'fifo' ? file.write(rest) : file.pwrite(rest, at)));
          at += BigInt(count);
          rest = rest.subarray(count);
        }
      },
      close: () => shared.release(),
    };
  }

  return {
    read: (shared: SharedFile, offset: bigint) => io.input(reading(shared, offset)),
    write: (shared: SharedFile, offset: bigint) => io.output(writing(shared, offset)),
    /** A write at an offset goes to the end of a file that is open to append. */
    append(shared: SharedFile) {
      const { file } = shared;
      if (file.type === 'fifo') return io.output(writing(shared, 0n));
      const appending = new SharedFile(file.reopen({ ...file.flags, append: true }));
      const stream = io.output(writing(appending, 0n));
      appending.release();
      return stream;
    },
    codeOf: (error: unknown) => (error instanceof FileIoError ? error.code : undefined),
  };
}
