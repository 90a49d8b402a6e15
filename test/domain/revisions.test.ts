import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/domain/execution.ts';
import {
  type AliasShare,
  checkShares,
  chosenRevision,
  keptMoves,
  moved,
  sharesFrom,
  sharesOf,
  sharesText,
  type TaskAlias,
} from '../../src/domain/revisions/alias.ts';
import { differences } from '../../src/domain/revisions/difference.ts';
import { isAlias, taskReference } from '../../src/domain/revisions/reference.ts';

/** Two to ten shares of a hundred percent in all. */
const shares = fc
  .uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 9 })
  .map((cuts): AliasShare[] => {
    const ends = [...cuts.sort((a, b) => a - b), 100];
    return ends.map((end, index) => ({ revision: index + 1, percent: end - (ends[index - 1] ?? 0) }));
  });

describe('the revision that a call gets', () => {
  test('is the same for the same key, and one of the shares', () => {
    fc.assert(
      fc.property(shares, fc.string(), fc.string(), (all, salt, key) => {
        const chosen = chosenRevision(all, salt, key);
        expect(all.map(({ revision }) => revision)).toContain(chosen);
        expect(chosenRevision([...all], salt, key)).toBe(chosen);
      }),
    );
  });

  test('is each as often as its percents say, whatever the keys look like', () => {
    const calls = 20_000;
    const keyed = fc.constantFrom<(index: number) => string>(
      (index) => `order-${index}`,
      (index) => `req_01k${String(index).padStart(23, '0')}`,
      (index) => String(index * 7919),
    );
    fc.assert(
      fc.property(shares, fc.string(), keyed, (all, salt, key) => {
        const counts = new Map<number, number>();
        for (let index = 0; index < calls; index += 1) {
          const revision = chosenRevision(all, salt, key(index));
          counts.set(revision, (counts.get(revision) ?? 0) + 1);
        }
        for (const { revision, percent } of all) {
          // Six standard deviations of so many independent calls.
          const share = percent / 100;
          const bound = 6 * Math.sqrt(calls * share * (1 - share)) + 1;
          expect(Math.abs((counts.get(revision) ?? 0) - calls * share)).toBeLessThan(bound);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('stays what it was for whoever had the canary already, as its share grows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 98 }), fc.string(), (percent, key) => {
        const split = (canary: number): AliasShare[] => [
          { revision: 3, percent: 100 - canary },
          { revision: 4, percent: canary },
        ];
        if (chosenRevision(split(percent), 's', key) === 4) {
          expect(chosenRevision(split(percent + 1), 's', key)).toBe(4);
        }
      }),
    );
  });
});

test('shares are read as they are written', () => {
  fc.assert(
    fc.property(shares, (all) => {
      expect(checkShares('shares', all)).toEqual(all);
      expect(sharesFrom('shares', sharesText(all))).toEqual(all);
    }),
  );
  expect(sharesFrom('shares', '4')).toEqual([{ revision: 4, percent: 100 }]);
  for (const text of ['', '0', '3:', '3,4', 'a:50,b:50', '3:50,4', '-3', '3:1000']) {
    expect(() => sharesFrom('shares', text), text).toThrow(/^shares: is ".*"; allowed are REVISION/);
  }
});

test.each<[readonly AliasShare[], RegExp]>([
  [[], /has 0 entries; allowed are 1 to 10/],
  [[{ revision: 3, percent: 90 }], /have 90 percent in all; allowed are 100/],
  [
    [
      { revision: 3, percent: 50 },
      { revision: 3, percent: 50 },
    ],
    /shares\[1\].revision: is 3 again/,
  ],
  [
    [
      { revision: 3, percent: 0 },
      { revision: 4, percent: 100 },
    ],
    /shares\[0\].percent: is 0; allowed are whole numbers of 1 to 100/,
  ],
])('shares %j are refused', (all, message) => {
  expect(() => checkShares('shares', all)).toThrow(message);
});

test('an alias remembers its last moves, and counts all', () => {
  let alias: TaskAlias | undefined;
  for (let revision = 1; revision <= 2 * keptMoves; revision += 1) {
    alias = moved('live', alias, { shares: [{ revision, percent: 100 }], at: revision, by: 'socket' });
  }
  expect(alias?.version).toBe(2 * keptMoves);
  expect(alias?.moves.map(({ at }) => at)).toEqual(
    Array.from({ length: keptMoves }, (_, i) => keptMoves + 1 + i),
  );
  expect(alias === undefined ? [] : sharesOf(alias)).toEqual([{ revision: 2 * keptMoves, percent: 100 }]);
});

test.each([
  ['wc', { task: 'wc', revision: undefined }],
  ['wc@3', { task: 'wc', revision: 3 }],
  ['wc@live', { task: 'wc', revision: { alias: 'live' } }],
  ['wc@newest', { task: 'wc', revision: 'newest' }],
  ['task_1@2', { task: 'task_1', revision: 2 }],
])('%s is a task and its revision', (text, reference) => {
  expect(taskReference('task', text)).toEqual(reference);
});

test.each(['@3', 'wc@', 'wc@0', 'wc@03', 'wc@-1', 'wc@3@4', 'wc@Live', 'wc@4294967296', 'wc@3x', 'wc@ live'])(
  '%s is refused with what is allowed',
  (text) => {
    expect(() => taskReference('task', text)).toThrow(/^task: .*allowed (are a number|before @)/);
  },
);

test('an alias begins with a letter, so that it is never taken for a number', () => {
  expect(['live', 'a', 'v1.2', 'blue-green_2', `a${'b'.repeat(62)}`].filter(isAlias)).toHaveLength(5);
  expect(
    ['', '3', '3a', 'Live', '.a', 'newest', 'ä', `a${'b'.repeat(63)}`, 'a b', 'a@b'].filter(isAlias),
  ).toEqual([]);
});

describe('what differs', () => {
  test('is told by the smallest part', () => {
    const before = { a: { b: 1, c: [1, 2] }, env: { 'X.Y': '1' }, gone: true };
    const after = { a: { b: 2, c: [1, 3] }, env: { 'X.Y': '2' }, list: [1] };
    expect(differences(before, after)).toEqual([
      { path: 'a.b', before: 1, after: 2 },
      { path: 'a.c[1]', before: 2, after: 3 },
      { path: 'env["X.Y"]', before: '1', after: '2' },
      { path: 'list', after: [1] },
      { path: 'gone', before: true },
    ]);
    expect(differences({ list: [1] }, { list: [0, 1] })).toEqual([
      { path: 'list', before: [1], after: [0, 1] },
    ]);
  });

  test('is nothing between equal values, and the same fields seen from either side', () => {
    const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>;
    fc.assert(
      fc.property(value, value, (before, after) => {
        expect(differences(before, structuredClone(before))).toEqual([]);
        const paths = (a: JsonValue, b: JsonValue) => new Set(differences(a, b).map(({ path }) => path));
        expect(paths(before, after)).toEqual(paths(after, before));
      }),
    );
  });
});
