import { readFile } from 'node:fs/promises';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { describe, expect, it } from 'vitest';
import { describeWhere, wasiCompiler } from '../../../support/needs.ts';
import { compileWasi } from '../../../support/wasi.ts';
import { type CommandOptions, runCommand, runUnderNode } from './command.ts';

const kibibyte = 1024;

async function example(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(new URL(`../../../../examples/${name}.wasm`, import.meta.url)));
}

async function compiled(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await compileWasi(new URL(`programs/${name}.c`, import.meta.url)));
}

async function sameAsNode(module: WebAssembly.Module, options: CommandOptions): Promise<void> {
  const { exitCode, stdout, stderr } = runCommand(module, options);
  expect({ exitCode, stdout, stderr }).toEqual(await runUnderNode(module, options));
}

describeWhere([await wasiCompiler()], 'a C program', () => {
  it('that uses argv and 200 KB of heap runs, and finds its heap as it left it', async () => {
    const { ending, stdout } = runCommand(await compiled('heap'), { args: ['200000'] });
    expect(ending).toMatchObject({ kind: 'completed', exitCode: 0 });
    expect(stdout).toBe('n=200000 bad=0\n');
  });

  it('sees what it sees under the WASI of Node', async () => {
    const module = await compiled('echo');
    await sameAsNode(module, {});
    await sameAsNode(module, { args: ['3', '', 'zwei'], environment: { A: '1', LONG: 'ä'.repeat(50) } });
    await sameAsNode(module, { args: ['0'], input: 'one\ntwo\nthree without an end' });
  });

  it('gets an argument and a variable of 64 KiB whole', async () => {
    const long = 'x'.repeat(64 * kibibyte);
    const { stdout, exitCode } = runCommand(await compiled('echo'), {
      args: ['0', long],
      environment: { LONG: long },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`arg ${64 * kibibyte} xxx`);
    expect(stdout).toContain(`env ${64 * kibibyte + 'LONG='.length} LONG=xxx`);
  });

  it('delivers with its exit what it has not flushed before', async () => {
    const { ending, stdout } = runCommand(await compiled('echo'), { args: ['7'] });
    expect(ending).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
    expect(stdout).toMatch(/not flushed before the exit$/);
  });

  it('that returns -1 is reported as 255', async () => {
    expect(runCommand(await compiled('echo'), { args: ['-1'] }).exitCode).toBe(255);
  });

  it('sleeps, polls, and has four clocks that move', async () => {
    expect(runCommand(await compiled('wait'), { input: 'x' }).stdout.split('\n')).toEqual([
      'monotonic moved',
      'wall moved',
      'processor moved',
      'resolution 0 1000',
      'poll 3 in 1 out 1 invalid 1',
      '',
    ]);
  });
});

describe('an AssemblyScript program', () => {
  it('that reads argv prints all of it, and ends', async () => {
    const bytes = await readFile(new URL('programs/as-args.wasm', import.meta.url));
    const { ending, stdout } = runCommand(await WebAssembly.compile(bytes), { args: ['1000'] });
    expect(ending).toMatchObject({ kind: 'completed' });
    expect(stdout).toBe('program,1000, n=2\n1000 item 999\n');
  });
});

describe('a module', () => {
  it('of the examples does what it does under the WASI of Node', async () => {
    await sameAsNode(await example('wordcount/wordcount'), { input: 'one two\nthree\n' });
    await sameAsNode(await example('misbehaving/stderr-mix'), { args: ['4'] });
    await sameAsNode(await example('misbehaving/exit'), { args: ['9'] });
  });

  it('that traps ends as TRAP and keeps its output', async () => {
    const { ending, stdout } = runCommand(await example('misbehaving/trap'));
    expect(ending).toMatchObject({ kind: 'failed', code: 'TRAP' });
    expect(stdout).toBe('before the trap\n');
  });

  it('that recurses without end ends as TRAP', async () => {
    const { ending } = runCommand(await example('misbehaving/recurse'));
    expect(ending).toMatchObject({ kind: 'failed', code: 'TRAP' });
  });

  it('that imports what there is not does not start, and the message names it', async () => {
    const module = await WebAssembly.compile(
      await parse('(module (import "wasi_snapshot_preview1" "fd_dup" (func)))'),
    );
    expect(runCommand(module).ending).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: expect.stringContaining('fd_dup'),
    });
  });

  it('that calls its host in its start section does not start, and the message says so', async () => {
    const module = await WebAssembly.compile(
      await parse(`(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func $start (drop (call $yield)))
        (start $start)
        (func (export "_start")))`),
    );
    expect(runCommand(module).ending).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: expect.stringContaining('start section'),
    });
  });

  it('without _start does not start, and the message says so', async () => {
    const module = await WebAssembly.compile(await parse('(module (memory (export "memory") 1))'));
    expect(runCommand(module).ending).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: expect.stringContaining('_start'),
    });
  });

  it('that catches the exception of its exit has still exited', async () => {
    const module = await WebAssembly.compile(
      await parse(`(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (block $caught (try_table (catch_all $caught) (call $exit (i32.const 5))))))`),
    );
    expect(runCommand(module).exitCode).toBe(5);
  });

  it('of the first version, wasi_unstable, runs', async () => {
    const module = await WebAssembly.compile(
      await parse(`(module
        (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00hello\\n")
        (func (export "_start")
          (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))`),
    );
    expect(runCommand(module)).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
  });
});
