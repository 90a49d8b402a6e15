import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PlainHostLauncher } from '../../../src/runtimes/wasm/hosts/plain-host.ts';
import { preview1Functions } from '../../../src/runtimes/wasm/preview1/signatures.ts';
import {
  type Manifest,
  manifestFile,
  type TranspileReport,
} from '../../../src/runtimes/wasm/programs/manifest.ts';
import { createTranspile } from '../../../src/runtimes/wasm/programs/transpile.ts';
import { digest, readExample, systemClock } from './fixture.ts';

let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'spear-check-'));
  folder = join(base, 'output');
  await mkdir(folder);
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function check(bytes: Uint8Array): Promise<TranspileReport> {
  const input = join(base, 'artifact.wasm');
  await writeFile(input, bytes);
  return createTranspile({
    launcher: new PlainHostLauncher(),
    clock: systemClock,
    signal: new AbortController().signal,
  })(input, folder);
}

async function checkWat(source: string): Promise<TranspileReport> {
  return check(await parse(`(module ${source} (memory (export "memory") 1) (func (export "_start")))`));
}

async function manifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, manifestFile), 'utf8'));
}

describe('the check of a core module', () => {
  it('translates nothing: the module is kept as it is', async () => {
    const bytes = await readExample('wordcount/wordcount');
    expect(await check(bytes)).toEqual({ kind: 'done' });
    expect(await manifest()).toEqual({
      kind: 'module',
      artifact: digest(bytes),
      module: { file: 'module.wasm', sha256: digest(bytes) },
      command: '_start',
    });
    expect(new Uint8Array(await readFile(join(folder, 'module.wasm')))).toEqual(new Uint8Array(bytes));
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'module.wasm']);
  });

  it.each([
    [
      'the older name of the interface',
      '(import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))',
    ],
    [
      'sockets, which answer that there are none',
      '(import "wasi_snapshot_preview1" "sock_send" (func (param i32 i32 i32 i32 i32) (result i32)))',
    ],
    ['exceptions', '(tag $e) (func (block $h (try_table (catch_all $h) (throw $e))))'],
    ['tail calls', '(func $f return_call $f)'],
    ['no import at all', ''],
  ])('lets it have %s', async (_what, source) => {
    expect(await checkWat(source)).toEqual({ kind: 'done' });
    expect(await manifest()).toMatchObject({ kind: 'module', command: '_start' });
  });

  it('lets it import every function of WASI preview 1', async () => {
    const imports = Object.entries(preview1Functions).map(([name, { params, results }]) => {
      const given = params.map((type) => `(param ${type})`).join(' ');
      const returned = results.map((type) => `(result ${type})`).join(' ');
      return `(import "wasi_snapshot_preview1" "${name}" (func ${given} ${returned}))`;
    });
    expect(imports).toHaveLength(46);
    expect(await checkWat(imports.join(' '))).toEqual({ kind: 'done' });
  });

  it('refuses what the engine does not take', async () => {
    expect(await checkWat('(table 20000000 funcref)')).toEqual({
      kind: 'refused',
      description: expect.stringContaining('the engine refuses it'),
    });
  });
});

describe('the check of a component', () => {
  it('keeps what it was made into', async () => {
    expect(await check(await readExample('noop/noop'))).toEqual({ kind: 'done' });
    expect(await manifest()).toMatchObject({
      kind: 'component',
      source: { file: 'component.mjs' },
      cores: [{ file: 'component.core.wasm', instances: 1 }],
    });
  });
});
