import { describe, expect, test } from 'vitest';
import { Estimates } from '../../src/actors/queue/estimates.ts';
import { Slots } from '../../src/actors/queue/slots.ts';
import { Durations } from '../../src/domain/durations.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import { recordOf } from '../stores/samples.ts';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, taskWith } from '../support/samples.ts';
import { supervisorBench } from './supervisor-bench.ts';

/** Records in slots and in the queue before them, without anything that runs. */
class Board {
  readonly slots: Slots;
  readonly durations = new Durations();
  readonly #records = new Map<string, ExecutionRecord>();
  readonly estimates: Estimates;

  constructor(slots: number) {
    this.slots = new Slots(slots);
    this.estimates = new Estimates(this.slots, this.durations, (id) => this.#records.get(id));
  }

  /** Admitted at `at`; it runs at once where a slot is free. */
  admit(id: string, functionName: string, at = 0): ExecutionRecord {
    const record = { ...recordOf(id, 'pending'), functionName, createdAt: at, deadlines: { total: 1e9 } };
    this.#records.set(id, record);
    this.slots.request(id, false);
    return this.slots.take() === id ? this.start(id, at) : record;
  }

  /** It waits for its next attempt. */
  retry(id: string, functionName: string): void {
    this.#records.set(id, {
      ...recordOf(id, 'running'),
      functionName,
      startedAt: 0,
      deadlines: { total: 1e9 },
    });
    this.slots.request(id, true);
  }

  start(id: string, at: number): ExecutionRecord {
    const record = { ...this.record(id), status: 'running' as const, startedAt: at };
    this.#records.set(id, record);
    return record;
  }

  record(id: string): ExecutionRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new Error(`no ${id}`);
    return record;
  }

  learn(functionName: string, ...durationsMs: number[]): void {
    for (const executionTimeMs of durationsMs) {
      this.estimates.learn({ ...recordOf('exec_0', 'completed'), functionName, executionTimeMs });
    }
  }
}

describe('of what runs', () => {
  test('it is the median of the last fifty runs, whatever came before them', () => {
    const board = new Board(1);
    const record = board.admit('exec_1', 'f');
    expect(board.estimates.of(record, 0)).toBe(5000);
    board.learn('f', 10);
    expect(board.estimates.of(record, 0)).toBe(10);
    board.learn('f', 30, 20);
    expect(board.estimates.of(record, 0)).toBe(20);
    board.learn('f', ...Array.from({ length: 50 }, (_, n) => 1000 + n));
    expect(board.estimates.of(record, 0)).toBe(1025);
  });

  test('what has passed is subtracted, and runs that were shorter tell nothing any more', () => {
    const board = new Board(1);
    board.learn('f', 6000, 6000, 6000);
    const record = board.admit('exec_1', 'f');
    expect(board.estimates.of(record, 2000)).toBe(4000);
    board.learn('f', 60_000);
    expect(board.estimates.of(record, 2000)).toBe(4000);
    expect(board.estimates.of(record, 7000)).toBe(53_000);
  });

  test('one that is longer than all before takes as long again as it is over them', () => {
    const board = new Board(1);
    board.learn('f', 6000);
    const record = board.admit('exec_1', 'f');
    expect(board.estimates.of(record, 9900)).toBe(3900);
    const unknown = new Board(1).admit('exec_1', 'f');
    const { estimates } = new Board(1);
    expect(estimates.of(unknown, 1000)).toBe(4000);
    expect(estimates.of(unknown, 9900)).toBe(9900);
  });

  test('functions are told apart, and the one that ran longest ago is forgotten first', () => {
    const board = new Board(4);
    const [a, b] = [board.admit('exec_1', 'a'), board.admit('exec_2', 'b')];
    board.learn('a', 1);
    board.learn('b', 2);
    board.learn('a', 1);
    for (let n = 0; n < 9_999; n++) board.learn(`f${n}`, 3);
    expect(board.estimates.of(b, 0)).toBe(5000);
    expect(board.estimates.of(a, 0)).toBe(1);
  });
});

describe('of what waits', () => {
  test('the ninth behind jobs of six seconds waits for them, however short it is itself', () => {
    const board = new Board(4);
    board.learn('long', 6000);
    board.learn('short', 5);
    for (let n = 1; n <= 8; n++) board.admit(`exec_${n}`, 'long');
    const ninth = board.admit('exec_9', 'short');
    expect(board.estimates.of(ninth, 0)).toBe(12_005);
    expect(board.estimates.of(ninth, 2000)).toBe(10_005);
  });

  test('each one before it counts with the duration of its own function', () => {
    const board = new Board(2);
    board.learn('slow', 1000);
    board.learn('quick', 10);
    board.admit('exec_1', 'slow');
    board.admit('exec_2', 'quick');
    for (let n = 3; n <= 7; n++) board.admit(`exec_${n}`, 'quick');
    // All of them fit beside the slow one.
    expect(board.estimates.of(board.admit('exec_8', 'quick'), 0)).toBe(70);
    expect(board.estimates.of(board.record('exec_3'), 0)).toBe(20);
  });

  test('a retry goes before what was never started', () => {
    const board = new Board(1);
    board.learn('f', 100);
    board.admit('exec_1', 'f');
    const second = board.admit('exec_2', 'f');
    expect(board.estimates.of(second, 0)).toBe(200);
    board.retry('exec_0', 'f');
    expect(board.estimates.of(second, 0)).toBe(300);
    expect(board.slots.ahead('exec_0', 32)).toEqual({ keys: [], count: 0 });
  });

  test('a long queue counts by its length, from any place in it', () => {
    const board = new Board(2);
    board.learn('f', 10);
    for (let n = 0; n < 5002; n++) board.admit(`exec_${n}`, 'f');
    const near = (id: string, ms: number) => {
      expect(Math.abs(board.estimates.of(board.record(id), 0) - ms)).toBeLessThan(ms * 0.05);
    };
    near('exec_5001', 25_010);
    near('exec_2501', 12_510);
    // Those who leave the queue are counted no more, at the end of it.
    for (let n = 10; n < 2510; n++) board.slots.release(`exec_${n}`);
    near('exec_5001', 12_510);
  });

  test('more slots than are looked at one by one share the queue', () => {
    const board = new Board(1000);
    board.learn('f', 1000);
    for (let n = 0; n < 1020; n++) board.admit(`exec_${n}`, 'f');
    expect(board.estimates.of(board.record('exec_1019'), 500)).toBe(1500);
  });

  test('one that has its slot waits for nothing, even where its record does not say so yet', () => {
    const board = new Board(1);
    board.learn('f', 100);
    const record = { ...board.admit('exec_1', 'f'), status: 'pending' as const };
    expect(board.estimates.of(record, 0)).toBe(100);
  });
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

test('with history it is the median of that function’s completed runs, after what runs and waits before it', async () => {
  const bench = supervisorBench({ slots: 1 });
  for (const ms of [100, 300, 200]) await runFor(bench, ms);
  await runFor(bench, 7000, 'other');
  const running = await bench.admit({ mode: 'async' });
  expect(bench.supervisor.estimate(running.record)).toBe(200);
  const queued = await bench.admit({ mode: 'async' });
  expect(bench.supervisor.estimate(queued.record)).toBe(400);
  const delayed = await bench.admit({ mode: 'async', startAfterMs: 5000 });
  expect(bench.supervisor.estimate(delayed.record)).toBe(5200);
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
