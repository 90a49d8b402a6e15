import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConcurrencyUse, GateUse, QuarantineUse, RateUse } from '../../../src/domain/scheduling/gate.ts';
import { type Leaf, type Priority, priorities } from '../../../src/domain/scheduling/priority.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';
import { growth } from '../../support/processor-time.ts';
import { PlainOrder } from './plain-order.ts';

const leaf = (priority: Priority = 'normal', fairnessKey = '', tenant = 'default'): Leaf => ({
  tenant,
  priority,
  fairnessKey,
});

function concurrency(value: string, limit: number, key = 'user'): ConcurrencyUse {
  return { kind: 'concurrency', rule: `rule ${key}`, meter: `${key} ${value}`, key, value, limit };
}

function rate(value: string, units: number, perMs: number, burst = 1): RateUse {
  return { kind: 'rate', rule: 'rate', meter: value, key: 'rate', value, units, perMs, burst };
}

function fragile(failures = 1, withinMs = 32): QuarantineUse {
  return {
    ...{ kind: 'quarantine', rule: 'task/quarantine', meter: 'task', key: 'task', value: 'task' },
    ...{ failures, withinMs },
  };
}

const anyLeaf = fc.record({
  tenant: fc.constantFrom('a', 'b'),
  priority: fc.constantFrom(...priorities),
  fairnessKey: fc.constantFrom('', 'x', 'y'),
});

/** What its limits are stays the same within a run, but for what `change` says. */
const anyUses = fc.tuple(
  fc.constantFrom(undefined, 'p', 'q', 'r'),
  fc.constantFrom(undefined, 'all'),
  fc.constantFrom(undefined, undefined, 'slow'),
  fc.constantFrom(undefined, 'fragile'),
);

type Name = string | undefined;
type Names = [Name, Name, Name, Name];

function usesOf([user, all, slow, breaks]: Names, limits: readonly [number, number]): GateUse[] {
  return [
    ...(user === undefined ? [] : [concurrency(user, limits[0])]),
    ...(all === undefined ? [] : [concurrency(all, limits[1], 'whole')]),
    ...(slow === undefined ? [] : [rate(slow, 2, 128, 2)]),
    ...(breaks === undefined ? [] : [fragile()]),
  ];
}

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      leaf: anyLeaf,
      first: fc.boolean(),
      names: anyUses,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(120) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('hold' as const), leaf: anyLeaf, names: anyUses }),
  },
  // Powers of two, so that no order hangs on how fractions are summed.
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('take' as const), expected: fc.constantFrom(64, 128, 1024) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      used: fc.constantFrom(0, 64, 256, 4096),
      what: fc.constantFrom('failed', 'failed', 'succeeded', undefined),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(16, 64, 256) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      limits: fc.tuple(fc.nat(3), fc.nat(3)),
      changed: fc.constantFrom(0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('quota' as const),
      tenant: fc.constantFrom('a', 'b'),
      running: fc.nat(3),
    }),
  },
);

test('does what the rules say in their plainest form, whatever comes in whatever order', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 20, maxLength: 160, size: 'max' }), (acts) => {
      const order = new RunOrder();
      const plain = new PlainOrder();
      const running: string[] = [];
      let limits: [number, number] = [1, 2];
      let now = 0;
      for (const [index, each] of acts.entries()) {
        const id = `${index}`;
        if (each.kind === 'add') {
          const uses = usesOf(each.names, limits);
          order.add(id, { ...each.leaf, gates: uses }, each.first);
          plain.add(id, each.leaf, each.first, uses);
        } else if (each.kind === 'remove') {
          order.remove(`${each.which}`);
          plain.remove(`${each.which}`);
        } else if (each.kind === 'hold') {
          const uses = usesOf(each.names, limits);
          order.hold(id, { ...each.leaf, gates: uses }, 64);
          plain.hold(id, each.leaf, 64, uses);
          running.push(id);
        } else if (each.kind === 'take') {
          const taken = order.take(() => each.expected, now);
          expect(taken).toBe(plain.take(each.expected));
          if (taken !== undefined) running.push(taken);
        } else if (each.kind === 'tick') {
          now += each.ms;
          order.advance(now);
          plain.advance(now);
        } else if (each.kind === 'change') {
          limits = each.changed === 0 ? [each.limits[0], limits[1]] : [limits[0], each.limits[1]];
          const use =
            each.changed === 0 ? concurrency('p', limits[0]) : concurrency('all', limits[1], 'whole');
          order.change(use);
          plain.change(use);
        } else if (each.kind === 'quota') {
          order.setQuota(each.tenant, { running: each.running });
          plain.setQuota(each.tenant, each.running);
        } else if (each.kind === 'reset') {
          order.resetQuarantines('task');
          plain.reset(fragile());
        } else {
          const ended = running.shift();
          if (ended === undefined) continue;
          if (each.what !== undefined) {
            order.judge(ended, { kind: each.what, error: { code: 'TRAP', message: '' } }, now);
            plain.judge(ended, each.what);
          }
          order.end(ended, each.used, now);
          plain.end(ended, each.used);
        }
      }
    }),
    { numRuns: 300 },
  );
});

