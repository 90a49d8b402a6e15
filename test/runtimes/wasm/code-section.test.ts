import { readdir, readFile } from 'node:fs/promises';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { describe, expect, it } from 'vitest';
import { layerOf } from '../../../src/runtimes/wasm/check/binary.ts';
import { checkCode } from '../../../src/runtimes/wasm/check/code-section.ts';
import { checkComponent } from '../../../src/runtimes/wasm/check/component-shape.ts';
import { readCoreModule } from '../../../src/runtimes/wasm/check/core-module.ts';
import { atomic, bulk, immediate, plain, vector } from '../../../src/runtimes/wasm/check/instructions.ts';
import { longBlock, moduleOf, phiBomb, repeated } from './bombs.ts';

function check(bytes: Uint8Array): void {
  checkCode(bytes, readCoreModule(bytes));
}

async function checkWat(source: string): Promise<void> {
  check(await parse(`(module ${source})`));
}

/** What the engine says against the instruction, where it may say that it does not know it. */
function engineWords(opcode: readonly number[]): string {
  const bytes = moduleOf([{ code: Buffer.from([0x00, ...opcode, ...new Array(20).fill(0)]) }]);
  try {
    // The types of a browser have no constructor for it.
    Reflect.construct(WebAssembly.Module, [bytes]);
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('compile bombs, which take the engine hundreds of times their size', () => {
  it.each([
    ['many locals at many joins', phiBomb(5000, 30_000), /function \(index 0\) .* 5000 locals .*allowed/],
    ['34 KB of it', phiBomb(50_000, 1850), /function \(index 0\) .* 50000 locals .*allowed is 805306368/],
    ['one endless basic block', longBlock(7_000_000), /function \(index 0\) .* 7000000 bytes with 0 locals/],
    [
      'a million functions',
      moduleOf(new Array(900_000).fill({ code: Buffer.from([0x01]) })),
      /900000 functions \(allowed is 250000\)/,
    ],
    [
      'many locals in many functions',
      moduleOf(new Array(1000).fill({ code: Buffer.from([0x01]), locals: 50_000 })),
      /or more locals in all its functions \(allowed is 16000000\)/,
    ],
    [
      'calls of a table without end',
      moduleOf([{ code: repeated([0x41, 0, 0x11, 0, 0], 100_000) }]),
      /function \(index 0\) .* memory/,
    ],
    [
      'reads of a table without end',
      moduleOf([{ code: repeated([0x41, 0, 0x25, 0, 0x1a], 30_000) }]),
      /function \(index 0\) .* memory/,
    ],
    [
      'calls with a handler of exceptions around them',
      moduleOf([
        { code: Buffer.from([]) },
        {
          locals: 5000,
          code: Buffer.concat([
            Buffer.from([0x02, 0x40, 0x1f, 0x40, 1, 2, 0]),
            repeated([0x10, 0], 20_000),
            Buffer.from([0x0b, 0x0b]),
          ]),
        },
      ]),
      /function \(index 1\) .* memory/,
    ],
    [
      'operands piled up before branches',
      moduleOf([
        {
          code: Buffer.concat([
            repeated([0x41, 0], 50_000),
            repeated([0x41, 0, 0x04, 0x40, 0x05, 0x0b], 1000),
            repeated([0x1a], 50_000),
          ]),
        },
      ]),
      /function \(index 0\) .* memory/,
    ],
    [
      'loops in loops',
      moduleOf([{ code: Buffer.concat([repeated([0x03, 0x40], 20_000), repeated([0x0b], 20_000)]) }]),
      /loops come to 5\d{8} bytes/,
    ],
  ])('%s', (_what, bytes, expected) => {
    expect(() => check(bytes)).toThrow(expected);
  });
});

describe('what is no bomb', () => {
  it.each([
    [
      '200 000 nested blocks',
      moduleOf([{ code: Buffer.concat([repeated([0x02, 0x40], 200_000), repeated([0x0b], 200_000)]) }]),
    ],
    ['a function of a megabyte', longBlock(1_000_000)],
    ['a function with 50 000 locals', moduleOf([{ code: Buffer.from([0x01]), locals: 50_000 }])],
    [
      'a switch of 5000 cases',
      moduleOf([
        {
          locals: 100,
          code: Buffer.from([0x02, 0x40, 0x41, 0, 0x0e, 0x88, 0x27, ...new Array(5001).fill(0), 0x0b]),
        },
      ]),
    ],
  ])('%s passes', (_what, bytes) => {
    expect(WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)).toBe(true);
    expect(() => check(bytes)).not.toThrow();
  });

  it('every example and the tools of jco pass', async () => {
    const examples = new URL('../../../examples/', import.meta.url);
    const vendor = new URL('../vendor/', import.meta.resolve('@bytecodealliance/jco-transpile'));
    for (const folder of [examples, vendor]) {
      const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.wasm'));
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) {
        const bytes = await readFile(new URL(name, folder));
        if (layerOf(bytes) === 'core') check(bytes);
        else checkComponent(bytes);
      }
    }
  });

  it.each([
    [
      'tail calls',
      '(table 1 funcref) (type $t (func)) (func $f return_call $f) (func i32.const 0 return_call_indirect (type $t))',
    ],
    [
      'exceptions',
      '(tag $e (param i32)) (func (result i32) (block $h (result i32) (try_table (result i32) (catch $e $h) (throw $e (i32.const 1)))))',
    ],
    [
      'references to functions',
      '(type $t (func)) (func (param (ref null $t)) (block $b (call_ref $t (br_on_null $b (local.get 0)))))',
    ],
    [
      'vectors',
      '(memory 1) (func (result v128) (v128.load8_lane 3 (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 0 0) (v128.const i64x2 0 0))))',
    ],
    [
      'relaxed vectors',
      '(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))',
    ],
    [
      'atomic access to memory of its own',
      '(memory 1) (func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))) (atomic.fence))',
    ],
    [
      'bulk memory',
      '(memory 1) (data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d))',
    ],
    [
      'values of blocks',
      '(func (result i32 i64) (i32.const 1) (i64.const 2) (block (param i32 i64) (result i32 i64) (br 0)))',
    ],
    [
      'code that cannot be reached',
      '(func (result i32) (unreachable) (i32.add) (block (result i32) (br 0) (i64.mul) (drop)))',
    ],
  ])('%s are read', async (_what, source) => {
    await expect(checkWat(source)).resolves.toBeUndefined();
  });
});

