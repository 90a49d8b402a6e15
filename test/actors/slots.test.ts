import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Slots } from '../../src/actors/slots.ts';

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

test('nobody waits and nothing runs: there is nothing to take', () => {
  const slots = new Slots(1);
  expect(slots.take()).toBeUndefined();
  slots.request('a', false);
  slots.release('a');
  expect(slots.take()).toBeUndefined();
  expect(slots).toMatchObject({ running: 0, queued: 0 });
});

test('a queue of a hundred thousand moves each key a bounded number of times', () => {
  const count = 100_000;
  let moved = 0;
  for (const name of ['slice', 'splice', 'shift', 'filter', 'indexOf', 'includes', 'concat'] as const) {
    const real = Array.prototype[name] as (...args: unknown[]) => unknown;
    const spy = vi.spyOn(Array.prototype, name as 'slice').mockImplementation(function (
      this: unknown[],
      ...args
    ) {
      moved += this.length;
      return real.apply(this, args) as unknown[];
    });
    onTestFinished(() => spy.mockRestore());
  }
  const slots = new Slots(1);
  for (let n = 0; n < count; n++) slots.request(`k${n}`, false);
  for (let n = 0; n < count; n += 3) slots.release(`k${n}`);
  let taken = 0;
  for (let key = slots.take(); key !== undefined; key = slots.take()) {
    taken++;
    slots.release(key);
  }
  const total = moved;
  vi.restoreAllMocks();
  expect(taken).toBe(count - Math.ceil(count / 3));
  expect(total).toBeLessThan(3 * count);
});

test('while all slots are held for long, those who queue and leave again do not pile up in memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const slots = new Slots(1);
  slots.request('long', false);
  slots.take();
  collect();
  const before = process.memoryUsage().heapUsed;
  const count = 50_000;
  const keyBytes = 1000;
  for (let n = 0; n < count; n++) {
    const key = Buffer.alloc(keyBytes, `${n} `).toString('latin1');
    slots.request(key, false);
    slots.release(key);
  }
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan((count * keyBytes) / 5);
  expect(slots.queued).toBe(0);
  slots.request('next', false);
  slots.release('long');
  expect(slots.take()).toBe('next');
});