/** Takes all that can start now. */
function takeAll(order: RunOrder, now = 0, expectedMs = 100): string[] {
  const taken: string[] = [];
  for (let id = order.take(() => expectedMs, now); id !== undefined; id = order.take(() => expectedMs, now)) {
    taken.push(id);
  }
  return taken;
}

describe('a concurrency key', () => {
  test('lets so many of a value run at a time, and holds nobody with another', () => {
    const order = new RunOrder();
    for (const id of ['a1', 'a2', 'a3', 'b1'])
      order.add(id, { ...leaf(), gates: [concurrency(id.slice(0, 1), 2)] });
    expect(takeAll(order)).toEqual(['a1', 'a2', 'b1']);
    order.end('a2', 100);
    expect(takeAll(order)).toEqual(['a3']);
  });

  test('says who holds it and since when, and nothing of one that only waits for a slot', () => {
    const order = new RunOrder();
    for (const id of ['a1', 'a2', 'b1'])
      order.add(id, { ...leaf(), gates: [concurrency(id.slice(0, 1), 1)] });
    expect(order.take(() => 1, 5)).toBe('a1');
    const held = order.heldBy('a2');
    expect(held).toMatchObject({ gate: { key: 'user', value: 'a', limit: 1 }, since: 5 });
    expect([...(held?.holders ?? [])]).toEqual(['a1']);
    expect(order.heldBy('b1')).toBeUndefined();
  });

  test('with a lower limit ends nothing, and lets nobody start before the count is below it', () => {
    const order = new RunOrder();
    for (let n = 0; n < 6; n++) order.add(`${n}`, { ...leaf(), gates: [concurrency('a', 3)] });
    expect(takeAll(order)).toEqual(['0', '1', '2']);
    order.change(concurrency('a', 1));
    order.end('0', 1);
    order.end('1', 1);
    expect(takeAll(order)).toEqual([]);
    order.end('2', 1);
    expect(takeAll(order)).toEqual(['3']);
    order.change(concurrency('a', 3));
    expect(takeAll(order)).toEqual(['4', '5']);
  });

  test('that its owner has no more holds nobody back, also not one that comes with it later', () => {
    const order = new RunOrder();
    const of = (rule: string, version: number) => ({ ...concurrency('a', 1), rule, version });
    const slow: GateUse = { ...rate('a', 1, 1000), rule: 't1/rate', version: 1 };
    for (let n = 0; n < 3; n++) order.add(`${n}`, { ...leaf(), gates: [of('t1/user', 1), slow] });
    order.add('other', { ...leaf('low'), gates: [{ ...of('t2/user', 1), meter: 'other' }] });
    expect(takeAll(order, 1000)).toEqual(['0', 'other']);
    order.add('other 2', { ...leaf('low'), gates: [{ ...of('t2/user', 1), meter: 'other' }] });
    order.replaceRules('t1', 2, []);
    expect(takeAll(order, 1000)).toEqual(['1', '2']);
    order.add('3', { ...leaf(), gates: [of('t1/user', 1), slow] });
    expect(takeAll(order, 1000)).toEqual(['3']);
    // Nor before a value of its key that nobody had before.
    order.add('new value', { ...leaf(), gates: [{ ...slow, meter: 'b', value: 'b' }] });
    expect(takeAll(order, 1000)).toEqual(['new value']);
    order.end('new value', 1, 1000);
    // And again one that it has anew.
    order.replaceRules('t1', 3, [of('t1/user', 3)]);
    order.add('4', { ...leaf(), gates: [of('t1/user', 1)] });
    expect(takeAll(order, 1000)).toEqual([]);
    for (const id of ['0', '1', '2', '3']) order.end(id, 1, 1000);
    expect(takeAll(order, 1000)).toEqual(['4']);
  });

  test('counts what ran before a restart', () => {
    const order = new RunOrder();
    order.hold('before', { ...leaf(), gates: [concurrency('a', 1)] }, 100);
    order.add('after', { ...leaf(), gates: [concurrency('a', 1)] });
    expect(takeAll(order)).toEqual([]);
    order.end('before', 100);
    expect(takeAll(order)).toEqual(['after']);
  });

  test('lets an urgent one go first when it opens, however many wait before it', () => {
    const order = new RunOrder();
    for (let n = 0; n < 100; n++)
      order.add(`${n}`, { ...leaf('normal', `key ${n}`), gates: [concurrency('a', 1)] });
    expect(takeAll(order)).toEqual(['0']);
    order.add('now', { ...leaf('urgent'), gates: [concurrency('a', 1)] });
    order.end('0', 100);
    expect(takeAll(order)).toEqual(['now']);
  });

  test('shares what it lets through by weight, within 5 %', () => {
    const order = new RunOrder();
    for (let n = 0; n < 2000; n++) {
      for (const priority of priorities)
        order.add(`${priority} ${n}`, { ...leaf(priority), gates: [concurrency('', 1)] });
    }
    const had = { low: 0, normal: 0, high: 0, urgent: 0 };
    for (let n = 0; n < 1700; n++) {
      const [id] = takeAll(order);
      had[id?.split(' ')[0] as Priority] += 1;
      order.end(id ?? '', 100);
    }
    for (const [name, weight] of Object.entries({ low: 1, normal: 4, high: 16, urgent: 64 })) {
      const due = (1700 * weight) / 85;
      expect(Math.abs(had[name as Priority] - due)).toBeLessThan(0.05 * due + 1);
    }
  });

  test('gives a hundred fairness keys behind one gate their turns', () => {
    const order = new RunOrder();
    for (let n = 0; n < 2000; n++) {
      order.add(`${n}`, { ...leaf('normal', `key ${n % 100}`), gates: [concurrency('', 1)] });
    }
    const had = new Map<number, number>();
    for (let n = 0; n < 1000; n++) {
      const [id = ''] = takeAll(order);
      had.set(Number(id) % 100, (had.get(Number(id) % 100) ?? 0) + 1);
      order.end(id, 100);
    }
    expect(had.size).toBe(100);
    expect(Math.max(...had.values()) - Math.min(...had.values())).toBeLessThanOrEqual(3);
  });

  test('loses none of many leaves behind two gates, whatever is cancelled', () => {
    const act = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('add' as const), key: fc.nat(40), user: fc.nat(3) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), which: fc.nat(200) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
    );
    fc.assert(
      fc.property(fc.array(act, { minLength: 50, maxLength: 200, size: 'max' }), (acts) => {
        const order = new RunOrder();
        const running: string[] = [];
        for (const [index, each] of acts.entries()) {
          if (each.kind === 'add') {
            const gates = [concurrency('', 2, 'whole'), concurrency(`${each.user}`, 1)];
            order.add(`${index}`, { ...leaf('normal', `key ${each.key}`), gates });
          } else if (each.kind === 'remove') order.remove(`${each.which}`);
          else if (each.kind === 'take') running.push(...[order.take(() => 100) ?? []].flat());
          else order.end(running.shift() ?? '', 100);
        }
        while (order.waiting > 0) {
          running.push(...takeAll(order));
          // Nothing runs, and yet those that wait are held.
          if (running.length === 0) break;
          order.end(running.shift() ?? '', 100);
        }
        expect(order.waiting).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('is found by one that may go, also behind many that another key holds', () => {
    const order = new RunOrder();
    const wait = (id: string, user: string, limit: number) =>
      order.add(id, {
        ...leaf('normal', id),
        gates: [concurrency('', limit, 'whole'), concurrency(user, 1)],
      });
    wait('runs', 'a', 1);
    expect(takeAll(order)).toEqual(['runs']);
    for (let n = 0; n < 20; n++) wait(`${n}`, 'a', 1);
    wait('other', 'b', 1);
    order.change(concurrency('', 2, 'whole'));
    expect(takeAll(order)).toEqual(['other']);
  });

  test('leaves no slot idle where many wait before a gate that opens wide', () => {
    const order = new RunOrder();
    for (let n = 0; n < 500; n++) {
      order.add(`${n}`, {
        ...leaf('normal', `key ${n % 50}`),
        gates: [concurrency('', 0), concurrency(`${n}`, 1, 'own')],
      });
    }
    expect(takeAll(order)).toEqual([]);
    order.change(concurrency('', 500));
    expect(takeAll(order)).toHaveLength(500);
  });

  test('of many thousand values costs no more at a dispatch than one of few', () => {
    const through = (values: number): number => {
      const order = new RunOrder();
      for (let n = 0; n < values; n++) {
        for (const each of ['a', 'b'])
          order.add(`${each}${n}`, { ...leaf(), gates: [concurrency(`${n}`, 1)] });
      }
      let taken = 0;
      for (let id = order.take(() => 1); id !== undefined; id = order.take(() => 1)) {
        taken += 1;
        order.end(id, 1);
      }
      return taken;
    };
    expect(through(10_000)).toBe(20_000);
    expect(growth(200, 20_000, through)).toBeLessThan(25);
  });

  test('leaves nothing behind of values that come and go', () => {
    const order = new RunOrder();
    for (let n = 0; n < 50_000; n++) {
      order.add(`${n}`, { ...leaf(), gates: [concurrency(`${n}`, 1), rate(`${n}`, 1, 1)] });
      order.end(order.take(() => 1, n) ?? '', 1, n);
    }
    expect(order.gates).toBeLessThan(20_000);
  });
});

describe('a rate', () => {
  test('begins empty, lets so many start in a time, and at most its burst at once', () => {
    const order = new RunOrder();
    for (let n = 0; n < 12; n++) order.add(`${n}`, { ...leaf(), gates: [rate('a', 10, 1000, 3)] });
    expect(takeAll(order, 0)).toEqual([]);
    expect(order.nextOpening).toBe(100);
    expect(takeAll(order, 100)).toEqual(['0']);
    expect(takeAll(order, 199)).toEqual([]);
    expect(takeAll(order, 200)).toEqual(['1']);
    expect(takeAll(order, 5000)).toEqual(['2', '3', '4']);
    expect(order.nextOpening).toBe(5100);
    expect(order.heldBy('5')).toMatchObject({ gate: { kind: 'rate', value: 'a' }, opensAt: 5100 });
  });

  test('never lets more start than its burst and what comes meanwhile, whatever happens when', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        (gaps, burst) => {
          const order = new RunOrder();
          const starts: number[] = [];
          let now = 0;
          for (const [index, gap] of gaps.entries()) {
            now += gap;
            for (const each of ['a', 'b', 'c'])
              order.add(`${index}${each}`, { ...leaf(), gates: [rate('', 10, 1000, burst)] });
            for (const id of takeAll(order, now)) {
              starts.push(now);
              order.end(id, 10, now);
            }
          }
          for (const [first, from] of starts.entries()) {
            for (const [last, to] of starts.entries()) {
              if (last >= first)
                expect(last - first + 1).toBeLessThanOrEqual(burst + (to - from) / 100 + 1e-6);
            }
          }
        },
      ),
    );
  });
});

