import { tmpdir } from 'node:os';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { describe, expect, it } from 'vitest';
import type { LoadedProgram } from '../../../../src/runtimes/wasm/guest-host/guest.ts';
import { LiftBudget } from '../../../../src/runtimes/wasm/guest-host/lift-budget.ts';
import { NextGuest } from '../../../../src/runtimes/wasm/guest-host/next-guest.ts';
import { readExample } from '../fixture.ts';
import { contextWith, loadModule } from './loaded.ts';

const nothing = () => contextWith('');

/** What there is for the next execution after two of the program. */
function afterTwo(loaded: LoadedProgram): NextGuest {
  const next = new NextGuest(new LiftBudget());
  next.take(loaded, nothing());
  next.take(loaded, nothing());
  next.make();
  return next;
}

/** Adds one to a number in its memory and prints it, and then how far its clock of processor time is, in seconds. */
const counter = await parse(`(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "0,")
  (func (export "_start")
    (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
    (drop (call $time (i32.const 2) (i64.const 1) (i32.const 64)))
    (i32.store8 (i32.const 2)
      (i32.add (i32.const 48) (i32.wrap_i64 (i64.div_u (i64.load (i32.const 64)) (i64.const 100000000)))))
    (i32.store (i32.const 16) (i32.const 0))
    (i32.store (i32.const 20) (i32.const 3))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))`);

/** A command, and so many exports beside it. */
function manyExports(count: number): string {
  const names = Array.from({ length: count }, (_, index) => `(export "f${index}" (func $f))`);
  return `(module (func $f) (export "_start" (func $f)) ${names.join(' ')})`;
}

describe('the next instance of a program', () => {
  it('is made ahead once the program has run twice in a row', async () => {
    const loaded = await loadModule(await readExample('wordcount/wordcount'));
    const next = new NextGuest(new LiftBudget());
    next.make();
    expect(next.take(loaded, nothing())).toBeUndefined();
    next.make();
    expect(next.take(loaded, nothing())).toBeUndefined();
    next.make();
    expect(next.take(loaded, nothing())).toBeDefined();
  });

  it('sees what belongs to its own execution, and an untouched memory', async () => {
    const loaded = await loadModule(counter);
    const next = afterTwo(loaded);
    for (let run = 0; run < 3; run += 1) {
      const context = contextWith('');
      next.take(loaded, context)?.runCommand();
      expect(context.output).toEqual(['1,0']);
      next.make();
    }
    const wordcount = await loadModule(await readExample('wordcount/wordcount'), { key: 2 });
    const words = contextWith('one two\nthree\n');
    afterTwo(wordcount).take(wordcount, words)?.runCommand();
    expect(words.output.join('')).toMatch(/^2 3 14\b/);
  });

  it('has a clock of processor time that begins when it runs', async () => {
    const loaded = await loadModule(counter);
    const next = afterTwo(loaded);
    const { user, system } = process.cpuUsage();
    // A tenth of a second would be seen as 1.
    for (let used = 0; used < 150_000; ) {
      const now = process.cpuUsage();
      used = now.user + now.system - user - system;
    }
    const context = contextWith('');
    next.take(loaded, context)?.runCommand();
    expect(context.output).toEqual(['1,0']);
  });

  it('is given to no other program', async () => {
    const one = await loadModule(counter);
    const other = await loadModule(counter, { key: 2 });
    expect(afterTwo(one).take(other, nothing())).toBeUndefined();
  });

  it('is not kept when its program is forgotten', async () => {
    const loaded = await loadModule(counter);
    const next = afterTwo(loaded);
    next.forget(2);
    next.forget(1);
    expect(next.take(loaded, nothing())).toBeUndefined();
  });

  it.each([
    [
      'runs code of its own when it is instantiated',
      '(module (func $start) (start $start) (func (export "_start")))',
      {},
    ],
    ['holds a folder', '(module (func (export "_start")))', { preopens: { '/data': tmpdir() } }],
    [
      'cannot be instantiated',
      '(module (memory 1) (data (i32.const 70000) "x") (func (export "_start")))',
      {},
    ],
    ['has very many exports', manyExports(1000), {}],
    // 300 000 entries of a table are counted as 18 MiB.
    ['takes long to make', '(module (table 300000 funcref) (func (export "_start")))', {}, 64],
  ])('is not made ahead where it %s', async (_what, text, facts, limitMiB = 1) => {
    const loaded = await loadModule(await parse(text), facts, limitMiB);
    expect(afterTwo(loaded).take(loaded, nothing())).toBeUndefined();
  });
});
