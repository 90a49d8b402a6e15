import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Compiles a C file to a command of WASI preview 1, as README.md has it. */
export async function compileWasi(source: URL): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-wasi-'));
  try {
    const output = join(folder, 'program.wasm');
    // Without -O where it links: given one, clang sends its output through any wasm-opt on the PATH.
    const object = join(folder, 'program.o');
    const target = ['--target=wasm32-wasi', '--sysroot=/usr'];
    await execute('clang', [...target, '-O2', '-c', '-o', object, source.pathname]);
    await execute('clang', [...target, '-o', output, object]);
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