describe('a quarantine', () => {
  const error = { code: 'TRAP', message: 'unreachable' };
  const failed = { kind: 'failed', error } as const;
  const use = fragile(2, 1000);
  const crowd = (order: RunOrder, count: number, gates: GateUse[] = [use]) => {
    for (let n = 0; n < count; n++) order.add(`${n}`, { ...leaf(), gates });
  };
  const end = (order: RunOrder, id: string, verdict: Parameters<RunOrder['judge']>[1], now: number) => {
    order.judge(id, verdict, now);
    order.end(id, 1, now);
  };

  /** With three that have failed, a fourth that runs and six that wait. */
  function quarantined(): RunOrder {
    const order = new RunOrder();
    crowd(order, 10);
    for (let n = 0; n < 4; n++) order.take(() => 1, 0);
    for (const id of ['0', '1', '2']) end(order, id, failed, 100);
    return order;
  }

  test('holds all of a task of which more attempts failed in a time than it allows, and says why', () => {
    const order = quarantined();
    order.add('other', leaf());
    expect(takeAll(order, 100)).toEqual(['other']);
    expect(order.heldBy('5')).toMatchObject({
      gate: { kind: 'quarantine', failures: 2, withinMs: 1000 },
      trouble: { since: 100, failures: 3, last: error, probes: 0, probeAt: 1100 },
      opensAt: 1100,
    });
  });

  test('forgets failures that are older than its time', () => {
    const order = new RunOrder();
    crowd(order, 9);
    for (const [n, now] of [0, 500, 1000, 1500, 2000].entries()) {
      expect(order.take(() => 1, now)).toBe(`${n}`);
      end(order, `${n}`, failed, now);
    }
    expect(order.quarantineOf(use)).toBeUndefined();
  });

  test('lets one try after its time, and all when that succeeds', () => {
    const order = quarantined();
    expect(takeAll(order, 1099)).toEqual([]);
    expect(takeAll(order, 1100)).toEqual(['4']);
    expect(order.heldBy('5')).toMatchObject({ trouble: { probe: '4' }, opensAt: Number.POSITIVE_INFINITY });
    end(order, '4', { kind: 'succeeded' }, 1200);
    expect(takeAll(order, 1200)).toEqual(['5', '6', '7', '8', '9']);
  });

  test('waits twice as long after each that fails, up to an hour', () => {
    const order = quarantined();
    const pauses: number[] = [];
    let now = 100;
    for (let n = 4; n < 10; n++) {
      const opens = order.nextOpening;
      pauses.push(opens - now);
      now = opens;
      expect(takeAll(order, now)).toEqual([`${n}`]);
      end(order, `${n}`, failed, now);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000]);
    for (let n = 10; n < 20; n++) {
      order.add(`${n}`, { ...leaf(), gates: [use] });
      now = order.nextOpening;
      expect(takeAll(order, now)).toEqual([`${n}`]);
      end(order, `${n}`, failed, now);
    }
    expect(order.nextOpening - now).toBe(3_600_000);
  });

  test('lets another try at once where nothing came of the one that did', () => {
    const order = quarantined();
    expect(takeAll(order, 1100)).toEqual(['4']);
    order.end('4', 1, 1150);
    expect(takeAll(order, 1150)).toEqual(['5']);
  });

  test('is not ended by one that ran before it began', () => {
    const order = quarantined();
    end(order, '3', { kind: 'succeeded' }, 200);
    expect(takeAll(order, 200)).toEqual([]);
    expect(order.quarantineOf(use)).toMatchObject({ trouble: { since: 100 }, isFull: true });
  });

  test('of what a task ran before is forgotten when there are too many of them, and the newest is not', () => {
    const order = new RunOrder();
    const revision = (n: number): QuarantineUse => ({ ...use, meter: `revision ${n}`, version: n });
    for (let n = 0; n < 1000; n++) {
      crowd(order, 3, [revision(n)]);
      for (const id of takeAll(order, n)) end(order, id, failed, n);
    }
    expect(order.gates).toBeLessThanOrEqual(16);
    expect(order.quarantineOf(revision(999))).toBeDefined();
    expect(order.quarantineOf(revision(0))).toBeUndefined();
  });

  test('of which one waits is kept, however many there are', () => {
    const order = quarantined();
    for (let n = 0; n < 100; n++) order.add(`old ${n}`, { ...leaf(), gates: [{ ...use, meter: `${n}` }] });
    expect(order.quarantineOf(use)).toBeDefined();
    expect(order.heldBy('5')).toMatchObject({ gate: { kind: 'quarantine' } });
  });

  test('of tasks that nobody has tried for a day is forgotten where there are many', () => {
    const order = new RunOrder();
    const of = (n: number): QuarantineUse => ({ ...use, rule: `task-${n}/task`, meter: `task-${n}/task=x` });
    const breaks = (n: number, now: number) => {
      crowd(order, 3, [of(n)]);
      for (const id of takeAll(order, now)) end(order, id, failed, now);
    };
    for (let n = 0; n < 8200; n++) breaks(n, 0);
    for (let n = 8200; n < 16_500; n++) breaks(n, 2 * 24 * 3_600_000);
    expect(order.gates).toBeLessThan(9000);
    expect(order.quarantineOf(of(16_499))).toBeDefined();
  });

  test('ends when it is reset, and when its task has no such limit any more', () => {
    for (const act of [
      (order: RunOrder) => expect(order.resetQuarantines('task')).toBe(true),
      (order: RunOrder) => order.replaceRules('task', 2, []),
    ]) {
      const order = quarantined();
      act(order);
      expect(order.quarantineOf(use)).toBeUndefined();
      expect(takeAll(order, 100)).toEqual(['4', '5', '6', '7', '8', '9']);
    }
  });

  test('has room for one, which is there when it comes to try', () => {
    const order = quarantined();
    for (const id of ['4', '5', '6', '7', '8', '9']) order.remove(id);
    expect(order.quarantineOf(use, 1000)?.isFull).toBe(true);
    expect(order.quarantineOf(use, 1100)?.isFull).toBe(false);
    order.add('new', { ...leaf(), gates: [use] });
    expect(order.quarantineOf(use, 1100)?.isFull).toBe(true);
    expect(takeAll(order, 1100)).toEqual(['new']);
    expect(order.quarantineOf(use, 1100)?.isFull).toBe(true);
  });

  test('stays also where nothing of its task waits or runs', () => {
    const order = quarantined();
    for (const id of ['4', '5', '6', '7', '8', '9']) order.remove(id);
    order.end('3', 1, 100);
    for (let n = 0; n < 20_000; n++) {
      order.add(`x${n}`, { ...leaf(), gates: [concurrency(`${n}`, 1)] });
      order.end(order.take(() => 1, 100) ?? '', 1, 100);
    }
    order.add('new', { ...leaf(), gates: [use] });
    expect(takeAll(order, 1099)).toEqual([]);
  });
});

