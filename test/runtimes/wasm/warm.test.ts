import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TaskDefinition, WarmPolicy } from '../../../src/domain/task.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { systemClock, WasmBench, type WasmRuntime } from './fixture.ts';
import { RecordedInstances } from './recorded.ts';
import { startingGuest } from './starting-guest.ts';

let well: Uint8Array;
let bench: WasmBench;
let warnings: object[];
const logger = { warn: (details: object) => void warnings.push(details) };
beforeAll(async () => {
  well = await startingGuest();
});
beforeEach(() => {
  bench = new WasmBench();
  warnings = [];
});
afterEach(() => bench.close());

function reused(policy: Partial<WarmPolicy>, bytes = well): TaskDefinition {
  const warm = { min: 0, max: 1024, idleTimeoutMs: 60_000, startAhead: false, ...policy };
  return bench.task(bytes, { instancePolicy: 'reused', warm });
}

async function warm(runtime: WasmRuntime, task: TaskDefinition): Promise<void> {
  const { taskId, revision } = attemptOf(task);
  await runtime.warm(taskId, revision, task);
}

function cool(runtime: WasmRuntime, task: TaskDefinition): void {
  const { taskId, revision } = attemptOf(task);
  runtime.cool(taskId, revision);
}

async function call(runtime: WasmRuntime, task: TaskDefinition, functionName: string): Promise<string> {
  const { outcome } = await run(runtime, task, { functionName });
  return outcome.kind === 'completed' ? (outcome.output ?? '') : outcome.kind;
}

/** Whether the instance that serves the next call was there before the call. */
async function isAhead(runtime: WasmRuntime, task: TaskDefinition): Promise<boolean> {
  const before = process.hrtime.bigint();
  return BigInt((await call(runtime, task, 'born')).replaceAll('"', '')) < before;
}

describe('a reused task with min 1', () => {
  it('finds an instance that was made before its first call', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ min: 1 });
    await warm(runtime, task);
    expect(await isAhead(runtime, task)).toBe(true);
  });

  it('finds none where nobody asked for it, nor with min 0', async () => {
    const runtime = await bench.runtime(1);
    const [asked, not] = [reused({}), reused({ min: 1, max: 3 })];
    await warm(runtime, asked);
    expect([await isAhead(runtime, asked), await isAhead(runtime, not)]).toEqual([false, false]);
  });

  it('has the thread that holds it serve its calls, though others are idle', async () => {
    const runtime = await bench.runtime(3);
    const tasks = [1, 2, 3].map((max) => reused({ min: 1, max }));
    for (const task of tasks) await warm(runtime, task);
    for (const task of tasks) expect(await isAhead(runtime, task)).toBe(true);
  });

  it('gets a new instance ahead of its next call when one has failed', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ min: 1 });
    await warm(runtime, task);
    expect(await call(runtime, task, 'boom')).toBe('failed');
    await warm(runtime, task);
    expect(await isAhead(runtime, task)).toBe(true);
    expect(await call(runtime, task, 'count')).toBe('1');
  });

  it('gets a new instance ahead of its next call when one has served as often as it may', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ min: 1, maxUses: 2 });
    await warm(runtime, task);
    const counts: string[] = [];
    for (let round = 0; round < 4; round += 1) counts.push(await call(runtime, task, 'count'));
    expect(counts).toEqual(['1', '2', '1', '2']);
    await warm(runtime, task);
    expect(await isAhead(runtime, task)).toBe(true);
  });

  it('is ready again in another thread when its thread has ended', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ min: 1 });
    await warm(runtime, task);
    const io = new Collected();
    const controller = new AbortController();
    const running = runtime.run(attemptOf(await bench.example('misbehaving/loop')), io, controller.signal);
    await firstOutput(io, running);
    controller.abort();
    expect(await running).toMatchObject({ kind: 'stopped' });
    await warm(runtime, task);
    expect(await isAhead(runtime, task)).toBe(true);
  });

  it('keeps its instance while it is idle, and loses it when it is cooled', async () => {
    const clock = new FakeClock();
    const runtime = await bench.runtime(1, 1, { clock });
    const task = reused({ min: 1, idleTimeoutMs: 1000 });
    await warm(runtime, task);
    expect(await call(runtime, task, 'count')).toBe('1');
    await clock.advance(5000);
    expect(await call(runtime, task, 'count')).toBe('2');
    cool(runtime, task);
    expect(await call(runtime, task, 'count')).toBe('1');
  });

  it('is not kept where it was cooled while it was loaded', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ min: 1 });
    const warming = warm(runtime, task);
    cool(runtime, task);
    await warming;
    expect(await isAhead(runtime, task)).toBe(false);
  });

  it('keeps its instance though many other reused tasks run in the same thread', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ min: 1 });
    await warm(runtime, task);
    expect(await call(runtime, task, 'count')).toBe('1');
    for (let max = 1; max <= 12; max += 1) await call(runtime, reused({ max }), 'count');
    expect(await call(runtime, task, 'count')).toBe('2');
  });
});

