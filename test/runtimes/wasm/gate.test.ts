import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCoreModule } from '../../../src/runtimes/wasm/check/core-module.ts';
import { gateModules, pageBytes, tableEntryBytes } from '../../../src/runtimes/wasm/check/gate.ts';

const mebibyte = 1024 * 1024;

interface Sizes {
  readonly memory?: string;
  readonly tables?: readonly string[];
}

function wat({ memory, tables = [] }: Sizes): Promise<Uint8Array> {
  const memories = memory === undefined ? '' : `(memory ${memory})`;
  return parse(
    `(module ${memories} ${tables.map((size) => `(table ${size} funcref)`).join(' ')} (func (export "f")))`,
  );
}

/** The most that all memories and tables of the gated modules can come to. */
function most(modules: readonly Uint8Array[], instances: readonly number[]): number {
  return modules.reduce((sum, bytes, index) => {
    const { memories, tables } = readCoreModule(bytes);
    const pages = memories.reduce((total, { maximum = Number.NaN }) => total + maximum, 0);
    const entries = tables.reduce((total, { maximum = Number.NaN }) => total + maximum, 0);
    return sum + (pages * pageBytes + entries * tableEntryBytes) * (instances[index] ?? 0);
  }, 0);
}

async function maxima(sizes: Sizes, limit: number): Promise<(number | undefined)[]> {
  const [gated] = gateModules([{ bytes: await wat(sizes), instances: 1 }], limit);
  if (gated === undefined) throw new Error('nothing came out of the gate');
  expect(WebAssembly.validate(gated.bytes)).toBe(true);
  const { memories, tables } = readCoreModule(gated.bytes);
  return [...memories, ...tables].map(({ maximum }) => maximum);
}

describe('the gate', () => {
  it('gives one memory all that the limit leaves', async () => {
    expect(await maxima({ memory: '1' }, 16 * mebibyte)).toEqual([256]);
  });

  it('keeps a maximum that is smaller', async () => {
    expect(await maxima({ memory: '1 5', tables: ['7 7'] }, 16 * mebibyte)).toEqual([5, 7]);
  });

  it('lets tables grow by a sixteenth of what remains, shared among them', async () => {
    const [, first, second] = await maxima({ memory: '1', tables: ['0', '0'] }, 16 * mebibyte);
    const share = (16 * mebibyte - pageBytes) / 16 / tableEntryBytes / 2;
    expect([first, second]).toEqual([Math.floor(share), Math.floor(share)]);
  });

  it('never lets all memories and tables of all instances come to more than the limit', async () => {
    const size = fc
      .tuple(fc.nat(20), fc.option(fc.nat(400)))
      .map(([low, more]) => (more === null ? `${low}` : `${low} ${low + more}`));
    const sizes = fc.record({
      memory: fc.option(size, { nil: undefined }),
      tables: fc.array(size, { maxLength: 3 }),
    });
    const module = fc.tuple(sizes, fc.integer({ min: 1, max: 3 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(module, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 16, max: 64 }),
        async (made, limit) => {
          const inputs = await Promise.all(
            made.map(async ([{ memory, tables }, instances]) => ({
              bytes: await wat(memory === undefined ? { tables } : { memory, tables }),
              instances,
            })),
          );
          const gated = gateModules(inputs, limit * mebibyte);
          expect(gated.every(({ bytes }) => WebAssembly.validate(bytes))).toBe(true);
          const bytes = gated.map((each) => each.bytes);
          expect(
            most(
              bytes,
              inputs.map((input) => input.instances),
            ),
          ).toBeLessThanOrEqual(limit * mebibyte);
        },
      ),
      { numRuns: 100 },
    );
  });
});
