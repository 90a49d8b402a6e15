import { expect, test } from 'vitest';
import { Estimates } from '../../src/actors/estimates.ts';
import { recordOf } from '../stores/samples.ts';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, taskWith } from '../support/samples.ts';
import { supervisorBench } from './supervisor-bench.ts';

const quiet = { queued: 0, total: 1 };
const running = (functionName: string) => ({
  ...recordOf('exec_1', 'running'),
  functionName,
  deadlines: { total: 1e9 },
});
const done = (functionName: string, executionTimeMs: number) => ({
  ...recordOf('exec_1', 'completed'),
  functionName,
  executionTimeMs,
});

test('the median of the last fifty runs, whatever came before them', () => {
  const estimates = new Estimates(quiet);
  expect(estimates.of(running('f'), 0)).toBe(5000);
  estimates.learn(done('f', 10));
  expect(estimates.of(running('f'), 0)).toBe(10);
  for (const ms of [30, 20]) estimates.learn(done('f', ms));
  expect(estimates.of(running('f'), 0)).toBe(20);
  for (let n = 0; n < 50; n++) estimates.learn(done('f', 1000 + n));
  expect(estimates.of(running('f'), 0)).toBeGreaterThanOrEqual(1024);
  expect(estimates.of(running('f'), 0)).toBeLessThanOrEqual(1025);
});

test('functions are told apart, and the one that ran longest ago is forgotten first', () => {
  const estimates = new Estimates(quiet);
  estimates.learn(done('a', 1));
  estimates.learn(done('b', 2));
  estimates.learn(done('a', 1));
  for (let n = 0; n < 9_999; n++) estimates.learn(done(`f${n}`, 3));
  expect(estimates.of(running('b'), 0)).toBe(5000);
  expect(estimates.of(running('a'), 0)).toBe(1);
});

test('without history the estimate is five seconds, or what is left of the total timeout', async () => {
  const bench = supervisorBench();
  const long = await bench.admit({ mode: 'async' });
  const short = await bench.admit({ mode: 'async', timeouts: { totalMs: 800 } });
  expect(bench.supervisor.estimate(long.record)).toBe(5000);
  expect(bench.supervisor.estimate(short.record)).toBe(800);
  await bench.clock.advance(300);
  expect(bench.supervisor.estimate(short.record)).toBe(500);
  for (const call of bench.runtime.calls) call.complete();
  await settle();
  expect(bench.supervisor.estimate(long.record)).toBe(0);
  await bench.leavesNothing();
});

async function runFor(
  bench: ReturnType<typeof supervisorBench>,
  ms: number,
  functionName = '',
): Promise<void> {
  await bench.admit({ invocation: invocationWith({ functionName }) });
  await bench.clock.advance(ms);
  bench.runtime.calls.at(-1)?.complete();
  await settle();
}

test('with history it is the median of that function’s completed runs, plus the queue before it', async () => {
  const bench = supervisorBench({ slots: 1 });
  for (const ms of [100, 300, 200]) await runFor(bench, ms);
  await runFor(bench, 7000, 'other');
  const running = await bench.admit({ mode: 'async' });
  expect(bench.supervisor.estimate(running.record)).toBe(200);
  const queued = await bench.admit({ mode: 'async' });
  expect(bench.supervisor.estimate(queued.record)).toBe(400);
  const delayed = await bench.admit({ mode: 'async', startAfterMs: 5000 });
  expect(bench.supervisor.estimate(delayed.record)).toBeGreaterThanOrEqual(5200);
  const impatient = await bench.admit({ mode: 'async', timeouts: { totalMs: 150 } });
  expect(bench.supervisor.estimate(impatient.record)).toBe(150);
  await bench.cancelAll();
  await bench.leavesNothing();
});

test('a run that failed, and one of another revision, tell nothing', async () => {
  const bench = supervisorBench();
  await bench.admit();
  await bench.clock.advance(10);
  bench.runtime.call(0).fail('TRAP');
  await settle();
  await runFor(bench, 40);
  const same = await bench.admit({ mode: 'async' });
  const other = await bench.admit({ mode: 'async', task: { ...taskWith(), revision: 2 } });
  expect(bench.supervisor.estimate(same.record)).toBe(40);
  expect(bench.supervisor.estimate(other.record)).toBe(5000);
  await bench.cancelAll();
  await bench.leavesNothing();
});
