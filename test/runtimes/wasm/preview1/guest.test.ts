import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createGuest } from '../../../../src/runtimes/wasm/guest-host/guest.ts';
import { LiftBudget } from '../../../../src/runtimes/wasm/guest-host/lift-budget.ts';
import { readExample } from '../fixture.ts';
import { contextWith, loadModule } from './loaded.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spear-module-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const loadIn = (bytes: Uint8Array) => loadModule(bytes, { preopens: { '/data': folder } });

/** Descriptors of this process that are open in the preopened folder. */
function openInFolder(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      // The descriptor that lists the folder itself is gone by now.
      return false;
    }
  }).length;
}

it('a program without generated source is run as a core module, as it is', async () => {
  const loaded = await loadIn(await readExample('wordcount/wordcount'));
  const context = contextWith('one two\nthree\n');
  const guest = createGuest(loaded, context, new LiftBudget());
  guest.runCommand();
  guest.close();
  expect(context.output.join('')).toMatch(/3/);
  expect(guest.memory()).toMatchObject({ cap: loaded.cores[0]?.memoryCap, used: expect.any(Number) });
  expect(guest.memory().used).toBeGreaterThan(0);
});

it('what a module has left open is closed with it, and where it does not start', async () => {
  writeFileSync(join(folder, 'file'), '');
  const opener = await loadIn(
    await parse(`(module
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "file")
      (func (export "_start")
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))))`),
  );
  const guest = createGuest(opener, contextWith(''), new LiftBudget());
  guest.runCommand();
  expect(openInFolder()).toBe(2);
  guest.close();
  expect(openInFolder()).toBe(0);
  const broken = await loadIn(await parse('(module (func $start unreachable) (start $start))'));
  expect(() => createGuest(broken, contextWith(''), new LiftBudget())).toThrow(WebAssembly.RuntimeError);
  expect(openInFolder()).toBe(0);
});
