import { describe, expect, test } from 'vitest';
import { durationText, parseDelay, parseDuration } from '../../src/cli/duration.ts';
import { parseParameter } from '../../src/cli/parameter.ts';
import { parseSize, sizeText } from '../../src/cli/size.ts';
import { parseDigest, parserOf } from '../../src/cli/task-value.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { didYouMean } from '../../src/domain/did-you-mean.ts';
import type { ObjectForm } from '../../src/domain/schema/form.ts';
import { taskDefinition } from '../../src/domain/schema/task-definition.ts';

describe('a duration', () => {
  test.for<[string, number]>([
    ['250ms', 250],
    ['5s', 5000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
    ['1h1m1s1ms', 3_661_001],
  ])('%s is %d ms', ([text, ms]) => {
    expect(parseDuration('--timeout', text)).toBe(ms);
  });

  test.for(['', '5', 's', '-5s', '5 s', '5S', '5sec', '1e3s', '0s', '367d', '99999999999d'])(
    '%j is refused',
    (text) => {
      expect(() => parseDuration('--timeout', text)).toThrow(UsageError);
      expect(() => parseDuration('--timeout', text)).toThrow(/^--timeout: is .*; allowed is/);
    },
  );

  test('may be zero where it is a delay', () => {
    expect(parseDelay('--start-after', '0s')).toBe(0);
    expect(parseDelay('--start-after', '1s')).toBe(1000);
    expect(() => parseDelay('--start-after', '0')).toThrow(UsageError);
  });

  test('is told in the unit that fits', () => {
    expect([1.234, 850.4, 12_340, 245_000, 119_999, 7_500_000, 273_600_000].map(durationText)).toEqual([
      '1.23 ms',
      '850 ms',
      '12.3 s',
      '4 min 5 s',
      '2 min 0 s',
      '2 h 5 min',
      '3 d 4 h',
    ]);
  });
});

describe('a size', () => {
  test.for<[string, number]>([
    ['4096', 4096],
    ['0', 0],
    ['10kB', 10_000],
    ['64MiB', 67_108_864],
    ['1.5KiB', 1536],
    ['2GiB', 2_147_483_648],
  ])('%s is %d bytes', ([text, bytes]) => {
    expect(parseSize('--memory', text)).toBe(bytes);
  });

  test.for(['', '-1', '1.5', '64mib', '64 Mi', 'MiB', '99999999TiB', '0x10'])('%j is refused', (text) => {
    expect(() => parseSize('--memory', text)).toThrow(/^--memory: is .*; allowed is/);
  });

  test('is told in the unit that fits', () => {
    expect([0, 512, 1536, 67_108_864].map(sizeText)).toEqual(['0 B', '512 B', '1.5 KiB', '64 MiB']);
  });
});

/** What parses the field of a definition, such as `limits`, `cpu`. */
function parserAt(...path: readonly string[]) {
  let at: ObjectForm = taskDefinition.form;
  for (const name of path) {
    const form = at.fields.get(name)?.form;
    if (form === undefined) throw new Error(`no ${name}`);
    if (form.kind !== 'object') return parserOf(form);
    at = form;
  }
  throw new Error(`${path.join('.')} has fields`);
}

describe('a value of a task', () => {
  const parseCores = parserAt('limits', 'cpu');
  const parseUser = parserAt('user');
  const parseUses = parserAt('warm', 'maxUses');

  test.for<[string, number]>([
    ['0.01', 0.01],
    ['2', 2],
    ['1024', 1024],
  ])('%s is %d cores', ([text, cores]) => {
    expect(parseCores('--cpu', text)).toBe(cores);
  });

  test.for(['', '0', '-1', '.5', '1e2', '1025', 'NaN', 'Infinity', '0x1'])('%j is no cores', (text) => {
    expect(() => parseCores('--cpu', text)).toThrow(/^--cpu: is .*; allowed is/);
  });

  test.for(['root', '0', '1000:1000', 'www-data:www-data'])('%s is a user', (text) => {
    expect(parseUser('--user', text)).toBe(text);
  });

  test.for(['', ':', 'a:', ':a', 'a b', '-a', 'a\nb', 'a:b:c'])('%j is no user', (text) => {
    expect(() => parseUser('--user', text)).toThrow(/^--user: is .*; allowed is USER/);
  });

  test('is a digest however it is written', () => {
    const digest = 'ab'.repeat(32);
    expect(parseDigest('--sha256', `sha256:${digest.toUpperCase()}`)).toBe(digest);
    expect(() => parseDigest('--sha256', `${digest}0`)).toThrow(/^--sha256: is .* 64 hex digits$/);
  });

  test('is a count that the wire can carry', () => {
    expect(parseUses('warm.max_uses', '4294967295')).toBe(4_294_967_295);
    expect(() => parseUses('warm.max_uses', '4294967296')).toThrow(UsageError);
    expect(() => parseUses('warm.max_uses', '1.5')).toThrow(UsageError);
  });
});

test('the nearest word is near enough to be meant, or none', () => {
  const words = ['runtime', 'retry', 'timeout', 'timeouts', 'preopens'];
  expect(didYouMean('runtme', words)).toBe('runtime');
  expect(didYouMean('Timeout', words)).toBe('timeout');
  expect(didYouMean('preopen', words)).toBe('preopens');
  expect(didYouMean('zzzzzz', words)).toBeUndefined();
  expect(didYouMean('rtery', ['retry', 'memory'])).toBe('retry');
  expect(didYouMean('retry', ['memory', 'timeout'])).toBeUndefined();
  expect(didYouMean('foo', ['db', 'top', 'wait'])).toBeUndefined();
  expect(didYouMean('wacth', ['wait', 'watch'])).toBe('watch');
});

describe('the value of a parameter', () => {
  test('is any JSON value', () => {
    expect(parseParameter('p', '{"a":[1,-0.5,null,true,"x"]}')).toEqual({ a: [1, -0.5, null, true, 'x'] });
    expect(parseParameter('p', '1e300')).toBe(1e300);
  });

  test('is refused where it is not JSON, with how to quote a string', () => {
    expect(() => parseParameter('name', "it's")).toThrow(`--param name='"it'\\''s"'`);
  });

  test('never loses a digit of an integer', () => {
    expect(parseParameter('p', '9007199254740991')).toBe(9_007_199_254_740_991);
    expect(() => parseParameter('p', '{"a":[9007199254740993]}')).toThrow('9007199254740993 is not exact');
  });
});
