import { printable } from './printable.ts';
import type { Shell } from './shell.ts';

const tickMs = 1000;

/**
 * The last line of a terminal, which says how things stand while nothing else is written: on stderr, and only where
 * that is a terminal. What else is written there takes it away; whoever writes to stdout does so `aside`.
 */
export class LiveLine {
  readonly #shell: Shell;
  readonly #text: () => string;
  #timer: NodeJS.Timeout | undefined;
  /** What was written last ended in the middle of a line, where nothing of ours may stand. */
  #inLine = false;
  #busy = false;

  constructor(shell: Shell, text: () => string) {
    this.#shell = shell;
    this.#text = text;
  }

  start(): void {
    const { err } = this.#shell;
    if (!err.isTerminal) return;
    this.#timer = setInterval(() => {
      if (this.#busy || this.#inLine) return;
      err.showLine(`spear: ${printable(this.#text())}`).catch(() => undefined);
    }, tickMs);
  }

  /** Does something that writes, without the line. `inLine` says that what it writes leaves its line open. */
  async aside(write: () => Promise<void>, inLine = false): Promise<void> {
    this.#busy = true;
    try {
      await this.#shell.err.showLine('');
      await write();
      this.#inLine = inLine && this.#shell.out.isTerminal;
    } finally {
      this.#busy = false;
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#shell.err.showLine('');
  }
}
