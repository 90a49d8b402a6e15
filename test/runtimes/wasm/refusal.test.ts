import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/domain/errors.ts';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { doublingComponent, phiBomb } from './bombs.ts';
import { limits, readExample, WasmBench } from './fixture.ts';
import { httpHandler, namedExport } from './typed-guest.ts';

const bench = new WasmBench();
let runtime: Runtime;
beforeAll(async () => {
  runtime = await bench.runtime();
});
afterAll(() => bench.close());

async function refusal(task: TaskDefinition): Promise<{ field: string; description: string }> {
  const error: unknown = await runtime.prepare(task).catch((reason: unknown) => reason);
  if (!(error instanceof RequestError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.kind).toBe('invalid_argument');
  const [violation] = error.violations;
  if (violation === undefined) throw new Error('no field is named');
  return violation;
}

const content = 'definition.artifact.content';
const start = '(func (export "_start"))';

describe('refused at registration, with the field and the reason', () => {
  it('bytes that are not WebAssembly', async () => {
    expect(await refusal(bench.task(Buffer.from('#!/bin/sh\n')))).toEqual({
      field: content,
      description: expect.stringContaining('not WebAssembly'),
    });
  });

  it.each([0, 6, 40, 1000])('an artifact cut off after %i bytes', async (length) => {
    const { field, description } = await refusal(
      bench.task((await readExample('wordcount/wordcount')).slice(0, length)),
    );
    expect(field).toBe(content);
    expect(description).toMatch(/truncated|not WebAssembly/);
  });

  it.each([
    [
      'an unknown core import',
      `(module (import "env" "f" (func)) (memory (export "memory") 1) ${start})`,
      '"env.f"',
    ],
    [
      'the import of another host',
      `(module (import "extism:host/env" "input_length" (func (result i64))) (memory (export "memory") 1) ${start})`,
      '"extism:host/env.input_length"',
    ],
    [
      'a function that WASI never had',
      `(module (import "wasi_snapshot_preview1" "sock_open" (func (param i32) (result i32))) (memory (export "memory") 1) ${start})`,
      '"wasi_snapshot_preview1.sock_open"',
    ],
    [
      'a function of WASI with another type',
      `(module (import "wasi_snapshot_preview1" "fd_seek" (func (param i32 i32 i32 i32) (result i32))) (memory (export "memory") 1) ${start})`,
      '(i32, i32, i32, i32) -> (i32); in WASI preview 1 it is (i32, i64, i32, i32) -> (i32)',
    ],
    [
      'a memory that it does not export',
      `(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (memory 1) ${start})`,
      'exports no memory',
    ],
    [
      'a name of 50 000 letters, cut',
      `(module (import "${'e'.repeat(50_000)}" "f" (func)) (memory (export "memory") 1) ${start})`,
      'eee…',
    ],
    ['401 tables', `(module ${'(table 0 funcref)'.repeat(401)} ${start})`, '401 tables'],
    ['a library', '(module (memory (export "memory") 1) (func (export "_initialize")))', '_initialize'],
    ['a start with parameters', '(module (func (export "_start") (param i32)))', '(i32) -> ()'],
    [
      'exceptions inside a component',
      `(component (core module $m (tag $e) (func (export "f") (throw $e))) (core instance $i (instantiate $m))
        (func (export "ping") (canon lift (core func $i "f"))))`,
      'exceptions proposal',
    ],
    [
      '65 536 core instances',
      doublingComponent(16),
      'memories once all its instances are made (allowed is 32)',
    ],
    ['memory64', `(module (memory (export "memory") i64 1) ${start})`, 'memory64'],
    ['shared memory', `(module (memory (export "memory") 1 2 shared) ${start})`, 'shared memory'],
    ['several memories', `(module (memory (export "memory") 1) (memory 1) ${start})`, 'several memories'],
    [
      'structs',
      `(module (type (struct (field i32))) (memory (export "memory") 1) ${start})`,
      'garbage-collected',
    ],
    ['arrays', `(module (type (array i32)) (memory (export "memory") 1) ${start})`, 'garbage-collected'],
    ['table64', `(module (memory (export "memory") 1) (table i64 1 funcref) ${start})`, 'table64'],
    ['a module with nothing to call', '(module (memory (export "memory") 1))', 'nothing to call'],
    [
      'an interface that nobody offers',
      '(component (import "wasi:nn/tensor@0.2.0" (instance)))',
      'wasi:nn/tensor@0.2.0',
    ],
    ['a later WASI', '(component (import "wasi:cli/stdin@0.3.0" (instance)))', 'wasi:cli/stdin@0.3.0'],
  ])('%s', async (_what, source, expected) => {
    const { field, description } = await refusal(await bench.wat(source));
    expect(field).toBe(content);
    expect(description).toContain(expected);
  });

  it('says what is offered where an import is not', async () => {
    const { description } = await refusal(await bench.wat('(component (import "a:b/c" (instance)))'));
    expect(description).toMatch(
      /wasi:cli, wasi:clocks, wasi:filesystem, wasi:http, wasi:io, wasi:random, wasi:sockets/,
    );
  });

  it('a feature in a module deep inside a component', async () => {
    const source = '(component (component (component (core module (memory i64 1)))))';
    expect((await refusal(await bench.wat(source))).description).toContain('memory64');
  });

  it('names that would end a string in the generated source and run on the host', async () => {
    const name = "x'];globalThis.pwned=1;['";
    const source = `(component
      (core module $m (func (export "${name}")))
      (core module $n (import "a" "${name}" (func)) (func (export "ping")))
      (core instance $i (instantiate $m))
      (core instance $j (instantiate $n (with "a" (instance $i))))
      (func (export "ping") (canon lift (core func $j "ping"))))`;
    expect((await refusal(await bench.wat(source))).description).toContain('a name with quotes');
  });

  it('a function that takes the compiler gigabytes, by its index', async () => {
    const { field, description } = await refusal(bench.task(phiBomb(50_000, 1850)));
    expect(field).toBe(content);
    expect(description).toMatch(/a function \(index 0\) that takes the compiler about \d+ bytes/);
  });

  it('a component that only answers HTTP requests, which nobody sends it', async () => {
    const { description } = await refusal(bench.task(await httpHandler()));
    expect(description).toContain('it exports only an HTTP handler (wasi:http/incoming-handler)');
  });

  it.each(['arguments', 'exports0', 'module0', 'realloc0', 'post-return0', 'trampoline3'])(
    'an export by the name %s, with which the generated JavaScript would not start',
    async (name) => {
      expect((await refusal(bench.task(await namedExport(name)))).description).toContain(
        `it exports "${name}", a name that is taken`,
      );
      const inInterface = await refusal(bench.task(await namedExport(name, 'test:named/api')));
      expect(inInterface.description).toContain(`it exports "test:named/api#${name}"`);
    },
  );

  it('a memory that is larger at its start than the limit', async () => {
    const task = bench.task(await readExample('misbehaving/hog'), limits(64 * 1024));
    expect(await refusal(task)).toEqual({
      field: 'definition.limits.memory',
      description: expect.stringMatching(/^65536 bytes is less than the \d+ /),
    });
  });

  it('a table that is larger at its start than the limit', async () => {
    const source = `(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (memory (export "memory") 1) (table 9000000 funcref) ${start})`;
    expect((await refusal(await bench.wat(source))).field).toBe('definition.limits.memory');
  });

  it('a body that the engine does not validate', async () => {
    const valid = await parse(`(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (memory (export "memory") 1) (func (export "_start") (drop (i32.const 7))))`);
    const broken = Uint8Array.from(valid);
    broken[broken.lastIndexOf(0x1a)] = 0x6a;
    expect((await refusal(bench.task(broken))).field).toBe(content);
  });
});
