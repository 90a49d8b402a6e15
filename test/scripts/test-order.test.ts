/** Which test files run first. */
import { expect, test } from 'vitest';
import { longTests, rankOf } from '../../scripts/test-order.ts';
import { testFiles } from '../../scripts/test-projects.ts';

test('the files that run first are there, each once', () => {
  const { all } = testFiles();
  expect(all).toEqual(expect.arrayContaining([...longTests]));
  expect(new Set(longTests).size).toBe(longTests.length);
});

test('a long file comes before those after it and before all others', () => {
  const files = ['test/some.test.ts', ...longTests.toReversed()];
  expect(files.toSorted((a, b) => rankOf(a) - rankOf(b))).toEqual([...longTests, 'test/some.test.ts']);
});
