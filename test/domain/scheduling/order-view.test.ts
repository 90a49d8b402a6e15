import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { ConcurrencyUse } from '../../../src/domain/scheduling/gate.ts';
import type { ViewWanted } from '../../../src/domain/scheduling/order-view.ts';
import { type Leaf, type Priority, priorities } from '../../../src/domain/scheduling/priority.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';

const leaf = (fairnessKey = '', tenant = 'default', priority: Priority = 'normal'): Leaf => ({
  ...{ tenant, priority, fairnessKey },
});

function concurrency(value: string, limit: number): ConcurrencyUse {
  return { kind: 'concurrency', rule: 'task/user', meter: `user=${value}`, key: 'user', value, limit };
}

const wanted: ViewWanted = { lines: 1000, classes: 10, classesInAll: 10_000 };
const none = () => 0;

describe('the lines of a queue', () => {
  it('say how many wait and run in each, the longest first, and leave out those where nothing does', () => {
    const order = new RunOrder();
    for (const id of ['a', 'b', 'c']) order.add(id, leaf('x'));
    order.add('d', leaf('y'));
    order.add('e', leaf('gone'));
    order.remove('e');
    order.hold('r', leaf('z', 'other', 'urgent'), 0);
    const view = order.view(wanted);
    expect(view).toMatchObject({ running: 1, waiting: 4, held: 0, otherLines: 0, otherWaiting: 0 });
    expect(view.lines.map((line) => [line.fairnessKey, line.waiting, line.running, line.first])).toEqual([
      ['x', 3, 0, 'a'],
      ['y', 1, 0, 'd'],
      ['z', 0, 1, undefined],
    ]);
    expect(view.lines[2]).toMatchObject({ tenant: 'other', priority: 'urgent', classes: [] });
  });

  it('are of one tenant alone where that is asked for, with shares among its own', () => {
    const order = new RunOrder();
    order.add('a', leaf('x', 'mine'));
    order.add('b', leaf('x', 'theirs'));
    order.hold('r', leaf('y', 'theirs'), 0);
    order.store(leaf('x', 'theirs'), 9);
    const view = order.view({ ...wanted, tenant: 'mine' });
    expect(view).toMatchObject({ running: 0, waiting: 1, lines: [{ tenant: 'mine', shareDue: 1 }] });
    expect(view.lines).toHaveLength(1);
    expect(order.view({ ...wanted, tenant: 'nobody' })).toMatchObject({ waiting: 0, lines: [] });
  });

  it('have what is due to them by weights, and what they have had of late', () => {
    const order = new RunOrder();
    order.add('a', leaf('x'));
    order.add('b', leaf('x', 'default', 'high'));
    order.add('c', leaf('x', 'other'));
    // Of the five minutes the last counts for most.
    order.take(none, 0);
    order.take(none, 240_000);
    const shares = new Map(
      order
        .view(wanted, 300_000)
        .lines.map(({ tenant, priority, ...line }) => [`${tenant} ${priority}`, line] as const),
    );
    const due = [...shares].map(([name, { shareDue }]) => [name, shareDue]);
    expect(Object.fromEntries(due)).toEqual({
      'default normal': 0.5 * (4 / 20),
      'default high': 0.5 * (16 / 20),
      'other normal': 0.5,
    });
    const used = [...shares.values()].map(({ shareUsed }) => shareUsed).sort();
    expect(used[0]).toBe(0);
    expect(used[1]).toBeCloseTo(0.39, 2);
    expect(used[2]).toBeCloseTo(0.61, 2);
  });

  it('tell what holds each class, whom, since when and by whom, and nothing is due to what is held whole', () => {
    const order = new RunOrder();
    const gates = [concurrency('ann', 1)];
    order.advance(5);
    order.add('a', { ...leaf('x'), gates });
    order.take(none, 7);
    for (const id of ['b', 'c']) order.add(id, { ...leaf('y'), gates });
    order.add('d', leaf('y'));
    const [y, x] = order.view(wanted).lines;
    expect(y).toMatchObject({ waiting: 3, held: 2, shareDue: 0.5, first: 'b', otherClasses: 0 });
    const [held, open] = y?.classes ?? [];
    expect(held).toMatchObject({ waiting: 2, next: 'b', heldBy: { since: 7, gate: { value: 'ann' } } });
    expect([...(held?.heldBy?.holders ?? [])]).toEqual(['a']);
    expect(open).toEqual({ waiting: 1, next: 'd' });
    expect(x).toMatchObject({ running: 1, waiting: 0, held: 0 });
    order.remove('d');
    expect(order.view(wanted).lines[0]).toMatchObject({ waiting: 2, held: 2, shareDue: 0 });
    order.end('a', 1);
    expect(order.view(wanted).lines[0]).toMatchObject({ held: 0, shareDue: 1, classes: [{ waiting: 2 }] });
  });

  it('of a tenant whose quota is used up are held whole', () => {
    const order = new RunOrder();
    order.setQuota('default', { running: 1 });
    for (const id of ['a', 'b']) order.add(id, leaf('x'));
    order.take(none);
    const [line] = order.view(wanted).lines;
    expect(line).toMatchObject({ running: 1, waiting: 1, held: 1 });
    expect(line?.classes[0]?.heldBy?.gate).toMatchObject({ kind: 'quota', limit: 1 });
  });

  it('count what waits in the store, also in lines of which nothing has been read yet', () => {
    const order = new RunOrder();
    const gates = [concurrency('ann', 0)];
    order.add('a', { ...leaf('x'), gates });
    order.store({ ...leaf('x'), gates }, 50);
    order.store({ ...leaf('x'), gates }, -9);
    order.store(leaf('x'), 5);
    order.store(leaf('z'), 60);
    order.store({ ...leaf('z'), gates }, 40);
    order.store(leaf('empty'), 3);
    order.store(leaf('empty'), -3);
    const view = order.view(wanted);
    expect(view).toMatchObject({ waiting: 147, held: 42 });
    expect(view.lines.map(({ fairnessKey, waiting }) => [fairnessKey, waiting])).toEqual([
      ['z', 100],
      ['x', 47],
    ]);
    expect(view.lines[1]?.classes.map(({ waiting, next }) => [waiting, next])).toEqual([
      [42, 'a'],
      [5, undefined],
    ]);
  });

  it('are bounded, and so are the classes of each: what is left out is counted', () => {
    const order = new RunOrder();
    for (let line = 1; line <= 5; line++) {
      for (let n = 0; n < line; n++) {
        order.add(`${line} ${n}`, { ...leaf(`${line}`), gates: [concurrency(`${line} ${n}`, 1)] });
      }
    }
    const view = order.view({ ...wanted, lines: 2, classes: 3 });
    expect(view.lines.map(({ fairnessKey }) => fairnessKey)).toEqual(['5', '4']);
    expect(view).toMatchObject({ waiting: 15, otherLines: 3, otherWaiting: 6 });
    expect(view.lines.map(({ classes, otherClasses }) => [classes.length, otherClasses])).toEqual([
      [3, 2],
      [3, 1],
    ]);
    const few = order.view({ ...wanted, lines: 3, classesInAll: 7 }).lines;
    expect(few.map(({ classes, otherClasses }) => [classes.length, otherClasses])).toEqual([
      [2, 3],
      [2, 2],
      [2, 1],
    ]);
    expect(order.view({ ...wanted, classesInAll: 1 }).lines.map(({ classes }) => classes.length)).toEqual([
      1, 1, 1, 1, 1,
    ]);
  });
});

