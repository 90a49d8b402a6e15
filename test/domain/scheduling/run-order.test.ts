import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Leaf, type Priority, priorities } from '../../../src/domain/scheduling/priority.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';
import { PlainOrder } from './plain-order.ts';

const leaf = (priority: Priority = 'normal', fairnessKey = '', tenant = 'default'): Leaf => ({
  tenant,
  priority,
  fairnessKey,
});

const anyLeaf = fc.record({
  tenant: fc.constantFrom('a', 'b'),
  priority: fc.constantFrom(...priorities),
  fairnessKey: fc.constantFrom('', 'x', 'y'),
});

/** Takes so many one after the other, each of `durationMs`, and says of which leaf each was. */
function runs(
  order: RunOrder,
  leaves: ReadonlyMap<string, string>,
  count: number,
  durationMs = 100,
): string[] {
  return Array.from({ length: count }, () => {
    const id = order.take(() => durationMs) ?? '';
    order.end(id, durationMs);
    return leaves.get(id) ?? 'none';
  });
}

/** So many waiting in each of the leaves, by the names that are given. */
function filled(count: number, leaves: Readonly<Record<string, Leaf>>) {
  const order = new RunOrder();
  const names = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    for (const [name, each] of Object.entries(leaves)) {
      names.set(`${name}-${index}`, name);
      order.add(`${name}-${index}`, each);
    }
  }
  return { order, names };
}

function share(ran: readonly string[], name: string): number {
  return ran.filter((each) => each === name).length / ran.length;
}

test('does what the rules say in their plainest form, whatever comes in whatever order', () => {
  const act = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('add' as const), leaf: anyLeaf, first: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(50) }) },
    // Powers of two, so that no order hangs on how fractions are summed.
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('take' as const), expected: fc.constantFrom(64, 128, 1024) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('end' as const), used: fc.constantFrom(0, 64, 256, 4096) }),
    },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 150 }), (acts) => {
      const order = new RunOrder();
      const plain = new PlainOrder();
      const running: string[] = [];
      for (const [index, each] of acts.entries()) {
        if (each.kind === 'add') {
          order.add(`${index}`, each.leaf, each.first);
          plain.add(`${index}`, each.leaf, each.first);
        } else if (each.kind === 'remove') {
          order.remove(`${each.which}`);
          plain.remove(`${each.which}`);
        } else if (each.kind === 'take') {
          const id = order.take(() => each.expected);
          expect(id).toBe(plain.take(each.expected));
          if (id !== undefined) running.push(id);
        } else {
          const id = running.shift();
          if (id === undefined) continue;
          order.end(id, each.used);
          plain.end(id, each.used);
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('takes each that waits once, and none that was removed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyLeaf, fc.boolean()), { maxLength: 100 }), (jobs) => {
      const order = new RunOrder();
      for (const [index, [each]] of jobs.entries()) order.add(`${index}`, each);
      const kept = jobs.flatMap(([, removed], index) => (removed ? [] : [`${index}`]));
      for (const [index, [, removed]] of jobs.entries())
        if (removed) expect(order.remove(`${index}`)).toBe(true);
      const taken: string[] = [];
      for (let id = order.take(() => 1); id !== undefined; id = order.take(() => 1)) taken.push(id);
      expect(taken.sort()).toEqual(kept.sort());
      expect(order.waiting).toBe(0);
    }),
  );
});

describe('in one leaf', () => {
  test('first come first served, and a retry before all others', () => {
    const order = new RunOrder();
    for (const id of ['a', 'b', 'c']) order.add(id, leaf());
    order.add('again', leaf(), true);
    expect([1, 2, 3, 4].map(() => order.take(() => 100))).toEqual(['again', 'a', 'b', 'c']);
  });
});

