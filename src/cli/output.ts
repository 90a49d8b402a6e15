import type { Writable } from 'node:stream';

/** Whoever read our output has closed it: there is nobody left to write for. */
export class ReaderGoneError extends Error {
  override readonly name = 'ReaderGoneError';
}

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** stdout or stderr, as something that is written to one piece after the other, at the pace of its reader. */
export class CommandOutput {
  readonly isTerminal: boolean;
  readonly #stream: Stream;
  /** How long the line is that the next write takes away. */
  #shown = 0;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.isTerminal = stream.isTTY === true;
    // The error of a write is told to that write; without a listener it would end the process too.
    stream.on('error', () => {});
  }

  /** Of the terminal, as wide as it is now; 80 where nobody tells, which a new terminal does with 0. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  get rows(): number {
    return this.#stream.rows || 24;
  }

  /** Calls `listener` whenever the terminal has another size, until the answer is called. */
  onResize(listener: () => void): () => void {
    this.#stream.on('resize', listener);
    return () => void this.#stream.off('resize', listener);
  }

  /** Resolves when the reader's side has taken it. Rejects with ReaderGoneError where there is no reader any more. */
  write(data: string | Uint8Array): Promise<void> {
    if (data.length === 0) return Promise.resolve();
    if (this.#shown > 0) this.#stream.write(this.#erasure(''));
    return this.#send(data);
  }

  /**
   * Shows a line that stays until anything else is written here, or another such line is: for a terminal. It is cut to
   * the width, as a line that wraps cannot be written over. Empty takes it away.
   */
  showLine(text: string): Promise<void> {
    // The last column would wrap on some terminals.
    const line = text.slice(0, Math.max(0, this.columns - 1)).toWellFormed();
    if (line === '' && this.#shown === 0) return Promise.resolve();
    return this.#send(this.#erasure(line));
  }

  /** Writes a line over the one that is shown. */
  #erasure(line: string): string {
    const blank = ' '.repeat(Math.max(0, this.#shown - line.length));
    this.#shown = line.length;
    return `\r${line}${blank}${line === '' ? '\r' : ''}`;
  }

  #send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error === null || error === undefined) resolve();
        else if ('code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')) {
          reject(new ReaderGoneError());
        } else reject(error);
      });
    });
  }
}