describe('the quota of a tenant', () => {
  test('holds all of it, with gates and without, and nobody else', () => {
    const order = new RunOrder();
    order.setQuota('a', { running: 1 });
    for (const id of ['a1', 'a2', 'b1', 'b2']) order.add(id, leaf('normal', '', id.slice(0, 1)));
    order.add('a3', { ...leaf('urgent', '', 'a'), gates: [concurrency('a', 5)] });
    expect(takeAll(order).sort()).toEqual(['a3', 'b1', 'b2']);
    expect(order.heldBy('a1')).toMatchObject({ gate: { kind: 'quota', value: 'a', limit: 1 } });
    order.end('a3', 1);
    expect(takeAll(order)).toEqual(['a1']);
  });

  test('that is set while its work runs and waits counts what runs, and can be taken away', () => {
    const order = new RunOrder();
    for (const id of ['a1', 'a2', 'a3']) order.add(id, leaf('normal', '', 'a'));
    order.take(() => 1);
    order.setQuota('a', { running: 1 });
    expect(takeAll(order)).toEqual([]);
    order.setQuota('a');
    expect(takeAll(order)).toEqual(['a2', 'a3']);
  });

  test('gives it another weight, which acts at once', () => {
    const order = new RunOrder();
    order.setQuota('a', { weight: 3 });
    const had = { a: 0, b: 0 };
    for (let n = 0; n < 1000; n++) {
      for (const each of ['a', 'b']) order.add(`${each}${n}`, leaf('normal', '', each));
    }
    for (let n = 0; n < 800; n++) {
      const id = order.take(() => 100) ?? '';
      had[id.slice(0, 1) as 'a' | 'b'] += 1;
      order.end(id, 100);
    }
    expect(had.a / 800).toBeCloseTo(0.75, 1);
  });

  test('of a rate holds it until there is a token', () => {
    const order = new RunOrder();
    order.setQuota('a', { rate: { units: 1, perMs: 100, burst: 1 } });
    for (const id of ['a1', 'a2']) order.add(id, leaf('normal', '', 'a'));
    expect(takeAll(order, 100)).toEqual(['a1']);
    expect(order.nextOpening).toBe(200);
    expect(takeAll(order, 200)).toEqual(['a2']);
  });
});

