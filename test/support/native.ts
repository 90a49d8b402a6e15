import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export interface NativeProgram {
  readonly folder: string;
  readonly path: string;
  remove(): Promise<void>;
}

/** Compiles a C file of `examples/` to a program without libraries, in a folder that every user can reach. */
export async function compile(example: string, name: string): Promise<NativeProgram> {
  const source = fileURLToPath(new URL(`../../examples/${example}`, import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'spear-native-'));
  await chmod(folder, 0o755);
  const path = join(folder, name);
  await execute('clang', ['-O2', '-static', '-o', path, source]);
  return { folder, path, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Compiles a C file of this folder to a library that a program can be made to load, into `folder`. */
export async function compileLibrary(name: string, folder: string): Promise<string> {
  const source = fileURLToPath(new URL(name, import.meta.url));
  const path = join(folder, `${name}.so`);
  await execute('clang', ['-O2', '-shared', '-fPIC', '-o', path, source]);
  return path;
}
