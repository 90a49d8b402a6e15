import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { WasmBench, type WasmRuntime } from './fixture.ts';
import { RecordedInstances } from './recorded.ts';
import { habit, typedGuest } from './typed-guest.ts';

const bench = new WasmBench();
const instances = new RecordedInstances();
let runtime: WasmRuntime;
beforeAll(async () => {
  runtime = await bench.runtime(1, 1, { instances });
});
afterAll(() => bench.close());

function within(task: TaskDefinition, cpuTimeMs: number): TaskDefinition {
  return { ...task, limits: { ...task.limits, cpuTimeMs } };
}

describe('a limit of CPU time', () => {
  it('ends an endless loop as CPU_LIMIT, with what it used, and others go on', async () => {
    const task = within(await bench.example('misbehaving/loop'), 150);
    const { outcome, stdout } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'CPU_LIMIT' });
    expect(outcome.resourceUse.cpuTimeUs).toBeGreaterThanOrEqual(150_000);
    expect(outcome.resourceUse.cpuTimeUs).toBeLessThan(5_000_000);
    expect(stdout.toString()).toBe('looping\n');
    expect(instances.of('wasm-1').slice(-2)).toEqual(['stop: its guest used up its CPU time', 'gone']);
    const cat = await bench.example('misbehaving/cat');
    expect((await run(runtime, cat)).outcome).toMatchObject({ kind: 'completed' });
  });

  it('holds in a thread that is only starting, and longer than the limit', async () => {
    const cold = await bench.runtime(1);
    const loop = within(await bench.example('misbehaving/loop'), 1);
    const { outcome } = await run(cold, loop);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'CPU_LIMIT' });
  });

  it('is of one attempt: what ran before in the thread or the instance is not counted', async () => {
    const loop = await bench.example('misbehaving/loop');
    const task = within(bench.task(await typedGuest(), { instancePolicy: 'reused' }), 200);
    const one = await bench.runtime(1);
    for (let round = 0; round < 200; round += 1) {
      const { outcome } = await run(one, task, { functionName: 'count' });
      expect(outcome).toMatchObject({ kind: 'completed', output: String(round + 1) });
    }
    const { outcome } = await run(one, within(loop, 50));
    expect(outcome.resourceUse.cpuTimeUs).toBeGreaterThanOrEqual(50_000);
  });

  it('ends only the call that used it up, of many at once in live instances', async () => {
    const two = await bench.runtime(2);
    const task = within(bench.task(await typedGuest(), { instancePolicy: 'reused' }), 100);
    const names = ['count', 'count', habit('hang'), 'count', 'count'];
    const ended = await Promise.all(names.map((functionName) => run(two, task, { functionName })));
    expect(ended.map(({ outcome }) => ('code' in outcome ? outcome.code : outcome.kind))).toEqual([
      'completed',
      'completed',
      'CPU_LIMIT',
      'completed',
      'completed',
    ]);
  });

  it('does not count the time that a guest is held back', async () => {
    const task = within(await bench.example('misbehaving/flood'), 150);
    const one = await bench.runtime(1);
    const gate = Promise.withResolvers<void>();
    const io = new Collected(() => gate.promise);
    const controller = new AbortController();
    const running = one.run(attemptOf(task), io, controller.signal);
    await firstOutput(io, running);
    // As long as it takes others to use twice as much.
    const loop = within(await bench.example('misbehaving/loop'), 300);
    await run(await bench.runtime(1), loop);
    controller.abort();
    gate.resolve();
    expect(await running).toMatchObject({ kind: 'stopped', rung: 'terminate' });
  });
});
