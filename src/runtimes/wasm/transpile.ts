import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RequestError } from '../../domain/errors.ts';
import { entryUrl } from '../entry.ts';
import type { TranspileReport } from './manifest.ts';
import { Turns } from './turns.ts';

/** Checks the artifact file, and writes what a runtime needs of it into the empty folder. */
export type Transpile = (artifactFile: string, folder: string) => Promise<TranspileReport>;

const mebibyte = 1024 * 1024;

/**
 * CPython (26 MB) takes 2 s on an idle machine and a JavaScript component (12 MB) 5 s; a busy one may take ten
 * times as long.
 */
const baseMs = 40_000;
const msPerMebibyte = 3000;

/** Its JavaScript heap, and each WebAssembly memory of the tools in it: 200 MB for a component of 2 MB. */
const heapMb = 1024;
const toolPages = (1024 * mebibyte) / 65_536;

/** Some wait for the disk or hang until their time is over, so that there are more than there are processors. */
const atOnce = Math.max(4, availableParallelism());

const execute = promisify(execFile);

/** Runs checking processes, a few at once; `signal` ends all that run. */
export function createTranspile(signal: AbortSignal): Transpile {
  const turns = new Turns(atOnce);
  return (artifactFile, folder) => turns.take(() => transpileOnce(artifactFile, folder, signal));
}

async function transpileOnce(
  artifactFile: string,
  folder: string,
  signal: AbortSignal,
): Promise<TranspileReport> {
  const program = fileURLToPath(entryUrl('./transpiler', import.meta.url));
  const { size } = await stat(artifactFile);
  const timeout = Math.round(baseMs + (size / mebibyte) * msPerMebibyte);
  try {
    const { stdout } = await execute(
      process.execPath,
      [
        `--max-old-space-size=${heapMb}`,
        `--wasm-max-mem-pages=${toolPages}`,
        '--no-warnings',
        program,
        artifactFile,
        folder,
      ],
      { env: {}, timeout, killSignal: 'SIGKILL', signal },
    );
    return JSON.parse(stdout) as TranspileReport;
  } catch (cause) {
    if (signal.aborted || !(cause instanceof Error))
      throw new Error('the checking process failed', { cause });
    return explain(cause, timeout);
  }
}

/** @throws RequestError where the machine has no room for the process, and what is no fault of the artifact */
function explain(cause: Error, timeout: number): TranspileReport {
  if ('killed' in cause && cause.killed === true) {
    return { kind: 'refused', description: `checking it took more than ${Math.round(timeout / 1000)} s` };
  }
  if ('signal' in cause && (cause.signal === 'SIGABRT' || cause.signal === 'SIGKILL')) {
    return {
      kind: 'refused',
      description: `checking it took more memory than the ${heapMb} MiB it may have`,
    };
  }
  if ('code' in cause && ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'].includes(String(cause.code))) {
    throw new RequestError(
      'unavailable',
      'the machine has no room for the process that checks the artifact',
      {
        reason: 'RUNTIME_UNAVAILABLE',
        cause,
      },
    );
  }
  throw new Error('the checking process failed', { cause });
}
