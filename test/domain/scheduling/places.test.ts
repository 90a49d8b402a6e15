/** Nodes that what waits is given to: never beyond their slots, never where it may not run, and nothing is passed over. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placementKey } from '../../../src/domain/placement.ts';
import type { GateUse, Resources } from '../../../src/domain/scheduling/gate.ts';
import { Places, type PlacingNode, type Wish } from '../../../src/domain/scheduling/places.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';

const zones = ['a', 'b', 'c'] as const;
const keyOf = (zone: string | undefined): string | undefined =>
  zone === undefined ? undefined : placementKey({ runtime: 'wasm', runsOn: { zone }, limits: {} });

const own = (slots: number, memoryBytes = 0) => ({ slots, memoryBytes, processors: 0 });
const memoryOf = (memoryBytes: number): Resources => ({ memoryBytes, processors: 0 });

function nodeOf(id: number, zone: string, slots: number, memory?: number): PlacingNode {
  const node = { id, name: `n${id}`, place: { labels: { zone }, runtimes: ['wasm'] }, slots } as const;
  if (memory === undefined) return node;
  return { ...node, resources: { memoryBytes: memory, processors: Number.POSITIVE_INFINITY } };
}

interface Wanted {
  readonly zone: string | undefined;
  readonly memory: number;
}

function wishOf({ zone, memory }: Wanted): Wish {
  return { placement: keyOf(zone), ...(memory > 0 && { reserves: memoryOf(memory) }) };
}

function leafOf({ zone, memory }: Wanted, tenant: string) {
  const value = keyOf(zone);
  const gates: GateUse[] = [];
  if (value !== undefined) gates.push({ kind: 'place', rule: 'place', meter: value, key: 'runs_on', value });
  if (memory > 0) {
    gates.push({ kind: 'resources', ...memoryOf(memory), ...(value !== undefined && { placement: value }) });
  }
  return { tenant, priority: 'normal', fairnessKey: '', ...(gates.length > 0 && { gates }) } as const;
}

type Step =
  | ({ readonly kind: 'queue'; readonly tenant: string } & Wanted)
  | { readonly kind: 'end'; readonly which: number }
  | { readonly kind: 'own'; readonly node: number; readonly own: number; readonly memory: number }
  | { readonly kind: 'nodes'; readonly alive: readonly number[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('queue' as const),
      zone: fc.option(fc.constantFrom(...zones), { nil: undefined }),
      memory: fc.constantFrom(0, 0, 1, 3, 9),
      tenant: fc.constantFrom('x', 'y'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(50) }) },
  fc.record({ kind: fc.constant('own' as const), node: fc.nat(2), own: fc.nat(3), memory: fc.nat(4) }),
  fc.record({ kind: fc.constant('nodes' as const), alive: fc.subarray([0, 1, 2]) }),
);

const anything: Wanted = { zone: undefined, memory: 0 };

describe('placement over nodes', () => {
  it('fills no node beyond its slots and its memory, runs nothing where it may not, and leaves nothing free that somebody could have', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 80 }),
        (slots, steps) => {
          // Of the last nobody counts the memory.
          const memory = [4, 8, undefined];
          const all = zones.map((zone, id) => nodeOf(id, zone, slots[id] ?? 1, memory[id]));
          const places = new Places();
          const order = new RunOrder();
          order.setPlaces(places);
          places.setNodes(all);
          for (const { id } of all) places.setOwn(id, own(0));
          const wantedOf = new Map<string, Wanted>();
          const running = new Map<string, number>();
          const used = [own(0), own(0), own(0)];
          let alive: readonly number[] = [0, 1, 2];
          let count = 0;
          const pump = () => {
            order.placesChanged(places);
            while (places.free() > 0) {
              const id = order.take(() => 1, 0);
              if (id === undefined) break;
              const node = places.give(id, wishOf(wantedOf.get(id) ?? anything));
              expect(node, 'a gate let through what no node has room for').toBeDefined();
              running.set(id, node ?? -1);
              order.placesChanged(places);
            }
          };
          for (const each of steps) {
            if (each.kind === 'queue') {
              const id = `e${count++}`;
              wantedOf.set(id, each);
              order.add(id, leafOf(each, each.tenant));
            } else if (each.kind === 'end') {
              const [id] = [...running.keys()].slice(each.which % Math.max(1, running.size));
              if (id !== undefined) {
                running.delete(id);
                places.leave(id);
                order.end(id, 1, 0);
              }
            } else if (each.kind === 'own') {
              // Of one that takes nothing nobody asks.
              if (alive.includes(each.node)) used[each.node] = own(each.own, each.memory);
              places.setOwn(each.node, own(each.own, each.memory));
            } else {
              alive = each.alive;
              places.setNodes(all.filter(({ id }) => alive.includes(id)));
              for (const id of [0, 1, 2]) if (!alive.includes(id)) used[id] = own(0);
              for (const id of alive) places.setOwn(id, used[id] ?? own(0));
            }
            const before = new Map(running);
            pump();
            for (const [id, node] of running) {
              const { zone } = wantedOf.get(id) ?? anything;
              if (zone !== undefined) expect(zones[node]).toBe(zone);
              if (before.has(id)) continue;
              expect(alive).toContain(node);
              const held = [...running].filter(([, other]) => other === node);
              expect(held.length + (used[node]?.slots ?? 0)).toBeLessThanOrEqual(slots[node] ?? 0);
              const total = memory[node] ?? Number.POSITIVE_INFINITY;
              const reserved = held.map(([key]) => Math.min(total, wantedOf.get(key)?.memory ?? 0));
              const demand = reserved.reduce((sum, each) => sum + each, used[node]?.memoryBytes ?? 0);
              if ((wantedOf.get(id)?.memory ?? 0) > 0) expect(demand).toBeLessThanOrEqual(total);
            }
            // Whoever still waits finds no free slot that it may have.
            for (const [id, wanted] of wantedOf) {
              if (order.isWaiting(id)) expect(places.free(wishOf(wanted))).toBe(0);
            }
          }
        },
      ),
    );
  });

  it('gives to the node that fits with most free slots, and says of each why not', () => {
    const places = new Places();
    places.setNodes([nodeOf(1, 'a', 2), nodeOf(2, 'a', 4), nodeOf(3, 'b', 9)]);
    for (const id of [1, 2, 3]) places.setOwn(id, own(0));
    expect([1, 2, 3, 4].map((id) => places.give(`e${id}`, { placement: keyOf('a') }))).toEqual([2, 2, 1, 2]);
    expect(places.whyNot({ placement: keyOf('b') })).toEqual([
      { name: 'n1', why: 'has zone=a, and runs_on wants zone: b' },
      { name: 'n2', why: 'has zone=a, and runs_on wants zone: b' },
      { name: 'n3', why: undefined },
    ]);
    expect(places.free({ placement: keyOf('c') })).toBe(0);
    places.leave('e1');
    places.setOwn(2, own(3));
    expect(places.free({ placement: keyOf('a') })).toBe(1);
  });

  it('gives nothing to a node before it has said what it runs, and asks anew', () => {
    const places = new Places();
    places.setNodes([nodeOf(1, 'a', 2), nodeOf(2, 'a', 2)]);
    expect(places.give('e1', {})).toBeUndefined();
    places.setOwn(2, own(1));
    expect(places.give('e1', {})).toBe(2);
    places.forgetOwn();
    places.leave('e1');
    expect(places.free()).toBe(0);
    places.setOwn(1, own(0));
    expect(places.give('e2', {})).toBe(1);
  });

  it('lets one that wants much have what is released, and says what each node has too little of', () => {
    const places = new Places();
    const order = new RunOrder();
    order.setPlaces(places);
    places.setNodes([nodeOf(1, 'a', 8, 4), nodeOf(2, 'a', 8, 8)]);
    for (const id of [1, 2]) places.setOwn(id, own(0));
    const wanted = { zone: undefined, memory: 3 };
    const large = { zone: undefined, memory: 8 };
    const small = { zone: undefined, memory: 2 };
    const nodes = new Map<string, number>();
    const pump = (now: number) => {
      order.placesChanged(places);
      for (let id = order.take(() => 1, now); id !== undefined; id = order.take(() => 1, now)) {
        nodes.set(
          id,
          places.give(id, wishOf(id === 'large' ? large : id.startsWith('s') ? small : wanted)) ?? -1,
        );
        order.placesChanged(places);
      }
    };
    order.add('e1', leafOf(wanted, 'x'));
    order.add('e2', leafOf(wanted, 'y'));
    pump(0);
    order.add('large', leafOf(large, 'x'));
    pump(1);
    expect([...nodes.keys()]).toEqual(['e1', 'e2']);
    expect(places.isShort).toBe(true);
    expect(places.whyNot(wishOf(large))).toEqual([
      {
        name: 'n1',
        why: expect.stringMatching(/ of memory free, and it reserves 8/),
      },
      {
        name: 'n2',
        why: expect.stringMatching(/ of memory free, and it reserves 8/),
      },
    ]);
    // A small one passes it until it has waited for long.
    order.add('s1', leafOf(small, 'y'));
    pump(2);
    expect(nodes.has('s1')).toBe(true);
    pump(20_000);
    order.add('s2', leafOf({ zone: undefined, memory: 2 }, 'x'));
    order.end('e1', 1, 20_001);
    order.end('e2', 1, 20_001);
    for (const id of ['e1', 'e2']) places.leave(id);
    pump(20_002);
    expect(nodes.get('large') ?? nodes.get('s2')).not.toBe(-1);
    order.end('s1', 1, 20_003);
    places.leave('s1');
    pump(20_004);
    expect(nodes.get('large')).toBe(2);
    expect(places.isShort).toBe(false);
  });

  it('prefers nodes that have run the task of late, as long as they have room', () => {
    const places = new Places();
    const warm = new Set(['task_1@2']);
    places.setNodes([nodeOf(1, 'a', 9), { ...nodeOf(2, 'a', 2), warm }, { ...nodeOf(3, 'a', 1), warm }]);
    for (const id of [1, 2, 3]) places.setOwn(id, own(0));
    const give = (key: string, task: string) => places.give(key, { task });
    expect(give('e0', 'task_1@1')).toBe(1);
    expect(['e1', 'e2', 'e3', 'e4'].map((key) => give(key, 'task_1@2'))).toEqual([2, 2, 3, 1]);
  });
});
