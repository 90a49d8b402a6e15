import { describe, expect, it } from 'vitest';
import { attemptOf, Collected } from '../runtimes/attempt.ts';
import { settle } from '../support/fake-clock.ts';
import { warmBench, warmTask } from './warm-bench.ts';

const cold = warmTask({ min: 0, max: 0, startAhead: false });

/** Takes what it is told about the binding down, and makes it durable when the test says so. */
class SlowBinding extends Collected {
  readonly durable = Promise.withResolvers<void>();
  override bind(): Promise<void> {
    return this.durable.promise;
  }
}

describe('an execution without a warm instance', () => {
  it('gets a new one with its own args and environment, which is gone with it', async () => {
    const bench = warmBench();
    const { outcome } = await bench.begin(cold, { args: ['a'], environment: { B: 'c' } });
    const instance = await bench.instances.instance(0);
    expect(instance.launch).toMatchObject({ args: ['a'], environment: { B: 'c' } });
    expect(bench.states()).toEqual(['busy']);
    instance.complete();
    expect(await outcome).toMatchObject({ kind: 'completed', instanceId: instance.launch.instanceId });
    expect(bench.states()).toEqual([]);
  });

  it('fails as the start fails', async () => {
    const bench = warmBench();
    bench.instances.failStarts('no such program');
    const { outcome } = await bench.begin(cold);
    expect(await outcome).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: 'no such program',
    });
    expect(bench.states()).toEqual([]);
  });

  it('is stopped before it begins where its signal is aborted already', async () => {
    const bench = warmBench();
    const outcome = await bench.runtime.run(attemptOf(cold), new Collected(), AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'cooperative' });
    expect(bench.instances.launched).toEqual([]);
  });
});

describe('the binding of an instance', () => {
  it.each([
    ['new', cold],
    ['warm', warmTask()],
  ])('is durable before a %s instance serves', async (_what, task) => {
    const bench = warmBench();
    await bench.warm(task);
    const io = new SlowBinding();
    const { outcome } = await bench.begin(task, {}, io);
    const instance = await bench.instances.instance(0);
    expect(instance.served).toBeUndefined();
    io.durable.resolve();
    await instance.serving;
    instance.complete();
    expect(await outcome).toMatchObject({ kind: 'completed' });
  });

  it('that never becomes durable does not hold up the end of a stopped attempt', async () => {
    const bench = warmBench();
    const { outcome, abort } = await bench.begin(cold, {}, new SlowBinding());
    abort();
    expect(await outcome).toMatchObject({ kind: 'stopped' });
    expect(bench.states()).toEqual([]);
  });
});

