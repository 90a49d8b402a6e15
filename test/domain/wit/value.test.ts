import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestError } from '../../../src/domain/errors.ts';
import type { JsonValue } from '../../../src/domain/execution.ts';
import { decodeParameters } from '../../../src/domain/wit/decode.ts';
import { encodeError, encodeResult } from '../../../src/domain/wit/encode.ts';
import { parseWit } from '../../../src/domain/wit/parse.ts';
import type { WitFunction, WitType } from '../../../src/domain/wit/types.ts';
import { canonicalJson, valueTypes } from './arbitrary.ts';

/** A function that takes and returns one value; the tuple keeps a result from being the function's own. */
function echo(type: WitType): WitFunction {
  return { name: 'echo', parameters: [{ name: 'v', type }], result: { kind: 'tuple', elements: [type] } };
}

function functionOf(types: string, parameters: string): WitFunction {
  const [fn] = parseWit(`package a:b; world w { ${types} export f: func(${parameters}); }`);
  if (fn === undefined) throw new Error('the text has no function');
  return fn;
}

/** What jco would be given for one parameter `v` of that type. */
function decoded(type: string, value: JsonValue, types = ''): unknown {
  return decodeParameters(functionOf(types, `v: ${type}`), { v: value })[0];
}

function refusal(call: () => unknown): { field: string; description: string } {
  try {
    call();
  } catch (error) {
    if (!(error instanceof RequestError) || error.kind !== 'invalid_argument') throw error;
    const [violation] = error.violations;
    if (violation !== undefined) return violation;
  }
  throw new Error('the call was not refused');
}

const shapes = `
  record point { x: f64, y-y: option<f64> }
  variant shape { circle(f64), at(point), nothing, maybe(option<u8>) }
  enum color { red, dark-green }
  flags perms { read, write-all }`;

test('every value comes back from a function that returns it, as the same JSON', () => {
  const typed = valueTypes.chain((type) => fc.tuple(fc.constant(type), canonicalJson(type)));
  fc.assert(
    fc.property(typed, ([type, value]) => {
      const json = encodeResult(echo(type), decodeParameters(echo(type), { v: value }));
      expect(JSON.parse(json)).toEqual([value]);
    }),
    { numRuns: 300 },
  );
});

test('values become what the code that jco generates takes', () => {
  expect(decoded('u64', '18446744073709551615')).toBe(18446744073709551615n);
  expect(decoded('s64', -5)).toBe(-5n);
  expect(decoded('f32', 'NaN')).toBeNaN();
  expect(decoded('list<u8>', 'AQL/')).toEqual(Uint8Array.of(1, 2, 255));
  expect(decoded('list<u8>', [1, 2])).toEqual(Uint8Array.of(1, 2));
  expect(decoded('list<s64>', ['-1', 2])).toEqual(BigInt64Array.of(-1n, 2n));
  expect(decoded('list<f32>', [0.5, '-Infinity'])).toEqual(Float32Array.of(0.5, Number.NEGATIVE_INFINITY));
  expect(decoded('list<u8, 2>', 'AQI=')).toEqual([1, 2]);
  expect(decoded('list<string>', ['a'])).toEqual(['a']);
  expect(decoded('point', { x: 1, 'y-y': 2 }, shapes)).toEqual({ x: 1, yY: 2 });
  expect(decoded('perms', ['write-all'], shapes)).toEqual({ read: false, writeAll: true });
  expect(decoded('color', 'dark-green', shapes)).toBe('dark-green');
  expect(decoded('shape', { tag: 'circle', val: 1 }, shapes)).toEqual({ tag: 'circle', val: 1 });
  expect(decoded('shape', { tag: 'nothing', val: null }, shapes)).toEqual({ tag: 'nothing' });
  expect(decoded('result<_, u8>', { tag: 'ok' })).toEqual({ tag: 'ok' });
});

test('an option of an option tells an absent inner one from an absent outer one', () => {
  expect(decoded('option<option<u8>>', null)).toEqual({ tag: 'none' });
  expect(decoded('option<option<u8>>', { some: null })).toEqual({ tag: 'some', val: undefined });
  expect(decoded('option<option<u8>>', { some: 5 })).toEqual({ tag: 'some', val: 5 });
  expect(decoded('option<u8>', null)).toBeUndefined();
});

