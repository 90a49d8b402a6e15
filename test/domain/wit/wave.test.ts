import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RequestError } from '../../../src/domain/errors.ts';
import type { JsonValue } from '../../../src/domain/execution.ts';
import { decodeParameters } from '../../../src/domain/wit/decode.ts';
import { encodeResult } from '../../../src/domain/wit/encode.ts';
import { parseWit } from '../../../src/domain/wit/parse.ts';
import type { WitFunction, WitType } from '../../../src/domain/wit/types.ts';
import { parseCall } from '../../../src/domain/wit/wave.ts';
import { canonicalJson, valueTypes } from './arbitrary.ts';

const types = `
  record point { x: f64, y-y: option<f64> }
  record empty { a: option<u8> }
  variant shape { circle(f64), at(point), nothing }
  enum color { red, none, dark-green }
  flags perms { read, write-all }`;

/** The JSON that a WAVE text becomes as a value of that type. */
function read(type: string, text: string): JsonValue | undefined {
  const functions = parseWit(`package a:b; world w { ${types} export f: func(v: ${type}); }`);
  return parseCall(`f(${text})`, functions).parameters.v;
}

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof RequestError && error.violations[0]?.field === 'call') {
      return error.violations[0].description;
    }
    throw error;
  }
  throw new Error('the call was not refused');
}

const calc = parseWit(`package a:b;
  interface calc { add: func(a: u32, b: u32) -> u32; opt: func(a: u8, b: option<u8>); }
  world w { export calc; export ping: func(); export s: func(x: stream); }`);

test('a call names its function in full or barely, and parameters by position', () => {
  const add = { functionName: 'a:b/calc#add', parameters: { a: 1, b: 2 } };
  expect(parseCall('add(1, 2)', calc)).toEqual(add);
  expect(parseCall(' a:b/calc#add ( 1,2, ) // done', calc)).toEqual(add);
  expect(parseCall('ping()', calc)).toEqual({ functionName: 'ping', parameters: {} });
  expect(parseCall('opt(1)', calc)).toEqual({ functionName: 'a:b/calc#opt', parameters: { a: 1 } });
});

test.each<[string, string, JsonValue]>([
  ['bool', 'true', true],
  ['u8', '255', 255],
  ['s64', '-9223372036854775808', '-9223372036854775808'],
  ['f64', '-1.5e3', -1500],
  ['f64', 'nan', 'NaN'],
  ['f32', 'inf', 'Infinity'],
  ['f32', '-inf', '-Infinity'],
  ['char', "'x'", 'x'],
  ['char', String.raw`'\u{1F600}'`, '😀'],
  ['char', String.raw`'\''`, "'"],
  ['string', String.raw`"a\n\t\r\"\\\u{e9} 'é"`, 'a\n\t\r"\\é \'é'],
  ['string', '"""\n  one\n    "two"\n  """', 'one\n  "two"'],
  ['string', '"""\n"""', ''],
  ['string', String.raw`"""${'\n'}a\tb\"""c${'\n'}"""`, 'a\tb"""c'],
  ['list<u8>', '[1, 2,]', [1, 2]],
  ['list<u8>', '[ // none\n ]', []],
  ['list<u8, 2>', '[1, 2]', [1, 2]],
  ['tuple<u8, string>', '(1, "a")', [1, 'a']],
  ['point', '{x: 1, y-y: 2}', { x: 1, 'y-y': 2 }],
  ['point', '{%x: 1}', { x: 1 }],
  ['empty', '{:}', {}],
  ['shape', 'circle(1.5)', { tag: 'circle', val: 1.5 }],
  ['shape', 'nothing', { tag: 'nothing' }],
  ['color', 'dark-green', 'dark-green'],
  ['perms', '{write-all, read}', ['write-all', 'read']],
  ['perms', '{}', []],
  ['option<u8>', 'some(1)', 1],
  ['option<u8>', '1', 1],
  ['option<u8>', 'none', null],
  ['option<color>', 'none', null],
  ['option<color>', '%none', 'none'],
  ['option<option<u8>>', 'none', null],
  ['option<option<u8>>', 'some(none)', { some: null }],
  ['option<option<u8>>', 'some(3)', { some: 3 }],
  ['result<u8, string>', 'ok(1)', { tag: 'ok', val: 1 }],
  ['result<u8, string>', '1', { tag: 'ok', val: 1 }],
  ['result<u8, string>', 'err("no")', { tag: 'err', val: 'no' }],
  ['result', 'ok', { tag: 'ok' }],
  ['result<u8>', 'err', { tag: 'err' }],
])('%s reads %s', (type, text, value) => {
  expect(read(type, text)).toEqual(value);
});

