import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { entryUrl } from '../entry.ts';
import type { TranspileReport } from './manifest.ts';

/** Transpiles the artifact file into the empty folder. */
export type Transpile = (artifactFile: string, folder: string) => Promise<TranspileReport>;

const deadlineMs = 120_000;
const heapMb = 2048;
const execute = promisify(execFile);

/** Runs the transpiling process, one at a time; `signal` ends the one that runs. */
export function createTranspile(signal: AbortSignal): Transpile {
  let last: Promise<unknown> = Promise.resolve();
  return (artifactFile, folder) => {
    const next = last.then(() => transpileOnce(artifactFile, folder, signal));
    last = next.catch(() => undefined);
    return next;
  };
}

async function transpileOnce(
  artifactFile: string,
  folder: string,
  signal: AbortSignal,
): Promise<TranspileReport> {
  const program = fileURLToPath(entryUrl('./transpiler', import.meta.url));
  try {
    const { stdout } = await execute(
      process.execPath,
      [`--max-old-space-size=${heapMb}`, '--no-warnings', program, artifactFile, folder],
      { env: {}, timeout: deadlineMs, killSignal: 'SIGKILL', signal },
    );
    return JSON.parse(stdout) as TranspileReport;
  } catch (cause) {
    if (cause instanceof Error && 'killed' in cause && cause.killed === true && !signal.aborted) {
      return { kind: 'refused', description: `transpiling it took more than ${deadlineMs / 1000} s` };
    }
    throw new Error('the transpiling process failed', { cause });
  }
}
