import { printable } from './printable.ts';
import type { Shell } from './shell.ts';

const tickMs = 1000;

/**
 * The last line of a terminal, which says how things stand while nothing else is written: on stderr, and only where
 * that is a terminal. Whoever writes anything else takes it away before.
 */
export class LiveLine {
  readonly #shell: Shell;
  readonly #text: () => string;
  #timer: NodeJS.Timeout | undefined;
  #shown = 0;
  /** What was written last ended in the middle of a line, where nothing of ours may stand. */
  #inLine = false;
  #busy = false;

  constructor(shell: Shell, text: () => string) {
    this.#shell = shell;
    this.#text = text;
  }

  start(): void {
    if (!this.#shell.err.isTerminal) return;
    this.#timer = setInterval(() => {
      if (!this.#busy) void this.#show().catch(() => undefined);
    }, tickMs);
  }

  /** Does something that writes, without the line. `inLine` says that what it writes leaves its line open. */
  async aside(write: () => Promise<void>, inLine = false): Promise<void> {
    this.#busy = true;
    try {
      await this.#clear();
      await write();
      this.#inLine = inLine && this.#shell.out.isTerminal;
    } finally {
      this.#busy = false;
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#clear();
  }

  async #show(): Promise<void> {
    if (this.#inLine) return;
    const { err } = this.#shell;
    // A line that wraps cannot be written over; the last column would wrap on some terminals.
    const line = `spear: ${printable(this.#text())}`.slice(0, Math.max(0, err.columns - 1));
    const blank = ' '.repeat(Math.max(0, this.#shown - line.length));
    this.#shown = line.length;
    await err.write(`\r${line}${blank}`);
  }

  async #clear(): Promise<void> {
    if (this.#shown === 0) return;
    const blank = ' '.repeat(this.#shown);
    this.#shown = 0;
    await this.#shell.err.write(`\r${blank}\r`);
  }
}