describe('resources', () => {
  const wants = (memoryBytes: number, processors = 0): GateUse => ({
    kind: 'resources',
    memoryBytes,
    processors,
  });

  test('hold what does not fit beside what runs, and let smaller ones pass meanwhile', () => {
    const order = new RunOrder();
    order.setResources({ memoryBytes: 10, processors: 2 });
    for (const [id, memory] of [
      ['a', 6],
      ['b', 6],
      ['c', 3],
    ] as const)
      order.add(id, { ...leaf(), gates: [wants(memory)] });
    expect(takeAll(order)).toEqual(['a', 'c']);
    order.end('a', 1);
    expect(takeAll(order)).toEqual(['b']);
  });

  test('keep for a large one what is released, when it is next and has been held for ten seconds', () => {
    const order = new RunOrder();
    order.setResources({ memoryBytes: 10, processors: 2 });
    let running = ['s0', 's1', 's2'];
    for (const id of running) order.add(id, { ...leaf(), gates: [wants(3)] });
    takeAll(order);
    order.add('large', { ...leaf(), gates: [wants(9)] });
    let now = 0;
    for (let n = 3; !running.includes('large') && n < 100; n++) {
      order.add(`s${n}`, { ...leaf(), gates: [wants(3)] });
      now += 1000;
      const [first = '', ...rest] = running;
      order.end(first, 1000, now);
      running = [...rest, ...takeAll(order, now)];
    }
    expect(running).toEqual(['large']);
    expect(now).toBeGreaterThanOrEqual(10_000);
    expect(now).toBeLessThan(16_000);
  });

  test('keep nothing any more for a large one that is cancelled', () => {
    const order = new RunOrder();
    order.setResources({ memoryBytes: 10, processors: 2 });
    order.add('s0', { ...leaf(), gates: [wants(3)] });
    takeAll(order);
    order.add('large', { ...leaf(), gates: [wants(9)] });
    order.add('s1', { ...leaf(), gates: [wants(3)] });
    order.advance(10_000);
    expect(takeAll(order, 10_000)).toEqual([]);
    order.remove('large');
    expect(takeAll(order, 10_001)).toEqual(['s1']);
  });

  test('that are more than all there are take all of them, and run alone', () => {
    const order = new RunOrder();
    order.setResources({ memoryBytes: 10, processors: 2 });
    for (const [id, memory] of [
      ['large', 50],
      ['small', 1],
    ] as const)
      order.add(id, { ...leaf(), gates: [wants(memory)] });
    expect(takeAll(order)).toEqual(['large']);
    order.end('large', 1);
    expect(takeAll(order)).toEqual(['small']);
  });
});