describe('a task whose instances cannot be made ahead', () => {
  it('is told of once and still answers its calls, where its start traps', async () => {
    const runtime = await bench.runtime(1, 1, { logger });
    const task = reused({ min: 1 }, await startingGuest('traps'));
    await warm(runtime, task);
    expect(warnings).toHaveLength(1);
    const { outcome } = await run(runtime, task, { functionName: 'count' });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
    expect(warnings).toHaveLength(1);
  });

  it('does not hold its thread for ever, where its start never ends', async () => {
    const clock = new FakeClock();
    const instances = new RecordedInstances();
    const runtime = await bench.runtime(1, 1, { logger, clock, instances });
    const task = reused({ min: 1 }, await startingGuest('hangs'));
    // Its check has a time of its own by the same clock.
    await runtime.prepare(task);
    let warmed = false;
    const warming = warm(runtime, task).then(() => {
      warmed = true;
    });
    while (!warmed) await clock.advance(1000);
    await warming;
    expect(warnings).toHaveLength(1);
    expect(instances.of('wasm-1').slice(-2)).toEqual(['stop: it was not ready after 10 s', 'gone']);
    expect(await call(runtime, reused({}), 'count')).toBe('1');
  });

  it('is told of where its artifact is gone', async () => {
    const runtime = await bench.runtime(1, 1, { logger });
    // With a section of its own, so that no other test has had it checked.
    const task = reused({ min: 1 }, Uint8Array.of(...well, 0, 1, 0));
    bench.artifacts.clear();
    await warm(runtime, task);
    expect(warnings).toHaveLength(1);
  });
});

describe('threads', () => {
  it('are started for a min beyond those that are always there, as far as there may be more', async () => {
    const instances = new RecordedInstances();
    const runtime = await bench.runtime(1, 3, { instances });
    await warm(runtime, reused({ min: 5 }));
    expect(instances.facts.map(({ instanceId }) => instanceId)).toEqual(['wasm-1', 'wasm-2', 'wasm-3']);
  });

  it('that were started for a min end some time after it is no longer wanted', async () => {
    const clock = new FakeClock();
    const instances = new RecordedInstances();
    const runtime = await bench.runtime(1, 3, { instances, clock });
    const task = reused({ min: 3 });
    await warm(runtime, task);
    cool(runtime, task);
    const ended = () => instances.facts.filter(({ instanceId }) => instances.of(instanceId).includes('gone'));
    while (ended().length < 2) await clock.advance(1000);
    await clock.advance(60_000);
    expect(ended()).toHaveLength(2);
    expect(await call(runtime, reused({}), 'count')).toBe('1');
  });

  it('load a fresh task ahead too, and an instance is still made for each call', async () => {
    const runtime = await bench.runtime(2);
    const task = { ...reused({ min: 2 }), instancePolicy: 'fresh' as const };
    await warm(runtime, task);
    expect(await isAhead(runtime, task)).toBe(false);
    expect([await call(runtime, task, 'count'), await call(runtime, task, 'count')]).toEqual(['1', '1']);
  });
});