test('of three options in each other jco tags only the middle one', () => {
  const type = 'option<option<option<u8>>>';
  const pairs: [JsonValue, unknown][] = [
    [null, undefined],
    [{ some: null }, { tag: 'none' }],
    [{ some: { some: null } }, { tag: 'some', val: undefined }],
    [{ some: { some: 5 } }, { tag: 'some', val: 5 }],
  ];
  for (const [json, value] of pairs) {
    expect(decoded(type, json)).toEqual(value);
    expect(encodeResult(returning(type), value)).toBe(JSON.stringify(json));
  }
});

test('options may be missing wherever they stand by name, and nothing else may', () => {
  const fn = functionOf(shapes, 'a: option<u8>, p: point');
  expect(decodeParameters(fn, { p: { x: 1 } })).toEqual([undefined, { x: 1, yY: undefined }]);
  expect(decoded('shape', { tag: 'maybe' }, shapes)).toEqual({ tag: 'maybe', val: undefined });
  expect(refusal(() => decodeParameters(fn, {}))).toMatchObject({
    field: 'parameters.p',
    description: expect.stringContaining('of type point'),
  });
  expect(refusal(() => decodeParameters(fn, { p: {} })).field).toBe('parameters.p.x');
  expect(refusal(() => decoded('shape', { tag: 'circle' }, shapes)).field).toBe('parameters.v.val');
});

test.each<[string, JsonValue, string, string]>([
  ['u32', '2', 'parameters.v', 'an integer from 0 to 4294967295, not "2"'],
  ['u32', -1, 'parameters.v', 'from 0 to 4294967295'],
  ['u32', 4294967296, 'parameters.v', 'from 0 to 4294967295'],
  ['u8', 1.5, 'parameters.v', 'from 0 to 255'],
  ['s8', -129, 'parameters.v', 'from -128 to 127'],
  ['u64', '18446744073709551616', 'parameters.v', 'decimal string'],
  ['u64', 2 ** 53, 'parameters.v', 'decimal string'],
  ['u64', '01', 'parameters.v', 'decimal string'],
  ['s64', '-0', 'parameters.v', 'decimal string'],
  ['f64', '1', 'parameters.v', '"NaN"'],
  ['f32', 1e39, 'parameters.v', '3.4028235e38'],
  ['bool', 1, 'parameters.v', 'true or false'],
  ['char', 'ab', 'parameters.v', 'one Unicode scalar value'],
  ['char', '\ud800', 'parameters.v', 'one Unicode scalar value'],
  ['string', null, 'parameters.v', 'a string, not null'],
  ['string', 'a\udc00', 'parameters.v', 'surrogate'],
  ['list<u32>', [1, 'x'], 'parameters.v[1]', 'an integer'],
  ['list<u8>', 'AQI', 'parameters.v', 'base64'],
  ['list<u8>', 'A-_=', 'parameters.v', 'base64'],
  ['list<u8, 3>', 'AQI=', 'parameters.v', 'of exactly 3'],
  ['list<u16, 3>', [1], 'parameters.v', 'a list of exactly 3, not a list of 1'],
  ['tuple<u8, bool>', [1], 'parameters.v', 'a list of 2 values'],
  ['tuple<u8, bool>', [1, null], 'parameters.v[1]', 'true or false'],
  ['list<point>', [{ x: 'a' }], 'parameters.v[0].x', 'a number'],
  ['point', [1], 'parameters.v', 'the record point'],
  ['point', { x: 1, z: 2 }, 'parameters.v', 'no field "z"; it has x, y-y'],
  ['point', { x: 1, yY: 2 }, 'parameters.v', 'no field "yY"'],
  ['color', 'blue', 'parameters.v', 'one of red, dark-green, not "blue"'],
  ['perms', ['red'], 'parameters.v[0]', 'one of read, write-all'],
  ['perms', ['read', 'read'], 'parameters.v[1]', 'already'],
  ['perms', { read: true }, 'parameters.v', 'a list of names'],
  ['shape', 'nothing', 'parameters.v', '{"tag"'],
  ['shape', { tag: 'square' }, 'parameters.v.tag', 'one of circle, at, nothing, maybe'],
  ['shape', { tag: 'nothing', val: 1 }, 'parameters.v.val', 'must be absent'],
  ['shape', { tag: 'nothing', value: 1 }, 'parameters.v', 'not "value"'],
  ['shape', { tag: 'at', val: { x: null } }, 'parameters.v.val.x', 'a number'],
  ['result<u8>', { tag: 'fine' }, 'parameters.v.tag', 'one of ok, err'],
  ['option<option<u8>>', 5, 'parameters.v', '{"some": …}'],
  ['option<option<u8>>', { some: 'x' }, 'parameters.v.some', 'an integer'],
])('%s does not take %j, and the error names the place', (type, value, field, description) => {
  const found = refusal(() => decoded(type, value, shapes));
  expect(found.field).toBe(field);
  expect(found.description).toContain(description);
});

