/** A command line in this process, on a terminal that a test can look at. */
import { PassThrough, Writable } from 'node:stream';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { CommandOutput } from '../../src/cli/output.ts';
import type { Shell } from '../../src/cli/shell.ts';

export class Terminal extends Writable {
  readonly isTTY: boolean;
  columns: number;
  rows: number;
  text = '';

  constructor({ isTTY = true, columns = 110, rows = 24 } = {}) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = columns;
    this.rows = rows;
  }

  override _write(text: string | Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    this.text += typeof text === 'string' ? text : Buffer.from(text).toString();
    done();
  }

  /** The lines of what was drawn last, without colours. */
  get screen(): string[] {
    const frame = this.text.split('\u001b[H').at(-1) ?? '';
    return plain(frame.split('\u001b[J', 1)[0] ?? '').split('\r\n');
  }
}

/** Without what a terminal obeys. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal obeys.
  return text.replace(/\u001b\[[?\d;]*[A-Za-z]/g, '');
}

class Keyboard extends PassThrough {
  readonly isTTY = true;
  raw = false;

  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
}

export interface Seat {
  readonly out: Terminal;
  readonly err: Terminal;
  readonly keyboard: Keyboard;
  /** Resolves with the exit code. */
  readonly ended: Promise<number>;
}

export function sitDown(
  args: readonly string[],
  address: string,
  { out = new Terminal(), env = {} }: { readonly out?: Terminal; readonly env?: Shell['env'] } = {},
): Seat {
  const err = new Terminal();
  const keyboard = new Keyboard();
  const shell: Shell = {
    env: { SPEAR_ADDRESS: address, ...env },
    stdin: keyboard,
    out: new CommandOutput(out),
    err: new CommandOutput(err),
    exitCode: 0,
  };
  return { out, err, keyboard, ended: runCommandLine(args, shell) };
}