describe('a warm instance', () => {
  it('is started ahead with nothing of an execution, used once, and replaced', async () => {
    const bench = warmBench();
    const task = warmTask();
    await bench.warm(task);
    expect(bench.states()).toEqual(['idle']);
    const first = await bench.instances.instance(0);
    expect(first.launch).toMatchObject({ args: [], environment: {} });

    const { outcome } = await bench.begin(task);
    expect(first.served).toBeDefined();
    first.complete();
    expect(await outcome).toMatchObject({ instanceId: first.launch.instanceId });
    await bench.clock.advance(1000);
    expect(bench.instances.launched).toHaveLength(2);
    expect(bench.states()).toEqual(['idle']);
    expect(bench.registry.pools()).toMatchObject([{ warmHits: 1, coldStarts: 0, spoiled: 0 }]);
  });

  it.each([
    ['args', { args: ['a'] }],
    ['environment', { environment: { A: 'b' } }],
    ['force_new_instance', { forceNewInstance: true }],
  ])('is not given to an execution with %s of its own', async (_what, invocation) => {
    const bench = warmBench();
    const task = warmTask();
    await bench.warm(task);
    await bench.begin(task, invocation);
    const [warm, fresh] = [await bench.instances.instance(0), await bench.instances.instance(1)];
    expect(warm.served).toBeUndefined();
    expect(fresh.served).toBeDefined();
  });

  it('of an older revision is not given to a newer one', async () => {
    const bench = warmBench();
    await bench.warm(warmTask());
    await bench.begin(warmTask({ idleTimeoutMs: 1 }));
    expect((await bench.instances.instance(0)).served).toBeUndefined();
  });

  it('that writes or ends before it is used is thrown away and replaced later', async () => {
    const bench = warmBench();
    await bench.warm(warmTask());
    const first = await bench.instances.instance(0);
    first.spoil('it wrote before it was used');
    await settle();
    expect(first.discarded).toBe(true);
    expect(bench.states()).toEqual([]);
    expect(bench.instances.launched).toHaveLength(1);
    await bench.clock.advance(500);
    expect(bench.instances.launched).toHaveLength(2);
    expect(bench.registry.pools()).toMatchObject([{ spoiled: 1 }]);
  });

  it('that is spoiled while its binding is being written is not served with; a new one is', async () => {
    const bench = warmBench();
    const task = warmTask();
    await bench.warm(task);
    const io = new SlowBinding();
    const { outcome } = await bench.begin(task, {}, io);
    const first = await bench.instances.instance(0);
    first.spoil('it ended before it was used');
    await settle();
    io.durable.resolve();
    const second = await bench.instances.instance(1);
    await second.serving;
    expect([first.served, first.discarded]).toEqual([undefined, true]);
    second.complete();
    expect(await outcome).toMatchObject({ instanceId: second.launch.instanceId });
  });

  it('of a program that does not wait for its input is started less and less often', async () => {
    const bench = warmBench();
    await bench.warm(warmTask());
    for (let round = 0; round < 200; round++) {
      bench.instances.launched.at(-1)?.spoil('it ended before it was used');
      await bench.clock.advance(1000);
    }
    expect(bench.instances.launched.length).toBeLessThan(15);
  });

  it('that is used while the pool waits for another does not make it wait less', async () => {
    const bench = warmBench();
    const task = warmTask({ min: 2, max: 2, idleTimeoutMs: 3_600_000 });
    await bench.warm(task);
    for (let round = 0; round < 5; round++) {
      bench.instances.launched.at(-1)?.spoil('it ended before it was used');
      await bench.clock.advance(20_000);
    }
    bench.instances.launched.at(-1)?.spoil('it ended before it was used');
    await settle();
    const before = bench.instances.launched.length;
    await bench.begin(task);
    await bench.clock.advance(5000);
    expect(bench.instances.launched).toHaveLength(before);
  });

  it('whose start fails is tried again, and less and less often', async () => {
    const bench = warmBench();
    bench.instances.failStarts();
    await bench.warm(warmTask());
    await bench.clock.advance(200_000);
    expect(bench.warnings.length).toBeGreaterThan(5);
    expect(bench.warnings.length).toBeLessThan(15);
    bench.instances.failure = undefined;
    await bench.clock.advance(60_000);
    expect(bench.states()).toEqual(['idle']);
  });
});

describe('the number of warm instances', () => {
  it('rises with those who find none, up to the most, and falls when nobody wants them', async () => {
    const bench = warmBench();
    const task = warmTask({ min: 1, max: 3, idleTimeoutMs: 10_000 });
    await bench.warm(task);
    for (let round = 0; round < 5; round++) await bench.begin(task);
    for (const instance of bench.instances.launched) instance.complete();
    await bench.clock.advance(1000);
    expect(bench.states()).toEqual(['idle', 'idle', 'idle']);
    await bench.clock.advance(10_000);
    expect(bench.states()).toEqual(['idle']);
    await bench.clock.advance(100_000);
    expect(bench.states()).toEqual(['idle']);
  });

  it('is none once the task is cooled, and those that are busy end their attempt', async () => {
    const bench = warmBench();
    const task = warmTask({ min: 2, max: 2 });
    await bench.warm(task);
    const { outcome } = await bench.begin(task);
    const { taskId, revision } = attemptOf(task);
    bench.runtime.cool(taskId, revision);
    await settle();
    expect(bench.states()).toEqual(['busy']);
    (await bench.instances.instance(0)).complete();
    expect(await outcome).toMatchObject({ kind: 'completed' });
    expect(bench.registry.pools()).toEqual([]);
    await bench.clock.advance(100_000);
    expect(bench.states()).toEqual([]);
  });

  it('is none when the runtime is closed, and no timer is left', async () => {
    const bench = warmBench();
    await bench.warm(warmTask({ min: 3, max: 3 }));
    await bench.runtime.close();
    expect(bench.states()).toEqual([]);
    expect(bench.instances.closed).toBe(true);
    expect(bench.clock.timers).toBe(0);
  });
});

describe('an instance that cannot be confirmed gone', () => {
  it('is broken until it is found gone', async () => {
    const bench = warmBench();
    const { outcome } = await bench.begin(cold);
    const instance = await bench.instances.instance(0);
    instance.end({
      kind: 'failed',
      code: 'INSTANCE_LOST',
      message: 'the engine does not answer',
      instanceId: instance.launch.instanceId,
      resourceUse: {},
      remains: true,
    });
    await outcome;
    expect(bench.registry.instances()).toMatchObject([{ state: 'broken', uses: 1, executionId: 'exec_1' }]);
    instance.vanish();
    await settle();
    expect(bench.states()).toEqual([]);
  });
});
