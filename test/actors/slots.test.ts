import { expect, test } from 'vitest';
import { Slots } from '../../src/actors/queue/slots.ts';
import { heapInUse } from '../support/heap.ts';
import { growth } from '../support/processor-time.ts';

function takeAll(slots: Slots): string[] {
  const taken: string[] = [];
  for (let key = slots.take(); key !== undefined; key = slots.take()) taken.push(key);
  return taken;
}

test('who asks first gets the first slot, and there are no more than the total', () => {
  const slots = new Slots(2);
  for (const key of ['a', 'b', 'c', 'd']) slots.request(key, false);
  expect(takeAll(slots)).toEqual(['a', 'b']);
  expect(slots).toMatchObject({ running: 2, queued: 2 });
  slots.release('b');
  expect(takeAll(slots)).toEqual(['c']);
});

test('retries go before those who never ran, in their own order', () => {
  const slots = new Slots(10);
  slots.request('fresh1', false);
  slots.request('retry1', true);
  slots.request('fresh2', false);
  slots.request('retry2', true);
  expect(takeAll(slots)).toEqual(['retry1', 'retry2', 'fresh1', 'fresh2']);
});

test('who leaves from the middle of the queue is passed over, and takes nobody with it', () => {
  const slots = new Slots(1);
  for (const key of ['a', 'b', 'c', 'd']) slots.request(key, false);
  for (const key of ['x', 'y']) slots.request(key, true);
  slots.release('b');
  slots.release('x');
  expect(slots.queued).toBe(4);
  const order: string[] = [];
  for (let key = slots.take(); key !== undefined; key = slots.take()) {
    order.push(key);
    slots.release(key);
  }
  expect(order).toEqual(['y', 'a', 'c', 'd']);
});

test('asking twice is asking once', () => {
  const slots = new Slots(10);
  slots.request('a', false);
  slots.request('a', false);
  expect(takeAll(slots)).toEqual(['a']);
  expect(slots.queued).toBe(0);
});

test('giving up what one does not have changes nothing', () => {
  const slots = new Slots(1);
  slots.request('a', false);
  expect(slots.take()).toBe('a');
  slots.release('b');
  slots.release('b');
  expect(slots.running).toBe(1);
  slots.release('a');
  slots.release('a');
  expect(slots).toMatchObject({ running: 0, queued: 0 });
});

test('who left the queue and asks again waits at its end', () => {
  const slots = new Slots(10);
  slots.request('a', false);
  slots.request('b', false);
  slots.release('a');
  slots.request('a', false);
  expect(takeAll(slots)).toEqual(['b', 'a']);
});

test('a place is one among those of the same tenant, and what is ahead counts the others by their weight', () => {
  let now = 0;
  const slots = new Slots(1, {
    leafOf: (key) => ({ tenant: key.slice(0, 1), priority: 'normal', fairnessKey: '' }),
    expectedMs: () => 100,
    now: () => now,
  });
  for (let n = 0; n < 50; n++) slots.request(`a${n}`, false);
  for (const key of ['b0', 'b1']) slots.request(key, false);
  expect(slots.place('b1')).toEqual({ place: 2, length: 2, retries: 0 });
  expect(slots.ahead('b1', 10)).toEqual({ keys: ['b0'], count: 3 });
  expect(slots.ahead('a49', 10)).toMatchObject({ count: 51 });
  expect([slots.take(), slots.take()]).toEqual(['a0', undefined]);
  now = 100;
  slots.release('a0');
  expect(slots.take()).toBe('b0');
});

test('nobody waits and nothing runs: there is nothing to take', () => {
  const slots = new Slots(1);
  expect(slots.take()).toBeUndefined();
  slots.request('a', false);
  slots.release('a');
  expect(slots.take()).toBeUndefined();
  expect(slots).toMatchObject({ running: 0, queued: 0 });
});

test('a place in a queue of a hundred thousand costs no more than one in a short queue', () => {
  const through = (count: number): number => {
    const slots = new Slots(1);
    for (let n = 0; n < count; n++) slots.request(`k${n}`, false);
    for (let n = 0; n < count; n += 3) slots.release(`k${n}`);
    let taken = 0;
    for (let key = slots.take(); key !== undefined; key = slots.take()) {
      taken++;
      slots.release(key);
    }
    return taken;
  };
  expect(through(100_000)).toBe(100_000 - Math.ceil(100_000 / 3));
  // A hundred times as long.
  expect(growth(1000, 100_000, through)).toBeLessThan(25);
});

test('while all slots are held for long, those who queue and leave again do not pile up in memory', () => {
  const slots = new Slots(1);
  slots.request('long', false);
  slots.take();
  const before = heapInUse();
  const count = 50_000;
  const keyBytes = 1000;
  for (let n = 0; n < count; n++) {
    const key = Buffer.alloc(keyBytes, `${n} `).toString('latin1');
    slots.request(key, false);
    slots.release(key);
  }
  expect(heapInUse() - before).toBeLessThan((count * keyBytes) / 5);
  expect(slots.queued).toBe(0);
  slots.request('next', false);
  slots.release('long');
  expect(slots.take()).toBe('next');
});
