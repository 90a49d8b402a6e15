import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../domain/clock.ts';
import { RequestError } from '../../../domain/errors.ts';
import { entryUrl } from '../../entry.ts';
import { encodeMessage, RecordReader, recordKind } from '../hosts/channel.ts';
import { type HostCode, readHostCode } from '../hosts/host-code.ts';
import type { HostExit, HostLauncher, HostProcess } from '../hosts/host-process.ts';
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
const flags = [`--max-old-space-size=${heapMb}`, `--wasm-max-mem-pages=${toolPages}`];

/** All of it together, Node and copies of the artifact included. */
const memoryMb = 2560;

/** Some wait for the disk or hang until their time is over, so that there are more than there are processors. */
const atOnce = Math.max(4, availableParallelism());

/** What it says at most: the code of an artifact of the largest size that is taken, and JavaScript around it. */
const maxAnswerBytes = 512 * mebibyte;

const profile = {
  preopens: {},
  network: false,
  packages: ['@bytecodealliance/jco-transpile'],
};

interface TranspileOptions {
  readonly launcher: HostLauncher;
  readonly clock: Clock;
  /** Ends all that run. */
  readonly signal: AbortSignal;
}

/** What the checking process answers: a report, and files that lie behind it one after the other. */
export interface CheckAnswer {
  readonly report: TranspileReport;
  readonly files: readonly { readonly name: string; readonly length: number }[];
}

/** Runs checking processes, a few at once, each in a guest host's walls: they read bytes that anyone may have made. */
export function createTranspile(options: TranspileOptions): Transpile {
  const turns = new Turns(atOnce);
  let code: HostCode | undefined;
  return (artifactFile, folder) =>
    turns.take(async () => {
      code ??= readHostCode(entryUrl('../check/transpiler', import.meta.url));
      options.signal.throwIfAborted();
      return transpileOnce(await readFile(artifactFile), folder, code, options);
    });
}

async function transpileOnce(
  artifact: Uint8Array,
  folder: string,
  code: HostCode,
  { launcher, clock, signal }: TranspileOptions,
): Promise<TranspileReport> {
  const timeout = Math.round(baseMs + (artifact.length / mebibyte) * msPerMebibyte);
  const host = launcher.launch({ text: code.boot, flags, profile });
  host.limitMemory(memoryMb * mebibyte);
  // Calls go before registrations.
  host.setBackground(true);
  let late = false;
  const end = () => host.kill();
  const timer = clock.setTimer(timeout, () => {
    late = true;
    end();
  });
  signal.addEventListener('abort', end, { once: true });
  try {
    host.socket.write([...code.message('check', false), ...encodeMessage({ kind: 'check' }, [artifact])]);
    const answer = await answerOf(host);
    end();
    const exit = await host.exited;
    if (signal.aborted) throw new Error('the node stops, and checks no more artifacts');
    if (answer !== undefined) return await take(answer, folder);
    return explain(exit, late ? timeout : undefined);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', end);
  }
}

/** What the process says; undefined where it ends before, or says what no process of ours does. */
async function answerOf(host: HostProcess): Promise<Uint8Array | undefined> {
  const reader = new RecordReader(maxAnswerBytes);
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  host.socket.listen((chunk) => {
    try {
      for (const { kind, data } of reader.push(chunk)) if (kind === recordKind.reply) resolve(data);
    } catch {
      // It is ended for it.
      resolve(undefined);
    }
  });
  void host.exited.then(() => resolve(undefined));
  return promise;
}

/** Writes the files of an answer; their names are the process's, which is not trusted. */
async function take(answer: Uint8Array, folder: string): Promise<TranspileReport> {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.length);
  const headBytes = bytes.readUInt32LE(0);
  const { report, files } = JSON.parse(bytes.toString('utf8', 4, 4 + headBytes)) as CheckAnswer;
  let at = 4 + headBytes;
  for (const { name, length } of files) {
    if (!/^[\w-][\w.-]{0,99}$/.test(name))
      throw new Error('the checking process named a file in another folder');
    await writeFile(join(folder, name), bytes.subarray(at, at + length), { flush: true });
    at += length;
  }
  return report;
}

/** @throws RequestError where the machine has no room for the process, and what is no fault of the artifact */
function explain(exit: HostExit, lateMs: number | undefined): TranspileReport {
  if (lateMs !== undefined) {
    return { kind: 'refused', description: `checking it took more than ${Math.round(lateMs / 1000)} s` };
  }
  if (exit.ranOutOfMemory || /out of memory/i.test(exit.words)) {
    return {
      kind: 'refused',
      description: `checking it took more memory than the ${heapMb} MiB of heap, or the ${memoryMb} MiB in all, that it may have`,
    };
  }
  if (exit.failed !== undefined) {
    throw new RequestError(
      'unavailable',
      `the machine has no room for the process that checks the artifact: ${exit.failed.message}`,
      { reason: 'RUNTIME_UNAVAILABLE' },
    );
  }
  throw new Error(`the checking process failed (${exit.signal ?? exit.code}): ${exit.words}`);
}