test('whatever happens, each that waits is counted in one class, and what is held is what cannot be next', () => {
  const anyLeaf = fc.record({
    tenant: fc.constantFrom('a', 'b'),
    priority: fc.constantFrom(...priorities),
    fairnessKey: fc.constantFrom('', 'x'),
    value: fc.constantFrom(undefined, 'p', 'q'),
  });
  const act = fc.oneof(
    { weight: 4, arbitrary: anyLeaf },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.nat(40) },
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const order = new RunOrder();
      order.setQuota('b', { running: 2 });
      const ids: string[] = [];
      for (const each of acts) {
        if (each === 'take') order.take(none);
        else if (typeof each === 'number') {
          const id = ids[each] ?? '';
          if (!order.end(id, 1)) order.remove(id);
        } else {
          const { value, ...where } = each;
          const id = `${ids.length}`;
          ids.push(id);
          order.add(id, value === undefined ? where : { ...where, gates: [concurrency(value, 1)] });
        }
        const { lines, waiting, held } = order.view(wanted);
        const waits = ids.filter((id) => order.isWaiting(id));
        const isHeld = waits.filter((id) => order.heldBy(id) !== undefined);
        expect([waiting, held]).toEqual([waits.length, isHeld.length]);
        for (const line of lines) {
          expect(line.classes.reduce((sum, { waiting: of }) => sum + of, 0)).toBe(line.waiting);
        }
        const due = lines.reduce((sum, { shareDue }) => sum + shareDue, 0);
        if (lines.some(({ running }) => running > 0) || order.next() !== undefined) {
          expect(due).toBeCloseTo(1, 9);
        } else expect(due).toBe(0);
      }
    }),
  );
});
