/** Nodes that what waits is given to: never beyond their slots, never where it may not run, and nothing is passed over. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placementKey } from '../../../src/domain/placement.ts';
import { Places, type PlacingNode } from '../../../src/domain/scheduling/places.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';

const zones = ['a', 'b', 'c'] as const;
const keyOf = (zone: string | undefined): string | undefined =>
  zone === undefined ? undefined : placementKey({ runtime: 'wasm', runsOn: { zone }, limits: {} });

function nodeOf(id: number, zone: string, slots: number): PlacingNode {
  return { id, name: `n${id}`, place: { labels: { zone }, runtimes: ['wasm'] }, slots };
}

function leafOf(zone: string | undefined, tenant: string) {
  const value = keyOf(zone);
  const leaf = { tenant, priority: 'normal', fairnessKey: '' } as const;
  if (value === undefined) return leaf;
  return { ...leaf, gates: [{ kind: 'place', rule: 'place', meter: value, key: 'runs_on', value } as const] };
}

type Step =
  | { readonly kind: 'queue'; readonly zone: string | undefined; readonly tenant: string }
  | { readonly kind: 'end'; readonly which: number }
  | { readonly kind: 'own'; readonly node: number; readonly own: number }
  | { readonly kind: 'nodes'; readonly alive: readonly number[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('queue' as const),
      zone: fc.option(fc.constantFrom(...zones), { nil: undefined }),
      tenant: fc.constantFrom('x', 'y'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(50) }) },
  fc.record({ kind: fc.constant('own' as const), node: fc.nat(2), own: fc.nat(3) }),
  fc.record({ kind: fc.constant('nodes' as const), alive: fc.subarray([0, 1, 2]) }),
);

describe('placement over nodes', () => {
  it('fills no node beyond its slots, runs nothing where it may not, and leaves no slot free that somebody could have', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.array(step, { maxLength: 80 }),
        (slots, steps) => {
          const all = zones.map((zone, id) => nodeOf(id, zone, slots[id] ?? 1));
          const places = new Places();
          const order = new RunOrder();
          order.setPlaces(places);
          places.setNodes(all);
          for (const { id } of all) places.setOwn(id, 0);
          const zoneOf = new Map<string, string | undefined>();
          const running = new Map<string, number>();
          const own = [0, 0, 0];
          let alive: readonly number[] = [0, 1, 2];
          let count = 0;
          const pump = () => {
            order.placesChanged(places);
            while (places.free(undefined) > 0) {
              const id = order.take(() => 1, 0);
              if (id === undefined) break;
              const node = places.give(id, keyOf(zoneOf.get(id)));
              expect(node, 'a gate let through what no node has room for').toBeDefined();
              running.set(id, node ?? -1);
              order.placesChanged(places);
            }
          };
          for (const each of steps) {
            if (each.kind === 'queue') {
              const id = `e${count++}`;
              zoneOf.set(id, each.zone);
              order.add(id, leafOf(each.zone, each.tenant));
            } else if (each.kind === 'end') {
              const [id] = [...running.keys()].slice(each.which % Math.max(1, running.size));
              if (id !== undefined) {
                running.delete(id);
                places.leave(id);
                order.end(id, 1, 0);
              }
            } else if (each.kind === 'own') {
              // Of one that takes nothing nobody asks.
              if (alive.includes(each.node)) own[each.node] = each.own;
              places.setOwn(each.node, each.own);
            } else {
              alive = each.alive;
              places.setNodes(all.filter(({ id }) => alive.includes(id)));
              for (const id of [0, 1, 2]) if (!alive.includes(id)) own[id] = 0;
              for (const id of alive) places.setOwn(id, own[id] ?? 0);
            }
            const before = new Map(running);
            pump();
            for (const [id, node] of running) {
              const zone = zoneOf.get(id);
              if (zone !== undefined) expect(zones[node]).toBe(zone);
              if (before.has(id)) continue;
              expect(alive).toContain(node);
              const held = [...running.values()].filter((other) => other === node).length;
              expect(held + (own[node] ?? 0)).toBeLessThanOrEqual(slots[node] ?? 0);
            }
            // Whoever still waits finds no free slot that it may have.
            for (const [id, zone] of zoneOf) {
              if (order.isWaiting(id)) expect(places.free(keyOf(zone))).toBe(0);
            }
          }
        },
      ),
    );
  });

  it('gives to the node that fits with most free slots, and says of each why not', () => {
    const places = new Places();
    places.setNodes([nodeOf(1, 'a', 2), nodeOf(2, 'a', 4), nodeOf(3, 'b', 9)]);
    for (const id of [1, 2, 3]) places.setOwn(id, 0);
    expect([1, 2, 3, 4].map((id) => places.give(`e${id}`, keyOf('a')))).toEqual([2, 2, 1, 2]);
    expect(places.whyNot(keyOf('b'))).toEqual([
      { name: 'n1', why: 'has zone=a, and runs_on wants zone: b' },
      { name: 'n2', why: 'has zone=a, and runs_on wants zone: b' },
      { name: 'n3', why: undefined },
    ]);
    expect(places.free(keyOf('c'))).toBe(0);
    places.leave('e1');
    places.setOwn(2, 3);
    expect(places.free(keyOf('a'))).toBe(1);
  });

  it('gives nothing to a node before it has said what it runs, and asks anew', () => {
    const places = new Places();
    places.setNodes([nodeOf(1, 'a', 2), nodeOf(2, 'a', 2)]);
    expect(places.give('e1', undefined)).toBeUndefined();
    places.setOwn(2, 1);
    expect(places.give('e1', undefined)).toBe(2);
    places.forgetOwn();
    places.leave('e1');
    expect(places.free(undefined)).toBe(0);
    places.setOwn(1, 0);
    expect(places.give('e2', undefined)).toBe(1);
  });
});
