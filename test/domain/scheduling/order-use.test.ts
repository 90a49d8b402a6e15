/** What an order of runs remembers when its node is started again. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConcurrencyUse, GateUse, RateUse } from '../../../src/domain/scheduling/gate.ts';
import type { NodeUse } from '../../../src/domain/scheduling/order-use.ts';
import { type Leaf, type Priority, priorities } from '../../../src/domain/scheduling/priority.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';

function concurrency(value: string): ConcurrencyUse {
  return { kind: 'concurrency', rule: 'rule', meter: `user ${value}`, key: 'user', value, limit: 1 };
}

function rate(value: string, burst = 2): RateUse {
  return { kind: 'rate', rule: 'rate', meter: value, key: 'rate', value, units: 2, perMs: 128, burst };
}

const leaf = (fairnessKey: string, priority: Priority = 'normal', gates: GateUse[] = []): Leaf => ({
  tenant: 'a',
  priority,
  fairnessKey,
  gates,
});

/** What a store has of an order. */
class Kept {
  readonly nodes = new Map<string, NodeUse>();
  readonly meters = new Map<string, number>();

  take(order: RunOrder, now: number): void {
    const { nodes, forgotten } = order.takeChanges(now);
    for (const path of forgotten) this.nodes.delete(path.join('/'));
    for (const node of nodes) this.nodes.set(node.path.join('/'), node);
  }

  /** As the commit of its dispatch. */
  dispatched(order: RunOrder, id: string): void {
    for (const { meter, fullAt } of order.metersOf(id)) {
      this.meters.set(meter, Math.max(fullAt, this.meters.get(meter) ?? fullAt));
    }
  }

  restored(): RunOrder {
    const order = new RunOrder();
    const meters = [...this.meters].map(([meter, fullAt]) => ({ meter, fullAt }));
    order.restore({ nodes: [...this.nodes.values()], meters, emptyAt: 0 });
    return order;
  }
}

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      leaf: fc.record({
        tenant: fc.constantFrom('a', 'b'),
        priority: fc.constantFrom(...priorities),
        fairnessKey: fc.constantFrom('', 'x', 'y'),
        gates: fc
          .tuple(fc.constantFrom(undefined, 'p', 'q'), fc.constantFrom(undefined, 'slow', 'other'))
          .map(([user, slow]) => [
            ...(user === undefined ? [] : [concurrency(user)]),
            ...(slow === undefined ? [] : [{ ...rate(slow), perMs: 1e6 }]),
          ]),
      }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), ms: fc.constantFrom(5e4, 5e5) }),
  },
);

test('an order that is made again at any point decides as the one that went on does, of gated ones and all others', () => {
  fc.assert(
    fc.property(
      fc.array(act, { minLength: 20, maxLength: 120, size: 'max' }),
      fc.nat(119),
      fc.array(fc.nat(119), { maxLength: 6 }),
      (acts, restartAt, flushes) => {
        const order = new RunOrder();
        const kept = new Kept();
        let again: RunOrder | undefined;
        const waiting = new Map<string, Leaf>();
        let running: { readonly id: string; readonly since: number }[] = [];
        let now = 0;
        const end = (each: (typeof running)[number]): void => {
          order.end(each.id, now - each.since, now);
          again?.end(each.id, now - each.since, now);
        };
        for (const [index, each] of acts.entries()) {
          // No two take as long.
          now += 1 + index ** 3;
          if (flushes.includes(index) && again === undefined) kept.take(order, now);
          if (index === restartAt) {
            // What ran is lost with the node.
            for (const one of running) end(one);
            running = [];
            kept.take(order, now);
            again = kept.restored();
            again.advance(now);
            for (const [id, where] of waiting) again.add(id, where);
            again.restored();
          }
          const id = `${index}`;
          if (each.kind === 'add') {
            order.add(id, each.leaf);
            again?.add(id, each.leaf);
            waiting.set(id, each.leaf);
          } else if (each.kind === 'take') {
            const taken = order.take(() => 64, now);
            if (again !== undefined) expect(again.take(() => 64, now)).toBe(taken);
            if (taken === undefined) continue;
            waiting.delete(taken);
            running.push({ id: taken, since: now });
            if (again === undefined) kept.dispatched(order, taken);
          } else if (each.kind === 'end') {
            const one = running.shift();
            if (one !== undefined) end(one);
          } else now += each.ms;
        }
      },
    ),
    { numRuns: 500 },
  );
});