test('an integer of absurd length is refused without being read', () => {
  const { description } = refusal(() => decoded('u64', '9'.repeat(1_000_000)));
  expect(description).toContain('decimal string');
  expect(description.length).toBeLessThan(300);
});

test('a parameter that the function does not have is refused, even by the name of something inherited', () => {
  const fn = functionOf('', 'a: u8');
  const unknown = refusal(() => decodeParameters(fn, { a: 1, b: 2 }));
  expect(unknown).toEqual({ field: 'parameters.b', description: 'f has no parameter "b"; it takes a' });
  expect(refusal(() => decodeParameters(fn, JSON.parse('{"a": 1, "__proto__": 2}'))).field).toBe(
    'parameters',
  );
  expect(refusal(() => decodeParameters(functionOf('', '%constructor: u8'), {})).field).toBe(
    'parameters.constructor',
  );
});

test('a function with a stream is not called', () => {
  const fn = functionOf('', 'a: stream<u8>');
  expect(refusal(() => decodeParameters(fn, { a: null })).description).toContain('a stream');
});

function returning(result: string): WitFunction {
  const [fn] = parseWit(`package a:b; world w { ${shapes} export f: func() -> ${result}; }`);
  if (fn === undefined) throw new Error('the text has no function');
  return fn;
}

test('results are written as the contract says', () => {
  expect(encodeResult(functionOf('', ''), undefined)).toBe('null');
  expect(encodeResult(returning('u64'), 18446744073709551615n)).toBe('"18446744073709551615"');
  expect(encodeResult(returning('f64'), Number.NaN)).toBe('"NaN"');
  expect(encodeResult(returning('f64'), -0)).toBe('-0');
  expect(encodeResult(returning('f32'), Math.fround(0.1))).toBe('0.1');
  expect(encodeResult(returning('list<u8>'), Uint8Array.of(1, 2))).toBe('"AQI="');
  expect(encodeResult(returning('list<f32>'), Float32Array.of(0.1, 2))).toBe('[0.1,2]');
  expect(encodeResult(returning('list<u64>'), BigUint64Array.of(3n))).toBe('["3"]');
  expect(encodeResult(returning('point'), { x: 1, yY: undefined })).toBe('{"x":1,"y-y":null}');
  expect(encodeResult(returning('perms'), { read: false, writeAll: true })).toBe('["write-all"]');
  expect(encodeResult(returning('shape'), { tag: 'nothing' })).toBe('{"tag":"nothing"}');
  expect(encodeResult(returning('option<option<u8>>'), { tag: 'some', val: undefined })).toBe(
    '{"some":null}',
  );
});

test('a result of the function itself is unwrapped, one inside a value is not', () => {
  const fn = returning('result<u32, shape>');
  expect(encodeResult(fn, 7)).toBe('7');
  expect(encodeError(fn, { tag: 'circle', val: 2 })).toBe('{"tag":"circle","val":2}');
  expect(encodeResult(returning('result'), undefined)).toBe('null');
  expect(encodeError(returning('result<u32>'), undefined)).toBe('null');
  const inner = { tag: 'err', val: 'no' };
  expect(encodeResult(returning('option<result<u32, string>>'), inner)).toBe('{"tag":"err","val":"no"}');
});

test('a value that is not of the type is our bug, not the caller’s', () => {
  expect(() => encodeResult(returning('u32'), 'x')).toThrow('jco returned a string for a value of kind u32');
  expect(() => encodeResult(returning('u64'), 1)).toThrow('kind u64');
  expect(() => encodeError(returning('u32'), 1)).toThrow('does not return a result');
});
