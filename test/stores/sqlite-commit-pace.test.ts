import { expect, test } from 'vitest';
import { CommitPace } from '../../src/stores/sqlite/write/commit-pace.ts';

/** How many commits go elsewhere until one is made in place again. */
function resting(pace: CommitPace): number {
  let elsewhere = 0;
  while (!pace.allows()) elsewhere += 1;
  return elsewhere;
}

function tookEach(pace: CommitPace, ms: number, commits: number): void {
  for (let commit = 0; commit < commits; commit += 1) pace.took(ms);
}

test('quick commits are made in place', () => {
  const pace = new CommitPace();
  tookEach(pace, 0.5, 1000);
  expect(resting(pace)).toBe(0);
});

test('commits that are slow on average go elsewhere for a while', () => {
  const pace = new CommitPace();
  tookEach(pace, 4, 100);
  expect(resting(pace)).toBe(256);
});

test('after one that stands in the way of everything the next ones go elsewhere at once', () => {
  const pace = new CommitPace();
  tookEach(pace, 0.1, 1000);
  pace.took(40);
  expect(resting(pace)).toBe(256);
  pace.took(0.1);
  expect(resting(pace)).toBe(0);
});