describe('what was used', () => {
  test('counts after a restart: who has had less goes first', () => {
    const before = new RunOrder();
    const kept = new Kept();
    for (const key of ['x', 'y', 'x', 'y', 'x', 'y']) before.add(`${key}${before.waiting}`, leaf(key));
    for (let round = 0; round < 2; round++) {
      const id = before.take(() => 10, 0) ?? '';
      before.end(id, id.startsWith('x') ? 1000 : 10, 0);
    }
    kept.take(before, 0);
    const order = kept.restored();
    for (const key of ['x', 'y', 'y']) order.add(`${key}${order.waiting}`, leaf(key));
    order.restored();
    expect([1, 2, 3].map(() => order.take(() => 10, 0))).toEqual(['y1', 'y2', 'x0']);
  });

  test('includes what runs yet', () => {
    const before = new RunOrder();
    const kept = new Kept();
    before.add('x', leaf('x'));
    before.add('y', leaf('y'));
    before.take(() => 0, 0);
    before.add('x again', leaf('x'));
    kept.take(before, 5000);
    expect(kept.nodes.get('a/normal/x')?.used).toBe(5000);
    expect(kept.nodes.get('a')?.used).toBe(5000);
    before.end('x', 6000, 6000);
    kept.take(before, 6000);
    expect(kept.nodes.get('a/normal/x')?.used).toBe(6000);
  });

  test('is forgotten of who would begin no lower without it, and of keys that come once', () => {
    const order = new RunOrder();
    const kept = new Kept();
    for (let key = 0; key < 20_000; key++) {
      order.add(`${key}`, leaf(`key ${key}`));
      order.end(order.take(() => 1, key) ?? '', 1, key);
      if (key % 1000 === 0) kept.take(order, key);
    }
    kept.take(order, 20_000);
    expect(kept.nodes.size).toBeLessThanOrEqual(order.nodes + 1);
    expect(kept.nodes.size).toBeLessThan(10_000);
  });

  test('that could not be written is written with the next', () => {
    const order = new RunOrder();
    const kept = new Kept();
    order.add('x', leaf('x'));
    order.end(order.take(() => 1, 0) ?? '', 50, 0);
    order.add('x again', leaf('x'));
    order.notKept(order.takeChanges(0));
    kept.take(order, 0);
    expect(kept.nodes.get('a/normal/x')?.used).toBe(50);
  });

  test('tells once that there is something to write, until it is taken', () => {
    let told = 0;
    const order = new RunOrder(undefined, () => told++);
    for (const id of ['1', '2', '3']) order.add(id, leaf('x'));
    order.end(order.take(() => 1, 0) ?? '', 50, 0);
    expect(told).toBe(1);
    order.takeChanges(0);
    order.end(order.take(() => 1, 0) ?? '', 50, 0);
    expect(told).toBe(2);
  });
});

describe('a bucket', () => {
  test('that was full is full after a restart, and one that was emptied fills from when it was', () => {
    const before = new RunOrder();
    const kept = new Kept();
    before.restore({ nodes: [], meters: [], emptyAt: Number.NEGATIVE_INFINITY });
    for (const id of ['1', '2', '3']) before.add(id, leaf('', 'normal', [rate('slow')]));
    for (const at of [0, 10]) kept.dispatched(before, before.take(() => 1, at) ?? '');
    expect(before.take(() => 1, 10)).toBeUndefined();
    const order = new RunOrder();
    const meters = [...kept.meters].map(([meter, fullAt]) => ({ meter, fullAt }));
    order.restore({ nodes: [], meters, emptyAt: Number.NEGATIVE_INFINITY });
    order.add('slow', leaf('', 'normal', [rate('slow')]));
    for (const id of ['o1', 'o2', 'o3']) order.add(id, leaf('', 'normal', [rate('other')]));
    expect([1, 2, 3].map(() => order.take(() => 1, 20))).toEqual(['o1', 'o2', undefined]);
    expect(order.take(() => 1, 63)).toBeUndefined();
    expect(order.take(() => 1, 64)).toBe('slow');
  });

  test('is never less than empty, however slow its rate was before', () => {
    const order = new RunOrder();
    const far = [{ meter: 'rate\0slow', fullAt: 1e12 }];
    order.restore({ nodes: [], meters: far, emptyAt: Number.NEGATIVE_INFINITY });
    order.add('1', leaf('', 'normal', [rate('slow')]));
    expect(order.take(() => 1, 63)).toBeUndefined();
    expect(order.take(() => 1, 64)).toBe('1');
    order.change({ ...rate(''), units: 1, perMs: 1e9, version: 1 });
    order.add('2', leaf('', 'normal', [{ ...rate('slow'), units: 1, perMs: 1e9, version: 1 }]));
    expect(order.take(() => 1, 200)).toBe('2');
    order.change({ ...rate(''), version: 2 });
    order.add('3', leaf('', 'normal', [{ ...rate('slow'), version: 2 }]));
    expect(order.take(() => 1, 200 + 64)).toBe('3');
  });
});
