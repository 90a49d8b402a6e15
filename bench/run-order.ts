/**
 * What the order of runs costs: processor time of one request, take and release, with calls that wait and calls that do
 * not. Prints nanoseconds.
 *
 *     node bench/run-order.ts
 */
import { Slots } from '../src/actors/queue/slots.ts';
import { median } from './table.ts';

const calls = 1_000_000;
const rounds = 7;
const users = {
  leafOf: () => ({ tenant: 'default', priority: 'normal', fairnessKey: '' }) as const,
  expectedMs: () => 1,
  now: () => performance.now(),
};
const names = Array.from({ length: 1024 }, (_, index) => `exec_${index}`);

/** Each has its slot at once. */
function direct(): void {
  const slots = new Slots(4, users);
  for (let index = 0; index < calls; index++) {
    const name = names[index & 1023] as string;
    slots.request(name, false);
    slots.take();
    slots.release(name);
  }
}

/** 256 in flight, 4 slots. */
function waiting(): void {
  const slots = new Slots(4, users);
  for (let index = 0; index < 256; index++) slots.request(names[index] as string, false);
  for (let index = 256; index < calls; index++) {
    const next = slots.take();
    if (next !== undefined) slots.release(next);
    slots.request(names[index & 1023] as string, false);
  }
}

for (const [name, run] of Object.entries({ direct, waiting })) {
  run();
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) / calls) * 1000;
  });
  console.log(`${name}: ${median(times).toFixed(0)} ns (least ${Math.min(...times).toFixed(0)})`);
}
