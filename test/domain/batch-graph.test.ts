import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GraphMember, graphOf, mostEdges, mostMembers } from '../../src/domain/batch/graph.ts';

/** Any members that name one another in any way. */
const members = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.array(fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 4 }), {
    minLength: count,
    maxLength: count,
  }),
);

function named(follows: readonly (readonly number[])[]): GraphMember[] {
  return follows.map((each, member) => ({ name: `m${member}`, follows: each.map((other) => `m${other}`) }));
}

/** Whether some member follows itself, however far around. */
function hasCircle(follows: readonly (readonly number[])[]): boolean {
  const reached = follows.map((each) => new Set(each));
  for (let turn = 0; turn < follows.length; turn++) {
    for (const set of reached)
      for (const other of [...set]) for (const next of follows[other] ?? []) set.add(next);
  }
  return reached.some((set, member) => set.has(member));
}

test('no circle is accepted, and nothing else is refused', () => {
  fc.assert(
    fc.property(members, (follows) => {
      if (hasCircle(follows)) expect(() => graphOf(named(follows))).toThrow(/depends on/);
      else expect(graphOf(named(follows)).follows).toEqual(follows);
    }),
    { numRuns: 500 },
  );
});

test('each member stands behind those that it follows, once, and one layer above the highest of them', () => {
  fc.assert(
    fc.property(members, (drawn) => {
      // Only what came before it can be followed: no circle.
      const follows = drawn.map((each, member) => each.filter((other) => other < member));
      const { order, layers } = graphOf(named(follows));
      expect([...order].sort((a, b) => a - b)).toEqual(follows.map((_, member) => member));
      for (const [member, each] of follows.entries()) {
        for (const other of each) expect(order.indexOf(other)).toBeLessThan(order.indexOf(member));
        expect(layers[member]).toBe(Math.max(-1, ...each.map((other) => layers[other] ?? 0)) + 1);
      }
    }),
  );
});

test('a circle is named, member by member', () => {
  const follows = [[], [0, 3], [1], [2]];
  expect(() => graphOf(named(follows))).toThrow(
    'members[1].invocation.depends_on: "m1" depends on "m3" depends on "m2", which depends on "m1"',
  );
  expect(() => graphOf(named([[0]]))).toThrow('members[0].invocation.depends_on: "m0" depends on itself');
});

test('names that are there twice, or not at all, are named', () => {
  expect(() =>
    graphOf([
      { name: 'a', follows: [] },
      { name: 'a', follows: [] },
    ]),
  ).toThrow('members[1].name: is "a", as that of members[0]');
  expect(() => graphOf([{ name: '', follows: ['b'] }])).toThrow(
    'members[0].invocation.depends_on[0].name: no member is named "b"',
  );
  expect(
    graphOf([
      { name: '', follows: [] },
      { name: '', follows: [] },
    ]).layers,
  ).toEqual([0, 0]);
});

test('too many members, and too many ways between them, are refused', () => {
  const alone = (count: number) => Array.from({ length: count }, () => ({ name: '', follows: [] }));
  expect(() => graphOf([])).toThrow('members: is empty');
  expect(() => graphOf(alone(mostMembers + 1))).toThrow(`allowed are ${mostMembers}`);
  const upper = Array.from({ length: 1000 }, (_, n) => ({ name: `u${n}`, follows: [] as string[] }));
  const names = upper.map(({ name }) => name);
  const lower = Array.from({ length: 101 }, () => ({ name: '', follows: names }));
  expect(() => graphOf([...upper, ...lower])).toThrow(`in 101000 ways; allowed are ${mostEdges}`);
  // Executions that are not of the batch are looked up one by one, too.
  const others = Array.from({ length: 101 }, () => ({ name: '', follows: [], others: 1000 }));
  expect(() => graphOf(others)).toThrow(`in 101000 ways; allowed are ${mostEdges}`);
  expect(graphOf(others.slice(1)).order).toHaveLength(100);
});
