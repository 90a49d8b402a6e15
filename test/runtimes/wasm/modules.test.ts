import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';

const bench = new WasmBench();
let runtime: Runtime;
beforeAll(async () => {
  runtime = await bench.runtime();
});
afterAll(() => bench.close());

it('an AssemblyScript program that reads argv prints all of it', async () => {
  const bytes = await readFile(new URL('preview1/programs/as-args.wasm', import.meta.url));
  const { outcome, stdout } = await run(runtime, bench.task(bytes, { args: ['1000'] }));
  expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
  expect(stdout.toString()).toBe('guest,1000, n=2\n1000 item 999\n');
});

it('a module of wasi_unstable runs', async () => {
  const task = await bench.wat(`(module
    (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00hello\\n")
    (func (export "_start")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))`);
  const { outcome, stdout } = await run(runtime, task);
  expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
  expect(stdout.toString()).toBe('hello\n');
});

it('an argument and a variable of 64 KiB reach a module', async () => {
  const long = 'x'.repeat(64 * 1024);
  const bytes = await readFile(new URL('preview1/programs/as-args.wasm', import.meta.url));
  const task = bench.task(bytes, { args: ['3', long], environment: { LONG: long } });
  const { outcome, stdout } = await run(runtime, task);
  expect(outcome).toMatchObject({ kind: 'completed' });
  expect(stdout.toString()).toBe(`guest,3,${long}, n=3\n3 item 2\n`);
});

it('an exception that a module does not catch is a TRAP that says so', async () => {
  const task = await bench.wat('(module (tag $t) (func (export "_start") (throw $t)))');
  const { outcome } = await run(runtime, task);
  expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
  expect(outcome).toHaveProperty('message', expect.stringContaining('an exception of the guest'));
});
