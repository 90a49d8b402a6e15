import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexedHeap, type Placed } from '../../../src/domain/scheduling/indexed-heap.ts';

interface Item extends Placed {
  readonly name: number;
  weight: number;
}

const before = (a: Item, b: Item) => (a.weight === b.weight ? a.name < b.name : a.weight < b.weight);

test('the least is the least, whatever is added, deleted or changed in between', () => {
  const name = fc.nat(20);
  const act = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), name, weight: fc.nat(9) }),
    fc.record({ kind: fc.constant('delete' as const), name, weight: fc.constant(0) }),
    fc.record({ kind: fc.constant('change' as const), name, weight: fc.nat(9) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const items = Array.from({ length: 21 }, (_, index): Item => ({ name: index, weight: 0, place: -1 }));
      const heap = new IndexedHeap<Item>(before);
      const inside = new Set<Item>();
      for (const { kind, name: which, weight } of acts) {
        const item = items[which];
        if (item === undefined) continue;
        if (kind === 'delete') {
          expect(heap.delete(item)).toBe(inside.delete(item));
        } else if (kind === 'add' || inside.has(item)) {
          item.weight = weight;
          inside.add(item);
          if (kind === 'add') heap.add(item);
          else heap.moved(item);
        }
        const [least] = [...inside].sort((a, b) => (before(a, b) ? -1 : 1));
        expect(heap.least).toBe(least);
        expect(heap.size).toBe(inside.size);
      }
    }),
  );
});