describe('the memory of a tenant', () => {
  const wants = (memoryBytes: number, tenant = 'a'): GateUse => ({
    ...{ kind: 'quotaMemory', rule: tenant, meter: tenant, key: 'tenant', value: tenant },
    memoryBytes,
  });
  const of = (tenant: string, memoryBytes: number) => ({
    ...leaf(),
    tenant,
    gates: [wants(memoryBytes, tenant)],
  });

  test('holds what does not fit beside what runs of it, and nothing of others', () => {
    const order = new RunOrder();
    order.setQuota('a', { memoryBytes: 10 });
    order.add('a1', of('a', 6));
    order.add('a2', of('a', 6));
    order.add('b1', of('b', 100));
    expect(takeAll(order).sort()).toEqual(['a1', 'b1']);
    expect(order.memoryOf('a')).toBe(6);
    expect(order.heldBy('a2')).toMatchObject({ gate: { kind: 'quotaMemory' }, total: { memoryBytes: 10 } });
    order.end('a1', 1);
    expect(takeAll(order)).toEqual(['a2']);
  });

  test('counts what ran before there was a quota, and acts at once on what waits', () => {
    const order = new RunOrder();
    for (const id of ['a1', 'a2', 'a3']) order.add(id, of('a', 6));
    expect(order.take(() => 1)).toBe('a1');
    order.setQuota('a', { memoryBytes: 10 });
    expect(takeAll(order)).toEqual([]);
    order.setQuota('a', { memoryBytes: 12 });
    expect(takeAll(order)).toEqual(['a2']);
    order.setQuota('a');
    expect(takeAll(order)).toEqual(['a3']);
  });

  test('keeps for a large one what is released, when it has been held for ten seconds', () => {
    const order = new RunOrder();
    order.setQuota('a', { memoryBytes: 10 });
    let running = ['s0', 's1', 's2'];
    for (const id of running) order.add(id, of('a', 3));
    takeAll(order);
    order.add('large', of('a', 9));
    for (let n = 3; !running.includes('large') && n < 30; n++) {
      order.add(`s${n}`, of('a', 3));
      const [first = '', ...rest] = running;
      order.end(first, 1000, (n - 2) * 1000);
      running = [...rest, ...takeAll(order, (n - 2) * 1000)];
    }
    expect(running).toEqual(['large']);
  });

  test('is forgotten with the gates of those that are gone', () => {
    const order = new RunOrder();
    for (let n = 0; n < 20_000; n++) {
      order.add(`t${n}`, of(`t${n}`, 1));
      order.take(() => 0);
      order.end(`t${n}`, 0);
    }
    expect(order.gates).toBeLessThan(10_000);
  });
});

