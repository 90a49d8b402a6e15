import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The import module that preview-1 programs are linked against, and the only one an adapter can stand in for. */
export const preview1Module = 'wasi_snapshot_preview1';

/**
 * The component that turns a WASI preview-1 module into a WASI 0.2 component: `command` for a program with
 * `_start`, `reactor` for a library. The built package carries both; a checkout takes them from its dev dependency.
 */
export async function readAdapter(kind: 'command' | 'reactor'): Promise<Uint8Array> {
  const file = `${preview1Module}.${kind}.wasm`;
  try {
    return await readFile(new URL(`../../../adapters/${file}`, import.meta.url));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const jco = pathToFileURL(createRequire(import.meta.url).resolve('@bytecodealliance/jco'));
  return readFile(new URL(`../lib/${file}`, jco));
}
