import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { describe, expect, it } from 'vitest';
import { checkComponent } from '../../../src/runtimes/wasm/check/component-shape.ts';
import { doublingComponent } from './bombs.ts';
import { readExample } from './fixture.ts';
import { httpHandler, typedGuest } from './typed-guest.ts';

async function costOf(source: string): Promise<ReturnType<typeof checkComponent>> {
  return checkComponent(await parse(source));
}

/** Types of which each is two of the one before: written out in full, 2 to the power of `depth`. */
function doublingTypes(depth: number): string {
  return Array.from({ length: depth }, (_, level) => {
    const before = level === 0 ? 'u8' : `$t${level - 1}`;
    return `(type $t${level} (tuple ${before} ${before}))`;
  }).join(' ');
}

describe('what a component makes', () => {
  it('is counted through components that instantiate components', async () => {
    expect(await costOf(doublingComponent(3))).toMatchObject({ coreInstances: 8, memories: 8, tables: 0 });
  });

  it('is counted through aliases of components outside', async () => {
    const source = `(component
      (component $one (core module $m (memory 1)) (core instance (instantiate $m)))
      (component $two (alias outer 1 $one (component $c)) (instance (instantiate $c)) (instance (instantiate $c)))
      (instance (instantiate $two)) (instance (instantiate $two)))`;
    expect(await costOf(source)).toMatchObject({ coreInstances: 4, memories: 4 });
  });

  it.each(['wordcount/wordcount.component', 'typed/typed', 'noop/noop', 'misbehaving/net'])(
    'of the example %s is little',
    async (name) => {
      const cost = checkComponent(await readExample(name));
      expect(cost.coreInstances).toBeLessThanOrEqual(4);
      expect(cost.memories).toBe(1);
      expect(cost.work).toBeLessThan(3000);
    },
  );

  it('of components that the tools make is counted', async () => {
    expect(checkComponent(await typedGuest())).toMatchObject({ coreInstances: 1, memories: 1 });
    expect(checkComponent(await httpHandler())).toMatchObject({ coreInstances: 1, memories: 0 });
  });
});

describe('components that multiply are refused', () => {
  it('by their memories, at any depth', async () => {
    await expect(costOf(doublingComponent(6))).rejects.toThrow(/memories .*\(allowed is 32\)/);
    await expect(costOf(doublingComponent(40))).rejects.toThrow(/memories .*\(allowed is 32\)/);
  });

  it('by their core instances', async () => {
    await expect(costOf(doublingComponent(8).replace('(memory 1)', ''))).rejects.toThrow(
      /core instances .*\(allowed is 200\)/,
    );
  });

  it('by their tables', async () => {
    const source = doublingComponent(4).replace('(memory 1)', '(table 0 funcref)'.repeat(30));
    await expect(costOf(source)).rejects.toThrow(/tables .*\(allowed is 400\)/);
  });

  it('by instances without any core instance', async () => {
    const source = doublingComponent(18).replace(
      '(core module $m (memory 1)) (core instance (instantiate $m))',
      '',
    );
    await expect(costOf(source)).rejects.toThrow(/entries, with all types written out .*allowed is 200000/);
  });

  it('by types that are written out', async () => {
    await expect(costOf(`(component ${doublingTypes(16)})`)).rejects.toThrow(/a type that is \d+ types/);
  });

  it('by types that come out of an instance', async () => {
    const source = `(component
      (import "a:b/c" (instance $i ${doublingTypes(12)} (export "t" (type (eq $t11)))))
      (alias export $i "t" (type $outer))
      (type $more (tuple $outer $outer $outer $outer)))`;
    await expect(costOf(source)).rejects.toThrow(/a type that is \d+ types/);
  });

  it('as are aliases of what is outside of everything, at once', async () => {
    const bytes = Uint8Array.from(await parse('(component (type u8) (alias outer 0 0 (type)))'));
    // Kind 3 (type), target 2 (outer), how many scopes out, index; before it the section's length and a count.
    const alias = Buffer.from(bytes).indexOf(Buffer.from([0x03, 0x02, 0x00, 0x00]));
    const far = Buffer.concat([
      bytes.subarray(0, alias - 2),
      Buffer.from([9, 1, 0x03, 0x02, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]),
    ]);
    expect(() => checkComponent(far)).toThrow(/an alias of nothing/);
  });

  it.each([
    ['components as imports', '(component (component (import "c" (component))))', /components as imports/],
    [
      'components nested more than 50 deep',
      `${'(component '.repeat(60)}${')'.repeat(60)}`,
      /nested more than 50 deep/,
    ],
  ])('as are %s', async (_what, source, expected) => {
    await expect(costOf(source)).rejects.toThrow(expected);
  });
});