describe('a thread', () => {
  it('takes no more programs to keep ready than leave it room for others, and who gets none is told of', async () => {
    const instances = new RecordedInstances();
    const runtime = await bench.runtime(1, 1, { logger, instances });
    const tasks = Array.from({ length: 34 }, (_, index) => reused({ min: 1, max: index + 1 }));
    for (const task of tasks) await warm(runtime, task);
    expect(warnings).toHaveLength(2);
    const [first, second] = tasks;
    const last = tasks.at(-1);
    if (!first || !second || !last) throw new Error('there are 34');
    expect(await isAhead(runtime, first)).toBe(true);
    cool(runtime, first);
    cool(runtime, second);
    await warm(runtime, last);
    expect(await isAhead(runtime, last)).toBe(true);
    expect(instances.facts).toHaveLength(1);
  });

  it('that is worn out by many programs leaves what it kept ready to the one in its place', async () => {
    const instances = new RecordedInstances();
    const runtime = await bench.runtime(1, 1, { instances });
    const task = reused({ min: 1 });
    await warm(runtime, task);
    for (let max = 1; max <= 64; max += 1) await call(runtime, reused({ max }), 'count');
    await warm(runtime, task);
    expect(await isAhead(runtime, task)).toBe(true);
    expect(instances.of('wasm-1')).toContain('stop: it is worn out');
  });
});

describe('an instance without min', () => {
  it('ends when it has done nothing for the idle time, and not before', async () => {
    const clock = new FakeClock();
    const runtime = await bench.runtime(1, 1, { clock });
    const task = reused({ idleTimeoutMs: 1000 });
    expect(await call(runtime, task, 'count')).toBe('1');
    await clock.advance(900);
    expect(await call(runtime, task, 'count')).toBe('2');
    await clock.advance(900);
    expect(await call(runtime, task, 'count')).toBe('3');
    await clock.advance(1000);
    expect(await call(runtime, task, 'count')).toBe('1');
    await clock.advance(1000);
    expect(clock.timers).toBe(0);
  });

  it('may have an idle time longer than any timer', async () => {
    const clock = new FakeClock();
    const runtime = await bench.runtime(1, 1, { clock });
    const task = reused({ idleTimeoutMs: 2 ** 40 });
    expect(await call(runtime, task, 'count')).toBe('1');
    await clock.advance(2 ** 33);
    expect(await call(runtime, task, 'count')).toBe('2');
  });

  it('ends when it has served as often as it may', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ maxUses: 2 });
    const counts: string[] = [];
    for (let round = 0; round < 5; round += 1) counts.push(await call(runtime, task, 'count'));
    expect(counts).toEqual(['1', '2', '1', '2', '1']);
  });

  it('ends after its call where max is 0', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({ max: 0 });
    expect([await call(runtime, task, 'count'), await call(runtime, task, 'count')]).toEqual(['1', '1']);
  });

  it('ends when its task is cooled', async () => {
    const runtime = await bench.runtime(1);
    const task = reused({});
    expect(await call(runtime, task, 'count')).toBe('1');
    cool(runtime, task);
    expect(await call(runtime, task, 'count')).toBe('1');
  });

  it('ends in one of two threads that served it at once, where max is 1', async () => {
    const runtime = await bench.runtime(2, 2, { clock: systemClock });
    const task = reused({ max: 1 });
    const first = await Promise.all([call(runtime, task, 'count'), call(runtime, task, 'count')]);
    expect(first).toEqual(['1', '1']);
    const second = [await call(runtime, task, 'count'), await call(runtime, task, 'count')];
    expect(second).toEqual(['2', '3']);
  });
});
