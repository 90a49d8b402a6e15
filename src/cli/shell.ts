import type { Readable } from 'node:stream';
import type { Sink } from './sink.ts';

/** What surrounds the command, handed to it once: nothing else of the process is read or written. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly out: Sink;
  readonly err: Sink;
  /** Set by the command that ran. */
  exitCode: number;
}

/** A line of our own, on stderr. */
export function note(shell: Pick<Shell, 'err'>, text: string): Promise<void> {
  return shell.err.write(`spear: ${text}\n`);
}