describe('the exceptions of old', () => {
  it('are read', () => {
    // try (result i32) { call 0; i32.const 1 } catch_all { i32.const 2 }; drop
    const code = Buffer.from([0x06, 0x7f, 0x10, 0, 0x41, 1, 0x19, 0x41, 2, 0x0b, 0x1a]);
    const bytes = moduleOf([{ code: Buffer.from([]) }, { code }]);
    expect(WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)).toBe(true);
    expect(() => check(bytes)).not.toThrow();
  });
});

describe('instructions', () => {
  it.each([
    ['GC', '(func (drop (ref.i31 (i32.const 1))))', /instructions of the GC proposal .* in function 0/],
    [
      'wide arithmetic',
      '(func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0)))',
      /wide arithmetic \(instruction 0xfc 0x16\) in function 0/,
    ],
  ])('of %s are refused by name', async (_what, source, expected) => {
    await expect(checkWat(source)).rejects.toThrow(expected);
  });

  it('that are not known here are not known to the engine either, but for GC', () => {
    const tables = [
      ...[...plain.immediates].map((kind, opcode) => [kind, [opcode]] as const),
      ...[bulk, vector, atomic].flatMap(({ immediates }, index) =>
        Array.from({ length: 0x180 }, (_, opcode) => {
          const kind = immediates[opcode] ?? immediate.unknown;
          return [kind, [0xfc + index, (opcode & 0x7f) | 0x80, opcode >> 7]] as const;
        }),
      ),
    ];
    const missed = tables
      .filter(([kind, [first]]) => kind === immediate.unknown && first !== 0xd3)
      .map(([, opcode]) => opcode)
      .filter((opcode) => !/opcode|prefix/i.test(engineWords(opcode)));
    expect(missed).toEqual([]);
  });

  it('of a function that does not end where it should are refused', async () => {
    const bytes = Uint8Array.from(moduleOf([{ code: Buffer.from([0x01, 0x01]) }]));
    bytes[bytes.length - 1] = 0x01;
    expect(() => check(bytes)).toThrow(/does not end/);
  });
});
