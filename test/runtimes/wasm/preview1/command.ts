import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import type { OutputStream } from '../../../../src/domain/event.ts';
import type { FileSystem } from '../../../../src/runtimes/wasm/files/port.ts';
import {
  commandEnding,
  type Ending,
  startEnding,
  thrownEnding,
} from '../../../../src/runtimes/wasm/guest-host/ending.ts';
import type { RunContext } from '../../../../src/runtimes/wasm/guest-host/host/context.ts';
import { createModuleGuest } from '../../../../src/runtimes/wasm/preview1/guest.ts';

const memoryCap = 64 * 1024 * 1024;

export interface CommandOptions {
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface Finished {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command as the executor does. */
export function runCommand(
  module: WebAssembly.Module,
  { args = [], environment = {}, input = '' }: CommandOptions = {},
  files?: FileSystem,
): Finished & { readonly ending: Ending; readonly chunks: readonly string[] } {
  const chunks: [OutputStream, Buffer][] = [];
  const context: RunContext = {
    input: Buffer.from(input),
    inputAt: 0,
    args: ['program', ...args],
    environment: Object.entries(environment),
    write: (stream, bytes) => chunks.push([stream, Buffer.from(bytes)]),
    exitCode: undefined,
  };
  const text = (stream: OutputStream) =>
    Buffer.concat(chunks.flatMap(([of, bytes]) => (of === stream ? [bytes] : []))).toString();
  const ending = endingOf(module, context, files);
  return {
    ending,
    exitCode: 'exitCode' in ending ? ending.exitCode : undefined,
    stdout: text('stdout'),
    stderr: text('stderr'),
    chunks: chunks.map(([, bytes]) => bytes.toString()),
  };
}

function endingOf(module: WebAssembly.Module, context: RunContext, files: FileSystem | undefined): Ending {
  try {
    const guest = createModuleGuest(module, context, { memoryCap, ...(files !== undefined && { files }) });
    try {
      guest.runCommand();
      return commandEnding(context.exitCode ?? 0);
    } catch (error) {
      return thrownEnding(guest, undefined, error);
    } finally {
      guest.close();
    }
  } catch (error) {
    return startEnding(error);
  }
}

/** Runs a command under Node's own WASI. */
export async function runUnderNode(
  module: WebAssembly.Module,
  { args = [], environment = {}, input = '' }: CommandOptions = {},
  preopens: Record<string, string> = {},
): Promise<Finished> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-oracle-'));
  const path = (name: string) => join(folder, name);
  await writeFile(path('stdin'), input);
  const [stdin, stdout, stderr] = [
    openSync(path('stdin'), 'r'),
    openSync(path('stdout'), 'w'),
    openSync(path('stderr'), 'w'),
  ];
  try {
    const wasi = new WASI({
      version: 'preview1',
      args: ['program', ...args],
      env: { ...environment },
      preopens,
      stdin,
      stdout,
      stderr,
      returnOnExit: true,
    });
    const instance = new WebAssembly.Instance(module, wasi.getImportObject());
    const exitCode = wasi.start(instance);
    return {
      exitCode,
      stdout: await readFile(path('stdout'), 'utf8'),
      stderr: await readFile(path('stderr'), 'utf8'),
    };
  } finally {
    for (const fd of [stdin, stdout, stderr]) closeSync(fd);
    await rm(folder, { recursive: true });
  }
}
