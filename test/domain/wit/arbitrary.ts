/** Arbitrary WIT types, functions and values, for the round trips. */
import fc from 'fast-check';
import type { JsonValue } from '../../../src/domain/execution.ts';
import type { WitField, WitFunction, WitType } from '../../../src/domain/wit/types.ts';

const names = fc.constantFrom(
  'a',
  'point',
  'write-all',
  'x1-y2',
  'record',
  'type',
  'u32',
  'list',
  'some',
  'none',
  'ok',
  'nan',
  'true',
  'constructor',
  'HTTP-code',
);

const scalars: fc.Arbitrary<WitType> = fc
  .constantFrom('bool', 'u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64', 'f32', 'f64', 'char', 'string')
  .map((kind) => ({ kind }) as WitType);

const opaques: fc.Arbitrary<WitType> = fc
  .constantFrom(
    'own<blob>',
    'borrow<%record>',
    'stream<u8>',
    'future',
    'error-context',
    'map<string, u8>',
    'gone',
  )
  .map((what) => ({ kind: 'opaque', what }));

function distinct(min: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(names, { minLength: min, maxLength: 4 });
}

function typeOver(leaf: fc.Arbitrary<WitType>, depth: number): fc.Arbitrary<WitType> {
  if (depth === 0) return leaf;
  const inner = typeOver(leaf, depth - 1);
  const maybe = fc.option(inner, { nil: undefined });
  return fc.oneof(
    leaf,
    fc.record({ kind: fc.constant('list' as const), element: inner }),
    fc.record({ kind: fc.constant('list' as const), element: inner, length: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      kind: fc.constant('tuple' as const),
      elements: fc.array(inner, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('option' as const), some: inner }),
    fc.record({ kind: fc.constant('result' as const), ok: maybe, err: maybe }),
    fc.record({ kind: fc.constant('record' as const), name: names, fields: fields(inner, 1) }),
    fc.tuple(names, distinct(1), fc.array(maybe, { minLength: 4, maxLength: 4 })).map(
      ([name, cases, types]): WitType => ({
        kind: 'variant',
        name,
        cases: cases.map((each, index) => ({ name: each, type: types[index] })),
      }),
    ),
    fc.record({ kind: fc.constant('enum' as const), name: names, cases: distinct(1) }),
    fc.record({ kind: fc.constant('flags' as const), name: names, names: distinct(1) }),
  );
}

function fields(type: fc.Arbitrary<WitType>, min: number): fc.Arbitrary<WitField[]> {
  return fc
    .tuple(distinct(min), fc.array(type, { minLength: 4, maxLength: 4 }))
    .map(([found, types]) => found.map((name, index) => ({ name, type: types[index] ?? { kind: 'bool' } })));
}

export const valueTypes = typeOver(scalars, 3);

function functionsOver(type: fc.Arbitrary<WitType>): fc.Arbitrary<WitFunction[]> {
  const signature = fc.record({ parameters: fields(type, 0), result: fc.option(type, { nil: undefined }) });
  const scopes = fc.uniqueArray(
    fc.constantFrom(
      '',
      'plain#',
      'interface#',
      'ns:pkg/iface#',
      'ns:pkg/iface@1.0.0#',
      'ns:pkg/use@1.0.0-rc.1#',
    ),
    { maxLength: 3 },
  );
  const locals = fc.uniqueArray(
    fc.constantFrom(
      'add',
      'import',
      'echo-all',
      '[method]blob.read',
      '[static]blob.make',
      '[constructor]blob',
    ),
    { minLength: 1, maxLength: 4 },
  );
  return scopes.chain((all) =>
    fc
      .tuple(...all.map((scope) => locals.chain((local) => group(scope, local, signature))))
      .map((groups) => groups.flat()),
  );
}

function group(
  scope: string,
  locals: readonly string[],
  signature: fc.Arbitrary<Omit<WitFunction, 'name'>>,
): fc.Arbitrary<WitFunction[]> {
  const self: WitField = { name: 'self', type: { kind: 'opaque', what: 'borrow<blob>' } };
  const usable = locals.filter((local) => scope !== '' || !local.startsWith('['));
  // Functions of one resource stand together in WIT.
  usable.sort((left, right) => Number(left.startsWith('[')) - Number(right.startsWith('[')));
  return fc.tuple(...usable.map(() => signature)).map((signatures) =>
    signatures.map(({ parameters, result }, index) => {
      const local = usable[index] ?? '';
      const made: WitType = { kind: 'opaque', what: 'own<blob>' };
      return {
        name: scope + local,
        parameters: local.startsWith('[method]') ? [self, ...parameters] : parameters,
        result: local.startsWith('[constructor]') ? (result ?? made) : result,
      };
    }),
  );
}

/** Functions of every kind, those of one interface together. */
export const functionLists = functionsOver(typeOver(fc.oneof(scalars, opaques), 2));

/** A value in the JSON that the encoder writes: the canonical one. */
export function canonicalJson(type: WitType): fc.Arbitrary<JsonValue> {
  switch (type.kind) {
    case 'bool':
      return fc.boolean();
    case 'u8':
      return fc.integer({ min: 0, max: 0xff });
    case 's8':
      return fc.integer({ min: -0x80, max: 0x7f });
    case 'u16':
      return fc.integer({ min: 0, max: 0xffff });
    case 's16':
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case 'u32':
      return fc.integer({ min: 0, max: 0xffff_ffff });
    case 's32':
      return fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    case 'u64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
    case 's64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
    case 'f32':
      return fc.oneof(fc.constantFrom(0.1, -0, 16777216, 3.4028235e38, -1.2345679e-20, 1e-45), special);
    case 'f64':
      return fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), special);
    case 'char':
      return fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
    case 'string':
      return fc.string({ unit: 'binary' });
    case 'list': {
      const bounds =
        type.length === undefined ? { maxLength: 3 } : { minLength: type.length, maxLength: type.length };
      if (type.element.kind !== 'u8') return fc.array(canonicalJson(type.element), bounds);
      return fc.uint8Array(bounds).map((bytes) => Buffer.from(bytes).toString('base64'));
    }
    case 'tuple':
      return fc.tuple(...type.elements.map(canonicalJson));
    case 'option': {
      const some = canonicalJson(type.some);
      const wrapped = type.some.kind === 'option' ? some.map((value) => ({ some: value })) : some;
      return fc.option(wrapped);
    }
    case 'result':
      return tagged([
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ]);
    case 'variant':
      return tagged(type.cases);
    case 'record':
      return fc
        .tuple(...type.fields.map((field) => canonicalJson(field.type)))
        .map((values) =>
          Object.fromEntries(type.fields.map((field, index) => [field.name, values[index] ?? null])),
        );
    case 'enum':
      return fc.constantFrom(...type.cases);
    case 'flags':
      return fc.subarray([...type.names]);
    case 'opaque':
      throw new Error('an opaque type has no values');
  }
}

const special = fc.constantFrom('NaN', 'Infinity', '-Infinity');

function tagged(
  cases: readonly { readonly name: string; readonly type: WitType | undefined }[],
): fc.Arbitrary<JsonValue> {
  return fc.oneof(
    ...cases.map(
      ({ name: tag, type }): fc.Arbitrary<JsonValue> =>
        type === undefined ? fc.constant({ tag }) : canonicalJson(type).map((val) => ({ tag, val })),
    ),
  );
}
