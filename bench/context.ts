/**
 * What XState's assign costs with contexts of several sizes, and with that of an execution: from twenty fields on V8
 * keeps what a chain of `Object.assign` makes as a table. Prints nanoseconds for the three changes of a call.
 *
 *     node bench/context.ts
 */
import { initialTransition } from 'xstate';
import { executionMachine } from '../src/machines/execution.ts';
import { median } from './table.ts';

const changes = 100_000;
const rounds = 5;

/** Three changes in a row, as a call makes them, from contexts that differ in a value each. */
function nanoseconds(contexts: readonly object[]): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    for (let change = 0; change < changes; change++) {
      const first = Object.assign({}, contexts[change % contexts.length], { totalDeadline: change });
      const second = Object.assign({}, first, { attempt: 1, retryAt: change });
      Object.assign({}, second, { totalDeadline: change + 0.5 });
    }
    return ((performance.now() - start) * 1e6) / changes;
  });
  return median(times);
}

/** With as many fields as asked for; a literal of source text, as V8 lays those out. */
function contextsOf(names: readonly string[]): object[] {
  const literal = `({ ${names.map((name) => `${name}: value`).join(', ')} })`;
  const make = new Function('value', `return ${literal}`) as (value: number) => object;
  return Array.from({ length: 1000 }, (_, value) => make(value));
}

const [{ context }] = initialTransition(executionMachine, {
  executionId: 'exec_1',
  now: 0,
  totalMs: 1000,
  graceMs: 1000,
  retry: { maxAttempts: 1, initialMs: 0, factor: 1, maxMs: 0, jitter: 0, on: [] },
  recovery: { onInterrupt: 'fail', maxRecoveries: 0 },
});
const own = Object.keys(context);
const more = Array.from({ length: 24 - own.length }, (_, index) => `more${index}`);
for (const count of [8, 16, 18, 19, 20, 24]) {
  const names = [...own, ...more].slice(0, count);
  const mark = count === own.length ? ', as an execution has' : '';
  console.log(`${count} fields${mark}: ${nanoseconds(contextsOf(names)).toFixed(0)} ns`);
}
