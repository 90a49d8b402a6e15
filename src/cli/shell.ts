import type { Readable } from 'node:stream';
import type { CommandOutput } from './output.ts';
import { printable } from './printable.ts';

/** What surrounds the command, handed to it once: nothing else of the process is read or written. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly out: CommandOutput;
  readonly err: CommandOutput;
  /** Set by the command that ran. */
  exitCode: number;
}

/** A line of our own, on stderr; what others put into its text is made printable before it is painted. */
export function note(
  shell: Pick<Shell, 'err'>,
  text: string,
  paint: (text: string) => string = (plain) => plain,
): Promise<void> {
  return shell.err.write(`spear: ${paint(printable(text, Number.POSITIVE_INFINITY))}\n`);
}
