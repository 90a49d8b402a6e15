/** Large workloads, made up from a seed: the same ones each time. */
import {
  type Leaf,
  type Priority,
  priorities,
  priorityWeights,
} from '../../src/domain/scheduling/priority.ts';
import { gated, type Job, type Workload } from './simulation.ts';

/** Numbers from 0 to 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function leaf(tenant: string, priority: Priority = 'normal', fairnessKey = ''): Leaf {
  return { tenant, priority, fairnessKey };
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: Math.round(count) }, (_, index) => make(index));
}

function oneOf<T>(random: () => number, values: readonly [T, ...T[]]): T {
  return values[Math.floor(random() * values.length)] ?? values[0];
}

/** Most are near the mean, a few ten times as long. */
function exponential(random: () => number, meanMs: number): number {
  return Math.max(0.01, -Math.log(1 - random()) * meanMs);
}

/** Without a variance: a few take most of the time. */
function pareto(random: () => number, leastMs: number, mostMs: number): number {
  return Math.min(mostMs, leastMs / (1 - random()) ** (1 / 1.2));
}

const anyPriority = priorities as unknown as readonly [Priority, ...Priority[]];

function counted(meter: string, limit: number) {
  return {
    kind: 'concurrency',
    rule: meter.split('=', 1)[0] ?? '',
    meter,
    key: 'key',
    value: meter,
    limit,
  } as const;
}

/** A million executions with `scale` 1. */
export function workloads(scale = 1, random: () => number = seeded(1)): Workload[] {
  const bursts = (count: number): Job[] =>
    times(count, (index) => {
      const runsMs = exponential(random, 10);
      return {
        leaf: leaf(oneOf(random, ['a', 'b', 'c']), oneOf(random, anyPriority)),
        arrivesAt: Math.floor(index / 5000) * 10_000 + random() * 500,
        runsMs,
        expectedMs: 10,
      };
    });
  const heavy = (count: number): Job[] =>
    times(count, (index) => ({
      leaf: leaf(oneOf(random, ['a', 'b']), oneOf(random, anyPriority), `key ${index % 50}`),
      arrivesAt: index,
      runsMs: pareto(random, 1, 60_000),
      expectedMs: 2,
    }));
  const greedy = (count: number): Job[] => [
    ...times(count * 0.9, () => {
      const runsMs = exponential(random, 20);
      return { leaf: leaf('greedy'), arrivesAt: 0, runsMs, expectedMs: runsMs };
    }),
    ...times(count * 0.1, (index) => ({
      leaf: leaf('modest', index % 10 === 0 ? 'urgent' : 'normal'),
      arrivesAt: index * 25,
      runsMs: 10,
      expectedMs: 10,
    })),
  ];
  const shares = (count: number): Job[] =>
    times(count, (index) => {
      const runsMs = exponential(random, 10);
      return {
        leaf: leaf('a', priorities[index % 4] ?? 'normal'),
        arrivesAt: 0,
        runsMs,
        // Wrong by a thousand, both ways.
        expectedMs: runsMs * oneOf(random, [0.001, 1, 1000]),
      };
    });
  const weighed = (count: number): Job[] =>
    times(count, (index) => {
      const runsMs = pareto(random, 1, 500);
      return {
        leaf: leaf(['one', 'two', 'four'][index % 3] ?? 'one'),
        arrivesAt: 0,
        runsMs,
        expectedMs: 2,
      };
    });
  const keys = (count: number): Job[] => {
    const values = Math.max(1, Math.round(count / 2));
    return times(count, (index) => ({
      leaf: gated(leaf('a', oneOf(random, anyPriority)), counted(`user=${index % values}`, 1)),
      arrivesAt: index % 1000,
      runsMs: exponential(random, 5),
      expectedMs: 5,
    }));
  };
  const blocked = (count: number): Job[] => {
    const rate = { rule: 'rate', key: 'rate', units: 500, perMs: 1000, burst: 20 } as const;
    return times(count, (index) => {
      const open = leaf(oneOf(random, ['a', 'b']), oneOf(random, anyPriority));
      const slow = index % 4 === 0;
      return {
        leaf: slow
          ? gated(open, counted('whole=', 3), {
              kind: 'rate',
              ...rate,
              meter: open.tenant,
              value: open.tenant,
            })
          : open,
        arrivesAt: random() * 10_000,
        runsMs: exponential(random, 5),
        expectedMs: 5,
      };
    });
  };
  const cancelled = (count: number): Job[] =>
    times(count, (index) => ({
      leaf: gated(
        leaf(oneOf(random, ['a', 'b']), 'normal', `key ${index % 1000}`),
        counted(`user=${index % 97}`, 2),
      ),
      arrivesAt: index * 0.01,
      runsMs: exponential(random, 20),
      expectedMs: 20,
      ...(index % 10 > 0 && { cancelledAt: 1000 + random() * 1000 }),
    }));
  const sizes = (count: number): Job[] =>
    times(count, (index) => {
      const large = index % 500 === 0;
      return {
        leaf: gated(leaf(oneOf(random, ['a', 'b'])), {
          kind: 'resources',
          memoryBytes: large ? 900 : 100,
          processors: large ? 4 : 0.5,
        }),
        arrivesAt: random() * count * 2,
        runsMs: exponential(random, large ? 200 : 20),
        expectedMs: 20,
      };
    });
  return [
    { name: 'bursts', slots: 8, jobs: bursts(100_000 * scale) },
    { name: 'heavy tails', slots: 8, jobs: heavy(60_000 * scale) },
    { name: 'a greedy tenant', slots: 4, jobs: greedy(100_000 * scale) },
    {
      name: 'estimates wrong by a thousand',
      slots: 4,
      jobs: shares(340_000 * scale),
      weights: { by: 'priority', of: priorityWeights },
    },
    {
      name: 'tenants of weight 1, 2 and 4',
      slots: 8,
      jobs: weighed(80_000 * scale),
      quotas: { one: { weight: 1 }, two: { weight: 2 }, four: { weight: 4 } },
      weights: { by: 'tenant', of: { one: 1, two: 2, four: 4 } },
    },
    { name: 'a key with many values', slots: 8, jobs: keys(200_000 * scale) },
    {
      name: 'a rate that blocks, and a quota',
      slots: 8,
      jobs: blocked(50_000 * scale),
      quotas: { b: { running: 3, rate: { units: 2000, perMs: 1000, burst: 50 } } },
    },
    { name: 'backlogs that are cancelled', slots: 8, jobs: cancelled(40_000 * scale) },
    {
      name: 'large and small',
      slots: 16,
      jobs: sizes(30_000 * scale),
      resources: { memoryBytes: 1000, processors: 8 },
    },
  ];
}
