import type { Readable } from 'node:stream';
import type { Shell } from '../shell.ts';

type Keyboard = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

const ctrlC = '\u0003';
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

/**
 * The whole terminal, redrawn in place: a screen of its own that is gone at the end, so that what stood before is
 * there again. `q` and Ctrl-C end it, also where the keyboard is not ours.
 */
export class Screen {
  readonly #shell: Shell;
  readonly #keyboard: Keyboard;
  readonly #ended = new AbortController();
  readonly #stops: (() => void)[] = [];
  #drawing = false;

  constructor(shell: Shell) {
    this.#shell = shell;
    this.#keyboard = shell.stdin;
  }

  /** Aborts when somebody ends it. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  async open(redraw: () => void): Promise<void> {
    const end = (): void => this.#ended.abort();
    const pressed = (keys: Buffer): void => {
      const text = keys.toString();
      if (text.includes('q') || text.includes(ctrlC)) end();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, end);
      this.#stops.push(() => void process.off(signal, end));
    }
    this.#stops.push(this.#shell.out.onResize(redraw));
    if (this.#keyboard.isTTY === true) {
      this.#keyboard.setRawMode?.(true);
      this.#keyboard.on('data', pressed);
      this.#stops.push(() => {
        this.#keyboard.off('data', pressed);
        this.#keyboard.setRawMode?.(false);
        this.#keyboard.pause();
      });
    }
    await this.#shell.out.write(enter);
  }

  /** A frame that comes while the terminal has not taken the last one is left out. */
  async draw(lines: readonly string[]): Promise<void> {
    if (this.#drawing || this.#ended.signal.aborted) return;
    this.#drawing = true;
    try {
      // Each line is cleared behind its text, and the rest below: nothing flickers as it would on a blank screen.
      await this.#shell.out.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
    } finally {
      this.#drawing = false;
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop();
    await this.#shell.out.write(leave);
  }
}
