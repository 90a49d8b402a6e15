import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';
import { RecordedInstances } from './recorded.ts';

const bench = new WasmBench();
afterAll(() => bench.close());

let instances: RecordedInstances;
beforeEach(() => {
  instances = new RecordedInstances();
});

describe('a guest host is reported', () => {
  it('as ready, bound and released with each attempt, and as gone when the runtime is closed', async () => {
    const runtime = await bench.runtime(1, 1, { instances });
    const cat = await bench.example('misbehaving/cat');
    await run(runtime, cat);
    const again = { ...attemptOf(cat), executionId: 'exec_2', number: 3 };
    await runtime.run(again, new Collected(), new AbortController().signal);
    await runtime.close();
    expect(instances.facts).toEqual([{ instanceId: 'wasm-1', runtime: 'wasm', startedAhead: true }]);
    // The first attempt may come before the host is ready.
    expect(instances.of('wasm-1').filter((line) => line !== 'ready')).toEqual([
      'bind exec_1 1',
      'release',
      'bind exec_2 3',
      'release',
      'stop: the runtime is closed',
      'gone',
    ]);
  });

  it('as stopped for an attempt that was to stop, and another takes its place', async () => {
    const runtime = await bench.runtime(1, 1, { instances });
    const controller = new AbortController();
    const io = new Collected();
    const running = runtime.run(attemptOf(await bench.example('misbehaving/loop')), io, controller.signal);
    await firstOutput(io, running);
    controller.abort();
    await running;
    await run(runtime, await bench.example('misbehaving/cat'));
    expect(instances.of('wasm-1').slice(-3)).toEqual([
      'bind exec_1 1',
      'stop: what it ran was to stop',
      'gone',
    ]);
    await expect.poll(() => instances.of('wasm-2').slice(-2)).toEqual(['bind exec_1 1', 'release']);
  });

  it('once for a batch of calls, by the first of them', async () => {
    const runtime = await bench.runtime(1, 1, { instances });
    const noop = await bench.example('noop/noop', { instancePolicy: 'reused' });
    const call = (number: number) =>
      runtime.run(
        { ...attemptOf(noop, { functionName: 'noop' }), number },
        new Collected(),
        new AbortController().signal,
      );
    // Only calls of a task that was quick so far are sent together.
    for (let round = 1; round <= 20; round += 1) await call(0);
    const before = instances.of('wasm-1').length;
    await Promise.all(Array.from({ length: 64 }, (_, index) => call(index + 1)));
    const lines = instances.of('wasm-1').slice(before);
    const bound = lines.filter((line) => line.startsWith('bind'));
    expect(bound[0]).toBe('bind exec_1 1');
    expect(bound.length).toBeLessThan(64);
    expect(lines.filter((line) => line === 'release')).toHaveLength(bound.length);
  });

  it('never twice in a row as bound, nor as released', async () => {
    const runtime = await bench.runtime(2, 3, { instances });
    const noop = await bench.example('noop/noop', { instancePolicy: 'reused' });
    const calls = Array.from({ length: 200 }, async (_, index) => {
      const controller = new AbortController();
      const running = runtime.run(
        attemptOf(noop, { functionName: 'noop' }),
        new Collected(),
        controller.signal,
      );
      if (index % 3 === 0) setImmediate(() => controller.abort());
      return running;
    });
    await Promise.all(calls);
    await runtime.close();
    for (const { instanceId } of instances.facts) {
      const kinds = instances
        .of(instanceId)
        .map((line) => line.replace(/[: ].*$/, ''))
        .filter((kind) => kind !== 'ready');
      const ended = kinds.indexOf('stop');
      expect(kinds.slice(ended)).toEqual(['stop', 'gone']);
      expect(kinds.slice(0, ended).every((kind, at) => kind === (at % 2 === 0 ? 'bind' : 'release'))).toBe(
        true,
      );
    }
  });
});
