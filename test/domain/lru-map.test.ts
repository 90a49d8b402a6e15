import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LruMap } from '../../src/domain/lru-map.ts';

test('what is used stays, and the one least recently used goes where it is full', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect([...map]).toEqual([
    ['a', 1],
    ['c', 3],
  ]);
});

test('a look is no use, and a change of a value is one', () => {
  const map = new LruMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.peek('a')).toBe(1);
  expect(map.has('a')).toBe(true);
  map.set('c', 3);
  expect(map.peek('a')).toBeUndefined();
  map.set('b', 4);
  map.set('d', 5);
  expect([...map]).toEqual([
    ['b', 4],
    ['d', 5],
  ]);
});

test('what is pinned stays and counts for nothing, and may go once it is not', () => {
  const pinned = new Set(['a', 'b']);
  const map = new LruMap<string, number>(1, pinned);
  for (const key of ['a', 'x', 'b', 'y']) map.set(key, 0);
  expect(Array.from(map, ([key]) => key)).toEqual(['a', 'b', 'y']);
  pinned.delete('a');
  map.set('b', 1);
  expect(Array.from(map, ([key]) => key)).toEqual(['y', 'b']);
});

interface Entry {
  readonly key: number;
  readonly value: number | undefined;
}

/** The same as a list that is searched, the one used last at its end. */
class Model {
  entries: readonly Entry[] = [];
  readonly #max: number;
  readonly #pinned: ReadonlySet<number>;

  constructor(max: number, pinned: ReadonlySet<number>) {
    this.#max = max;
    this.#pinned = pinned;
  }

  set(entry: Entry): void {
    this.entries = [...this.entries.filter(({ key }) => key !== entry.key), entry];
    for (;;) {
      const loose = this.entries.filter(({ key }) => !this.#pinned.has(key));
      if (loose.length <= this.#max) return;
      this.entries = this.entries.filter((each) => each !== loose[0]);
    }
  }

  get(wanted: number): number | undefined {
    const found = this.entries.find(({ key }) => key === wanted);
    if (found !== undefined) this.set(found);
    return found?.value;
  }

  delete(wanted: number): boolean {
    const before = this.entries.length;
    this.entries = this.entries.filter(({ key }) => key !== wanted);
    return this.entries.length < before;
  }
}

test('whatever is done to it, it has what a searched list has, in the same order', () => {
  const key = fc.nat({ max: 7 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value: fc.option(fc.nat(), { nil: undefined }) }),
    fc.record({ kind: fc.constantFrom('get' as const, 'peek' as const, 'delete' as const), key }),
  );
  const pins = fc.uniqueArray(key, { maxLength: 3 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), pins, fc.array(step), (max, pinned, steps) => {
      const model = new Model(max, new Set(pinned));
      const map = new LruMap<number, number | undefined>(max, new Set(pinned));
      for (const each of steps) {
        switch (each.kind) {
          case 'set':
            model.set(each);
            map.set(each.key, each.value);
            break;
          case 'get':
            expect(map.get(each.key)).toBe(model.get(each.key));
            break;
          case 'peek':
            expect(map.peek(each.key)).toBe(model.entries.find((one) => one.key === each.key)?.value);
            break;
          case 'delete':
            expect(map.delete(each.key)).toBe(model.delete(each.key));
        }
        expect([...map]).toEqual(model.entries.map((one) => [one.key, one.value]));
        expect(map.size).toBe(model.entries.length);
      }
      map.clear();
      expect(map.size).toBe(0);
    }),
  );
});