describe('how long gates will likely hold one', () => {
  const key = (limit: number): GateUse => ({
    ...{ kind: 'concurrency', rule: 'r', meter: 'm', key: 'k', value: 'v' },
    limit,
  });
  const wait = (order: RunOrder, id: string, gates: readonly GateUse[], now = 0) =>
    order.gateWait(id, { ...leaf(), gates }, { expectedMs: 100, now });

  test('a concurrency key: those before it on the same value, so many at a time, each as long as expected', () => {
    const order = new RunOrder();
    const gates = [key(2)];
    expect(wait(order, 'new', gates)).toBe(0);
    for (let n = 0; n < 6; n++) order.add(`e${n}`, { ...leaf(), gates });
    expect(takeAll(order)).toEqual(['e0', 'e1']);
    expect(['e2', 'e3', 'e4', 'e5', 'new'].map((id) => wait(order, id, gates))).toEqual([
      100, 100, 200, 200, 300,
    ]);
    order.end('e0', 1);
    expect(wait(order, 'e2', gates)).toBe(0);
    expect(order.gateWait('new', { ...leaf(), gates }, { expectedMs: 100, stored: 10 })).toBe(700);
  });

  test('those of lower priority that wait for the same value are not before it', () => {
    const order = new RunOrder();
    const gates = [key(1)];
    for (let n = 0; n < 5; n++) order.add(`e${n}`, { ...leaf(), gates });
    order.take(() => 1);
    const urgent = { ...leaf(), priority: 'urgent' as const, gates };
    expect(order.gateWait('new', urgent, { expectedMs: 100 })).toBe(100);
    expect(order.gateWait('new', { ...urgent, priority: 'low' }, { expectedMs: 100 })).toBe(500);
  });

  test('a rate: until there is a token for it, after those before it', () => {
    const order = new RunOrder();
    const gates: readonly GateUse[] = [
      { kind: 'rate', rule: 'r', meter: 'm', key: 'k', value: 'v', units: 1, perMs: 1000, burst: 2 },
    ];
    expect(wait(order, 'new', gates, 10_000)).toBe(0);
    for (let n = 0; n < 4; n++) order.add(`e${n}`, { ...leaf(), gates });
    expect(takeAll(order, 10_000)).toEqual(['e0', 'e1']);
    expect(['e2', 'e3', 'new'].map((id) => wait(order, id, gates, 10_400))).toEqual([600, 1600, 2600]);
  });

  test('memory and quotas: as many at a time as there is room for', () => {
    const order = new RunOrder();
    order.setResources({ memoryBytes: 10, processors: Number.POSITIVE_INFINITY });
    const gates: readonly GateUse[] = [{ kind: 'resources', memoryBytes: 4, processors: 1 }];
    for (let n = 0; n < 4; n++) order.add(`e${n}`, { ...leaf(), gates });
    expect(takeAll(order)).toEqual(['e0', 'e1']);
    expect(['e2', 'e3', 'new'].map((id) => wait(order, id, gates))).toEqual([100, 100, 200]);
    order.setQuota(leaf().tenant, { running: 1 });
    expect(['e2', 'e3', 'new'].map((id) => wait(order, id, []))).toEqual([100, 200, 300]);
    order.setQuota(leaf().tenant, { running: 0 });
    expect(wait(order, 'new', [])).toBe(Number.POSITIVE_INFINITY);
  });
});