test.each<[string, string, string]>([
  ['bool', '1', 'column 3: expected true or false'],
  ['u8', '256', 'column 3: expected an integer from 0 to 255'],
  ['u8', ' 1.5', 'column 4: expected an integer from 0 to 255'],
  ['u64', '-1', 'column 3: expected an integer from 0 to 18446744073709551615'],
  ['f64', '1e999', 'column 3: expected a number of type f64, nan, inf or -inf'],
  ['f32', '1e39', 'column 3: expected a number of type f32'],
  ['char', "'ab'", "column 5: expected the closing '"],
  ['char', "''", 'column 4: expected one character'],
  ['string', '"a', 'column 6: expected the closing " or an escape'],
  ['string', String.raw`"a\q"`, 'column 5: expected the closing " or an escape'],
  ['string', String.raw`"\u{d800}"`, 'column 4: expected a Unicode scalar value'],
  ['string', '"""a"""', 'column 6: expected a line break after """'],
  ['string', '"""\n a\n  """', 'line 2, column 1: expected at least 2 spaces'],
  ['list<u8>', '[1 2]', 'column 6: expected "," or "]"'],
  ['list<u8, 2>', '[1]', 'column 5: expected a list of exactly 2 values'],
  ['tuple<u8, u8>', '(1)', 'column 5: expected a tuple of 2 values'],
  ['tuple<u8, u8>', '(1, 2, 3)', 'column 10: expected ")", because the tuple has 2 values'],
  ['point', '{y-y: 2}', 'column 10: expected the field x of the record point'],
  ['point', '{x: 1, x: 2}', 'column 10: expected one of y-y'],
  ['shape', 'circle', 'column 9: expected "(" and a value of type f64'],
  ['shape', 'square', 'column 3: expected one of circle, at, nothing'],
  ['perms', '{read, read}', 'column 10: expected one of write-all'],
  ['option<option<u8>>', '3', 'column 3: expected some(…) or none'],
  ['result<_, u8>', '3', 'column 3: expected ok or err'],
  ['list<u8>', '[\n1,\n  x]', 'line 3, column 3: expected an integer from 0 to 255'],
  ['u8', '1, 2', 'column 6: expected ")", because f takes 1 values'],
  ['u8', '', 'column 3: expected 1 values; v: u8 is missing'],
  ['u8', '1) 2', 'column 6: expected nothing after the call'],
])('%s does not read %s, and the error names the column', (type, text, message) => {
  expect(refusal(() => read(type, text))).toContain(message);
});

test('an integer of absurd length is refused without being read', () => {
  expect(refusal(() => read('u64', '9'.repeat(1_000_000)))).toContain('column 3: expected an integer');
});

test('a call without a function, or of one that cannot be called, is refused', () => {
  expect(refusal(() => parseCall(' ', calc))).toBe('column 2: expected a call such as add(1, 2)');
  expect(refusal(() => parseCall('add', calc))).toBe('column 4: expected "("');
  expect(refusal(() => parseCall('s(1)', calc))).toContain('a stream cannot be written as JSON');
  expect(() => parseCall('sub(1)', calc)).toThrow(expect.objectContaining({ kind: 'not_found' }));
});

/** WAVE text of a canonical JSON value: every choice written out, every label escaped. */
function print(type: WitType, value: JsonValue): string {
  if (type.kind === 'option') {
    if (value === null) return 'none';
    const inner = type.some.kind === 'option' ? member(value, 'some') : value;
    return `some(${print(type.some, inner)})`;
  }
  if (type.kind === 'result' || type.kind === 'variant') {
    const tag = String(member(value, 'tag'));
    const payload =
      type.kind === 'variant'
        ? type.cases.find((each) => each.name === tag)?.type
        : type[tag === 'ok' ? 'ok' : 'err'];
    const label = type.kind === 'variant' ? `%${tag}` : tag;
    return payload === undefined ? label : `${label}(${print(payload, member(value, 'val'))})`;
  }
  if (type.kind === 'record') {
    const fields = type.fields.map(
      (field) => `%${field.name}: ${print(field.type, member(value, field.name))}`,
    );
    return `{${fields.join(', ')}}`;
  }
  if (type.kind === 'enum') return `%${value}`;
  if (type.kind === 'f32' || type.kind === 'f64') {
    const words: Record<string, string> = { NaN: 'nan', Infinity: 'inf', '-Infinity': '-inf' };
    return words[String(value)] ?? (Object.is(value, -0) ? '-0' : String(value));
  }
  if (type.kind === 'char') return `'\\u{${String(value).codePointAt(0)?.toString(16)}}'`;
  if (type.kind === 'string') {
    return `"${String(value).replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))}"`;
  }
  if (type.kind === 'list' && typeof value === 'string')
    return `[${[...Buffer.from(value, 'base64')].join(', ')}]`;
  if (!Array.isArray(value)) return String(value);
  if (type.kind === 'flags') return `{${value.map((name) => `%${name}`).join(', ')}}`;
  if (type.kind === 'list') return `[${value.map((item) => print(type.element, item)).join(', ')}]`;
  if (type.kind !== 'tuple') throw new Error(`a list is no ${type.kind}`);
  return `(${type.elements.map((element, index) => print(element, value[index] ?? null)).join(', ')})`;
}

function member(value: JsonValue, key: string): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value[key] ?? null;
}

test('what is written in WAVE arrives as the value that it means', () => {
  const typed = valueTypes.chain((type) => fc.tuple(fc.constant(type), canonicalJson(type)));
  fc.assert(
    fc.property(typed, ([type, value]) => {
      const fn: WitFunction = {
        name: 'a:b/c@1.0.0#echo',
        parameters: [{ name: 'v', type }],
        result: { kind: 'tuple', elements: [type] },
      };
      const { parameters } = parseCall(`echo(${print(type, value)})`, [fn]);
      expect(JSON.parse(encodeResult(fn, decodeParameters(fn, parameters)))).toEqual([value]);
    }),
    { numRuns: 300 },
  );
});