describe('between priorities', () => {
  test('shares are as the weights, within 5 %, also where nobody knows how long each takes', () => {
    const { order, names } = filled(3000, {
      low: leaf('low'),
      normal: leaf('normal'),
      high: leaf('high'),
      urgent: leaf('urgent'),
    });
    const ran = runs(order, names, 2000);
    for (const [name, weight] of Object.entries({ low: 1, normal: 4, high: 16, urgent: 64 })) {
      expect(Math.abs(share(ran, name) - weight / 85)).toBeLessThan(0.05 * (weight / 85) + 1 / ran.length);
    }
  });

  test('the lowest is not starved', () => {
    const { order, names } = filled(1000, { low: leaf('low'), urgent: leaf('urgent') });
    expect(runs(order, names, 200)).toContain('low');
  });

  test('an urgent call runs next, however long the others have waited and however little they have had', () => {
    const { order } = filled(1000, { normal: leaf('normal'), high: leaf('high') });
    order.add('now', leaf('urgent'));
    expect(order.take(() => 100)).toBe('now');
  });
});

describe('between tenants', () => {
  test('one with a thousand waiting does not keep another waiting', () => {
    const { order, names } = filled(1000, { greedy: leaf('urgent', '', 'greedy') });
    runs(order, names, 50);
    order.add('modest', leaf('low', '', 'modest'));
    expect(order.take(() => 100)).toBe('modest');
  });

  test('one that was idle has no more than its share when it comes back', () => {
    const { order, names } = filled(1000, { busy: leaf('normal', '', 'busy') });
    runs(order, names, 500);
    for (let index = 0; index < 500; index++) {
      names.set(`idle-${index}`, 'idle');
      order.add(`idle-${index}`, leaf('normal', '', 'idle'));
    }
    expect(share(runs(order, names, 400), 'idle')).toBeCloseTo(0.5, 1);
  });

  test('long ones count by what they took, and not by how many they are', () => {
    const { order, names } = filled(2000, {
      long: leaf('normal', '', 'long'),
      short: leaf('normal', '', 'short'),
    });
    const time = { long: 0, short: 0 };
    for (let index = 0; index < 1500; index++) {
      const id = order.take(() => 0) ?? '';
      const name = names.get(id) as keyof typeof time;
      const took = name === 'long' ? 900 : 100;
      time[name] += took;
      order.end(id, took);
    }
    expect(time.long / (time.long + time.short)).toBeCloseTo(0.5, 1);
  });

  test('what ran of one is expected to go on counts, before it has ended', () => {
    const order = new RunOrder();
    for (const id of ['a1', 'a2']) order.add(id, leaf('normal', '', 'a'));
    for (const id of ['b1', 'b2']) order.add(id, leaf('normal', '', 'b'));
    expect([1, 2, 3, 4].map(() => order.take(() => 100))).toEqual(['a1', 'b1', 'a2', 'b2']);
  });
});

test('fairness keys of a priority take turns', () => {
  const { order, names } = filled(100, {
    x: leaf('normal', 'x'),
    y: leaf('normal', 'y'),
    none: leaf('normal'),
  });
  for (const name of ['x', 'y', 'none']) expect(share(runs(order, names, 30), name)).toBeCloseTo(1 / 3, 1);
});

test('what is cancelled before it runs costs its tenant nothing', () => {
  const { order } = filled(1000, { a: leaf('normal', '', 'a') });
  for (let index = 0; index < 1000; index++) order.remove(`a-${index}`);
  order.add('a', leaf('normal', '', 'a'));
  order.add('b', leaf('normal', '', 'b'));
  expect(order.take(() => 100)).toBe('a');
});

test('a hundred thousand keys that come and go leave nothing behind', () => {
  const order = new RunOrder();
  for (let index = 0; index < 100_000; index++) {
    order.add(`${index}`, leaf('normal', `key ${index}`));
    const id = order.take(() => 1) ?? '';
    order.end(id, 1);
  }
  expect(order.nodes).toBeLessThan(10_000);
});

test('nor do a hundred thousand that are cancelled before they run', () => {
  const order = new RunOrder();
  for (let index = 0; index < 100_000; index++) {
    order.add(`${index}`, leaf('normal', `key ${index}`));
    order.remove(`${index}`);
  }
  expect(order.nodes).toBeLessThan(10_000);
});
