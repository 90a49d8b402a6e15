import { expect, test } from 'vitest';
import { Alarms } from '../../src/actors/executions/alarms.ts';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { heapInUse } from '../support/heap.ts';

function setUp() {
  const clock = new FakeClock();
  const time = new NodeTime(clock);
  const start = time.now();
  const rung: { key: string; asked: number; after: number }[] = [];
  const alarms = new Alarms(time, (key, at) => {
    rung.push({ key, asked: at - start, after: time.now() - start });
  });
  time.onSlept(() => alarms.moved());
  return { clock, time, alarms, start, rung, keys: () => rung.map((entry) => entry.key) };
}

test('alarms ring in the order of their instants, however they were set', async () => {
  const { clock, alarms, start, keys } = setUp();
  for (const [key, after] of Object.entries({ d: 40, a: 10, c: 30, b: 20, e: 50 }))
    alarms.set(key, start + after);
  await clock.advance(9);
  expect(keys()).toEqual([]);
  await clock.advance(21);
  expect(keys()).toEqual(['a', 'b', 'c']);
  await clock.advance(20);
  expect(keys()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(alarms.size).toBe(0);
  expect(clock.timers).toBe(0);
});

test('an alarm rings once, with an instant that is not before the one asked for', async () => {
  const { clock, alarms, start, rung } = setUp();
  alarms.set('a', start + 10.4);
  await clock.advance(100);
  expect(rung).toHaveLength(1);
  expect(rung[0]?.asked).toBeGreaterThanOrEqual(10.4);
});

test('an instant that has passed rings in the next turn', async () => {
  const { clock, alarms, start, keys } = setUp();
  alarms.set('late', start - 1000);
  expect(keys()).toEqual([]);
  await clock.advance(0);
  expect(keys()).toEqual(['late']);
});

test('an alarm that is moved later rings then, and not before', async () => {
  const { clock, alarms, start, rung } = setUp();
  alarms.set('a', start + 10);
  alarms.set('a', start + 100);
  await clock.advance(99);
  expect(rung).toEqual([]);
  await clock.advance(1);
  expect(rung).toEqual([{ key: 'a', asked: 100, after: 100 }]);
});

test('an alarm that is moved earlier rings then, and not again at its old instant', async () => {
  const { clock, alarms, start, rung } = setUp();
  alarms.set('a', start + 100);
  alarms.set('a', start + 10);
  await clock.advance(200);
  expect(rung).toEqual([{ key: 'a', asked: 10, after: 10 }]);
});

test('an alarm that is moved later and back again rings once', async () => {
  const { clock, alarms, start, rung } = setUp();
  for (const after of [50, 90, 20, 70, 50]) alarms.set('a', start + after);
  await clock.advance(200);
  expect(rung).toEqual([{ key: 'a', asked: 50, after: 50 }]);
});

test('an alarm that is cleared, or set to infinity, does not ring; set again it does', async () => {
  const { clock, alarms, start, keys } = setUp();
  alarms.set('a', start + 10);
  alarms.set('b', start + 10);
  alarms.clear('a');
  alarms.set('b', Number.POSITIVE_INFINITY);
  expect(alarms.size).toBe(0);
  await clock.advance(50);
  expect(keys()).toEqual([]);
  alarms.set('a', start + 60);
  await clock.advance(50);
  expect(keys()).toEqual(['a']);
});

test('a key that is cleared and set anew rings at the new instant alone', async () => {
  const { clock, alarms, start, rung } = setUp();
  alarms.set('a', start + 10);
  alarms.clear('a');
  alarms.set('a', start + 30);
  await clock.advance(100);
  expect(rung).toEqual([{ key: 'a', asked: 30, after: 30 }]);
});

test('what rings may set its own alarm again, and others', async () => {
  const clock = new FakeClock();
  const start = clock.now();
  const rung: string[] = [];
  const alarms: Alarms = new Alarms(clock, (key, at) => {
    rung.push(`${key}@${at - start}`);
    if (rung.length < 4) alarms.set(key, at + 5);
    alarms.clear('never');
  });
  alarms.set('a', start + 10);
  alarms.set('never', start + 12);
  await clock.advance(100);
  expect(rung).toEqual(['a@10', 'a@15', 'a@20', 'a@25']);
});

test('a wall clock that jumps neither rings nor delays an alarm that is armed', async () => {
  for (const jump of [3_600_000, -3_600_000]) {
    const { clock, alarms, start, rung } = setUp();
    alarms.set('a', start + 100);
    clock.jump(jump);
    await clock.advance(99);
    expect(rung).toEqual([]);
    await clock.advance(1);
    expect(rung).toHaveLength(1);
    expect(rung[0]?.asked).toBeGreaterThanOrEqual(100);
  }
});

test('what came due while the machine slept rings when that is seen, and the rest at its instant', async () => {
  const { clock, time, alarms, start, keys } = setUp();
  alarms.set('missed', start + 1000);
  alarms.set('ahead', start + 6000);
  clock.sleep(5000);
  time.look();
  await clock.advance(0);
  expect(keys()).toEqual(['missed']);
  await clock.advance(999);
  expect(keys()).toEqual(['missed']);
  await clock.advance(1);
  expect(keys()).toEqual(['missed', 'ahead']);
});

test('an alarm further away than the longest timer rings at its instant', async () => {
  const { clock, alarms, start, rung } = setUp();
  const farAway = 366 * 24 * 3_600_000;
  alarms.set('far', start + farAway);
  await clock.advance(farAway - 1);
  expect(rung).toEqual([]);
  await clock.advance(1);
  expect(rung).toEqual([{ key: 'far', asked: farAway, after: farAway }]);
});

test('one timer stands for all of them', () => {
  const { clock, alarms, start } = setUp();
  for (let n = 0; n < 1000; n++) alarms.set(`k${n}`, start + 1000 - n);
  expect(clock.timers).toBe(1);
});

test('alarms that were cleared do not pile up in memory, however many there were', async () => {
  const { clock, alarms, start, keys } = setUp();
  alarms.set('last', start + 5000);
  const before = heapInUse();
  const count = 50_000;
  const keyBytes = 1000;
  for (let n = 0; n < count; n++) {
    const key = Buffer.alloc(keyBytes, `${n} `).toString('latin1');
    alarms.set(key, start + 1000);
    alarms.clear(key);
  }
  expect(heapInUse() - before).toBeLessThan((count * keyBytes) / 5);
  await clock.advance(5000);
  expect(keys()).toEqual(['last']);
});

test('an alarm that moves earlier again and again leaves none of its old instants in memory', async () => {
  const { clock, alarms, start, keys } = setUp();
  alarms.set('a', start + 600_000);
  const before = heapInUse();
  const count = 500_000;
  for (let n = 0; n < count; n++) alarms.set('a', start + 600_000 - n);
  // An instant in a heap is an object of three words at least, and a word that points to it.
  expect(heapInUse() - before).toBeLessThan((count * 4 * 8) / 5);
  await clock.advance(600_000);
  expect(keys()).toEqual(['a']);
});

test('after the close nothing rings and no timer is left', async () => {
  const { clock, alarms, start, keys } = setUp();
  alarms.set('a', start + 10);
  alarms.close();
  expect(alarms.size).toBe(0);
  expect(clock.timers).toBe(0);
  await clock.advance(100);
  expect(keys()).toEqual([]);
});
