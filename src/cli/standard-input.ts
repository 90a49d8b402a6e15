/** What a function reads from its standard input: ours, where somebody gives us any, or a file. */
import { fstatSync } from 'node:fs';
import { readAll, readLocalFile } from './local-file.ts';
import { note, type Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

interface InputOptions {
  /** `--input`: a path, or - for ours; false is `--no-input`. */
  readonly input?: string | false;
  /** The call is typed: there is nothing that could read it, and what we inherited is somebody else's. */
  readonly isTyped: boolean;
}

/** After this long, people ask themselves what the command waits for. */
const noticeDelayMs = 1000;

/**
 * Undefined means none. What is piped to us is read to its end without being asked for, as other commands do; a
 * terminal is not. Throws a UsageError that names `--input` where it cannot be read.
 */
export async function readInput(
  shell: Pick<Shell, 'stdin' | 'err'>,
  { input, isTyped }: InputOptions,
): Promise<Uint8Array | undefined> {
  if (input === false) return undefined;
  if (input !== undefined && input !== '-') return readLocalFile('--input', input);
  const isWanted = input === '-' || (shell.stdin.isTTY !== true && !isTyped);
  if (!isWanted) return undefined;
  if (isFolder(shell.stdin)) {
    throw new UsageError('--input: standard input is a folder; allowed is a file or a pipe');
  }
  const timer = setTimeout(() => {
    const other = input === '-' ? '' : '; --no-input leaves it out';
    note(shell, `reading standard input to its end${other}`).catch(() => {});
  }, noticeDelayMs);
  try {
    return await readAll('--input', shell.stdin);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new UsageError(`--input: cannot read standard input: ${error.message}; --no-input leaves it out`);
  } finally {
    clearTimeout(timer);
  }
}

/** Node makes an empty stream of a folder. */
function isFolder(stdin: Shell['stdin']): boolean {
  return 'fd' in stdin && typeof stdin.fd === 'number' && fstatSync(stdin.fd).isDirectory();
}
