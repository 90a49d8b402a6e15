import type { RunContext } from './context.ts';

/** The classes that transpiled code checks resources against: the shim's where it is loaded, else our own. */
export interface IoClasses {
  readonly InputStream: new () => object;
  readonly OutputStream: new () => object;
  readonly Pollable: new () => object;
  readonly IoError: new (...details: never[]) => object;
  /** Waits for pollables that are not ours; a deadline of the guest's clock may stand among them. */
  readonly pollForeign?: (pollables: readonly ForeignPollable[], deadline: bigint | undefined) => void;
}

interface ForeignPollable {
  ready(): boolean;
}

interface ReadableStream {
  read(length: bigint): Uint8Array;
  blockingRead(length: bigint): Uint8Array;
}

/** What an input stream reads; it throws what a stream call throws, at its end `{ tag: 'closed' }`. */
export interface ByteSource {
  /** At most that many bytes, at least one unless none are asked for; waits for them. */
  read(length: number): Uint8Array;
  close?(): void;
}

/** What an output stream writes to; it throws what a stream call throws. */
export interface ByteSink {
  /** Takes all of them. */
  write(bytes: Uint8Array): void;
  close?(): void;
}

/** Bytes that one call of a stream moves at most. */
const maxTransfer = 64 * 1024;

/** Resource numbers of our pollables, beyond those that the shim counts from 1 in the same table. */
const firstOwnResource = 2 ** 28;
const lastOwnResource = 2 ** 29;

export function ownClasses(): IoClasses {
  return {
    InputStream: class InputStream {},
    OutputStream: class OutputStream {},
    Pollable: class Pollable {},
    IoError: class IoError extends Error {
      toDebugString(): string {
        return this.message;
      }
    },
  };
}

export type GuestIo = ReturnType<typeof createIo>;

/** `wasi:io` and the standard streams over one run context. Times are nanoseconds of the monotonic clock. */
export function createIo(classes: IoClasses, context: RunContext) {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  let nextResource = firstOwnResource;

  function sleepUntil(deadline: bigint): void {
    for (
      let left = deadline - process.hrtime.bigint();
      left > 0n;
      left = deadline - process.hrtime.bigint()
    ) {
      Atomics.wait(sleeper, 0, 0, Math.max(Number(left) / 1e6, 0.01));
    }
  }

  class OwnPollable extends classes.Pollable {
    readonly readyAt: bigint;

    constructor(readyAt: bigint) {
      super();
      this.readyAt = readyAt;
      nextResource = nextResource === lastOwnResource ? firstOwnResource : nextResource + 1;
      Object.assign(this, { [Symbol.for('cabiRep')]: nextResource });
    }

    ready(): boolean {
      return this.readyAt <= process.hrtime.bigint();
    }

    block(): void {
      sleepUntil(this.readyAt);
    }

    [Symbol.dispose](): void {
      // Overrides the shim's, which knows only its own.
    }
  }

  function poll(pollables: (OwnPollable | ForeignPollable)[]): Uint32Array {
    if (pollables.length === 0) throw new Error('poll of an empty list');
    for (;;) {
      const ready = pollables.flatMap((pollable, index) => (pollable.ready() ? [index] : []));
      if (ready.length > 0) return Uint32Array.from(ready);
      const own = pollables.filter((pollable) => pollable instanceof OwnPollable);
      const foreign = pollables.filter((pollable) => !(pollable instanceof OwnPollable));
      const deadline = own
        .map((pollable) => pollable.readyAt)
        .reduce(earlier, undefined as bigint | undefined);
      if (foreign.length > 0) classes.pollForeign?.(foreign, deadline);
      else if (deadline !== undefined) sleepUntil(deadline);
    }
  }

  class Input extends classes.InputStream {
    readonly #source: ByteSource;

    constructor(source: ByteSource) {
      super();
      this.#source = source;
    }

    read(length: bigint): Uint8Array {
      return this.#source.read(Number(atMost(length)));
    }

    blockingRead(length: bigint): Uint8Array {
      return this.read(length);
    }

    skip(length: bigint): bigint {
      return BigInt(this.read(length).length);
    }

    blockingSkip(length: bigint): bigint {
      return this.skip(length);
    }

    subscribe(): OwnPollable {
      return new OwnPollable(0n);
    }

    [Symbol.dispose](): void {
      this.#source.close?.();
    }
  }

  class Output extends classes.OutputStream {
    readonly #sink: ByteSink;

    constructor(sink: ByteSink) {
      super();
      this.#sink = sink;
    }

    checkWrite(): bigint {
      return BigInt(maxTransfer);
    }

    write(bytes: Uint8Array): void {
      this.#sink.write(bytes);
    }

    blockingWriteAndFlush(bytes: Uint8Array): void {
      this.#sink.write(bytes);
    }

    flush(): void {}

    blockingFlush(): void {}

    writeZeroes(length: bigint): void {
      if (length > BigInt(maxTransfer)) throw new Error('more zeroes than check-write permits');
      this.#sink.write(new Uint8Array(Number(length)));
    }

    blockingWriteZeroesAndFlush(length: bigint): void {
      this.writeZeroes(length);
    }

    splice(source: ReadableStream, length: bigint): bigint {
      return this.#take(source.read(atMost(length)));
    }

    blockingSplice(source: ReadableStream, length: bigint): bigint {
      return this.#take(source.blockingRead(atMost(length)));
    }

    subscribe(): OwnPollable {
      return new OwnPollable(0n);
    }

    [Symbol.dispose](): void {
      this.#sink.close?.();
    }

    #take(bytes: Uint8Array): bigint {
      this.#sink.write(bytes);
      return BigInt(bytes.length);
    }
  }

  const stdin: ByteSource = {
    read(length) {
      if (context.inputAt >= context.input.length) throw { tag: 'closed' };
      const bytes = context.input.subarray(context.inputAt, context.inputAt + length);
      context.inputAt += bytes.length;
      return bytes;
    },
  };

  return {
    interfaces: {
      error: { Error: classes.IoError },
      poll: { Pollable: classes.Pollable, poll },
      streams: { InputStream: classes.InputStream, OutputStream: classes.OutputStream },
    },
    stdin: () => new Input(stdin),
    stdout: () => new Output({ write: (bytes) => context.write('stdout', bytes) }),
    stderr: () => new Output({ write: (bytes) => context.write('stderr', bytes) }),
    input: (source: ByteSource) => new Input(source),
    output: (sink: ByteSink) => new Output(sink),
    IoError: classes.IoError,
    alarm: (readyAt: bigint) => new OwnPollable(readyAt),
  };
}

function atMost(length: bigint): bigint {
  return length > BigInt(maxTransfer) ? BigInt(maxTransfer) : length;
}

function earlier(a: bigint | undefined, b: bigint): bigint {
  return a === undefined || b < a ? b : a;
}
