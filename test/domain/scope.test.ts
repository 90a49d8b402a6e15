import { describe, expect, test } from 'vitest';
import type { Principal } from '../../src/domain/access.ts';
import {
  acrossTenants,
  assertMayName,
  checkGlobs,
  isTenant,
  matchesGlob,
  scopeOf,
  sees,
  seesTask,
  wholeNode,
} from '../../src/domain/scope.ts';

const holder: Principal = { name: 'token ci', role: 'operate' };
const administrator: Principal = { name: 'socket', role: 'admin' };

describe('a glob', () => {
  test.each([
    ['a-*', 'a-1', true],
    ['a-*', 'a-', true],
    ['a-*', 'b-a-1', false],
    ['a-*', 'a', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['?', 'a', true],
    ['?', '', false],
    ['?', '😀', true],
    ['?', 'ab', false],
    ['*?', '😀', true],
    ['a?c*e', 'abcde', true],
    ['a?c*e', 'abcdef', false],
    ['*ab*ab', 'abab', true],
    ['*ab*ab', 'ab', false],
    ['**b', 'aab', true],
    ['A', 'a', false],
    // No other character stands for anything but itself.
    ['[ab].c', 'a.c', false],
    ['[ab].c', '[ab].c', true],
    ['a+\\', 'a+\\', true],
  ])('%j fits %j: %j', (glob, name, fits) => {
    expect(matchesGlob(glob, name)).toBe(fits);
  });

  test('with many stars takes no more steps than the product of its length and that of the name', () => {
    let read = 0;
    const name = new Proxy(new String('a'.repeat(200)), {
      get(text, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) read += 1;
        const value: unknown = Reflect.get(text, key, text);
        return typeof value === 'function' ? value.bind(text) : value;
      },
    }) as unknown as string;
    expect(matchesGlob(`${'*a'.repeat(50)}b`, name)).toBe(false);
    expect(read).toBeLessThanOrEqual(101 * 200);
  });
});

describe('the scope of a request', () => {
  test('is the tenant of who asks, with the tasks of its token', () => {
    expect(scopeOf(holder, undefined)).toEqual({ tenant: 'default' });
    expect(scopeOf({ ...holder, tenant: 'a', tasks: ['x*'] }, undefined)).toEqual({
      tenant: 'a',
      tasks: ['x*'],
    });
    expect(scopeOf({ ...holder, tenant: 'a' }, 'a')).toEqual({ tenant: 'a' });
  });

  test('is any tenant for an administrator, and the default one where it names none', () => {
    expect(scopeOf(administrator, undefined)).toMatchObject({ tenant: 'default' });
    expect(scopeOf(administrator, 'a')).toMatchObject({ tenant: 'a' });
    expect(scopeOf({ ...administrator, tenant: 'b' }, undefined)).toMatchObject({ tenant: 'b' });
  });

  test.each(['a', 'Default', '', 'defaul', '*'])('is refused for the other tenant %j', (asked) => {
    expect(() => scopeOf(holder, asked)).toThrow(
      expect.objectContaining({ kind: 'permission_denied', reason: 'OUT_OF_SCOPE' }),
    );
  });

  test.each(['A', '', '-a', 'a-', 'a.b', 'a/b', 'ä', 'a\n', 'x'.repeat(64)])(
    'is refused for an administrator who names %j, which is no tenant',
    (asked) => {
      expect(() => scopeOf(administrator, asked)).toThrow(
        expect.objectContaining({
          kind: 'invalid_argument',
          message: expect.stringContaining('spear-tenant: is'),
        }),
      );
    },
  );

  test('is all tenants only for an administrator who asks for that', () => {
    const scope = scopeOf(holder, undefined);
    expect(acrossTenants('all_tenants', holder, scope, false)).toBe(scope);
    expect(acrossTenants('all_tenants', administrator, scope, true)).toBe(wholeNode);
    expect(() => acrossTenants('all_tenants', holder, scope, true)).toThrow(
      /all_tenants: is for the role admin/,
    );
  });
});

test('the names of tenants are 1 to 63 small letters, digits and inner dashes', () => {
  for (const name of ['a', '0', 'a-b', 'x'.repeat(63), 'default']) expect(isTenant(name)).toBe(true);
});

test('what is in scope is of its tenant, and of a task that any glob fits', () => {
  expect(sees({ tenant: 'default' }, { taskName: 'x' })).toBe(true);
  expect(sees({ tenant: 'default' }, { tenant: 'a', taskName: 'x' })).toBe(false);
  expect(sees({ tenant: 'a' }, { taskName: 'x' })).toBe(false);
  expect(sees(wholeNode, { tenant: 'a', taskName: 'x' })).toBe(true);
  expect(seesTask({ tenant: 'a', tasks: ['b', 'c*'] }, { tenant: 'a' }, 'cc')).toBe(true);
  expect(seesTask({ tenant: 'a', tasks: ['b', 'c*'] }, { tenant: 'a' }, 'bb')).toBe(false);
  expect(seesTask({ tenant: 'a', tasks: ['*'] }, { tenant: 'b' }, 'c')).toBe(false);
  expect(() => assertMayName({ tenant: 'a', tasks: ['b*'] }, 'definition.name', 'c')).toThrow(
    /definition.name: is "c"; the tasks of this token are "b\*"/,
  );
  expect(() => assertMayName({ tenant: 'a', tasks: ['b*'] }, 'definition.name', 'bc')).not.toThrow();
});

test('globs are bounded in number and length, and the field that is wrong is named', () => {
  expect(checkGlobs('tasks', ['a*', '?'])).toEqual(['a*', '?']);
  expect(() => checkGlobs('tasks', ['a', ''])).toThrow(/tasks\[1\]: has 0 characters; allowed are 1 to 256/);
  expect(() => checkGlobs('tasks', ['x'.repeat(257)])).toThrow(/tasks\[0\]: has 257/);
  expect(() => checkGlobs('tasks', Array(65).fill('a'))).toThrow(/tasks: has 65 entries; allowed are 64/);
});
