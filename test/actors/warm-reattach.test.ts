import { describe, expect, it } from 'vitest';
import type { Attempt, AttemptOutcome } from '../../src/runtimes/runtime.ts';
import { attemptOf, Collected } from '../runtimes/attempt.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { ScriptedInstances } from '../support/scripted-instances.ts';
import { warmBench, warmTask } from './warm-bench.ts';

const task = warmTask({ min: 0, max: 0, startAhead: false });
const attempt: Attempt = attemptOf(task, { args: ['a'], environment: { B: 'c' } });
const position = { stdout: 5, stderr: 7 };
const instanceId = 'inst_left';

/** A runtime that finds the instance `inst_left` again, unless it is to be gone or out of reach. */
function reattachBench(how: 'there' | 'gone' | 'out of reach' = 'there') {
  const bench = warmBench();
  const { instances, runtime } = bench;
  if (how !== 'gone') instances.survivors.add(instanceId);
  instances.reachable = how !== 'out of reach';
  const controller = new AbortController();
  const io = new Collected();
  const founds: 1[] = [];
  return {
    ...bench,
    io,
    /** One for each time that the runtime said that the instance is there. */
    founds,
    controller,
    /** In an object, so that it is not awaited on its way. */
    async follow(paused = false): Promise<{ outcome: Promise<AttemptOutcome | undefined> }> {
      const outcome = runtime.reattach?.(attempt, instanceId, position, io, controller.signal, paused, () =>
        founds.push(1),
      );
      if (outcome === undefined) throw new Error('it cannot re-attach');
      await settle();
      return { outcome };
    },
    found() {
      const [instance] = instances.recovered;
      if (instance === undefined) throw new Error('nothing was found again');
      return instance;
    },
  };
}

describe('an attempt that is followed again', () => {
  it('is served by its instance, which is busy with it until its end', async () => {
    const bench = reattachBench();
    const { outcome } = await bench.follow();
    const launch = { instanceId, args: ['a'], environment: { B: 'c' } };
    expect(bench.instances.asked).toMatchObject([{ launch, position, paused: false }]);
    expect(bench.registry.instances()).toMatchObject([
      { instanceId, state: 'busy', executionId: 'exec_1', attempt: 1, startedAhead: false },
    ]);
    expect(bench.founds).toHaveLength(1);
    bench.found().complete();
    expect(await outcome).toMatchObject({ kind: 'completed', instanceId });
    expect(bench.founds).toHaveLength(1);
    expect(bench.states()).toEqual([]);
    // It is written down already.
    expect(bench.io.bound).toEqual([]);
  });

  it('is none where its instance is gone, and nothing is listed', async () => {
    const bench = reattachBench('gone');
    expect(await (await bench.follow()).outcome).toBeUndefined();
    expect(bench.founds).toEqual([]);
    expect(bench.states()).toEqual([]);
  });

  it('that is to end is ended by its instance', async () => {
    const bench = reattachBench();
    bench.controller.abort();
    expect(await (await bench.follow()).outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
  });

  it('that is to end remains where its instance is out of reach', async () => {
    const bench = reattachBench('out of reach');
    const { outcome } = await bench.follow();
    bench.controller.abort();
    expect(await outcome).toMatchObject({ kind: 'stopped', instanceId, remains: true });
    expect(bench.states()).toEqual([]);
  });

  it('fails as the finding fails', async () => {
    const bench = reattachBench();
    bench.instances.failStarts('no log');
    const { outcome } = await bench.follow();
    expect(await outcome).toMatchObject({ kind: 'failed', message: 'no log', instanceId });
    expect(bench.warnings).toHaveLength(1);
  });
});

describe('an attempt that is let go of', () => {
  it('does not settle, and its instance is left alone', async () => {
    const bench = warmBench();
    const { outcome, abort } = await bench.begin(task);
    bench.runtime.release?.('exec_1');
    const instance = await bench.instances.instance(0);
    abort();
    await bench.runtime.close();
    expect([instance.released, instance.discarded]).toEqual([true, false]);
    expect(await isSettled(outcome)).toBe(false);
  });

  it('while its instance is looked for does not settle, and the instance is left alone', async () => {
    const bench = reattachBench('out of reach');
    const { outcome } = await bench.follow();
    bench.runtime.release?.('exec_1');
    bench.instances.reached.resolve();
    await settle();
    expect([bench.found().released, bench.found().served]).toEqual([true, undefined]);
    expect(await isSettled(outcome)).toBe(false);
  });

  it('and that does not run is nothing', () => {
    expect(() => warmBench().runtime.release?.('exec_none')).not.toThrow();
  });
});

describe('a pause', () => {
  it('and its end go to the instance that serves the execution', async () => {
    const bench = warmBench();
    await bench.begin(task);
    const instance = await bench.instances.instance(0);
    await bench.runtime.pause?.('exec_1');
    expect(instance.paused).toBe(true);
    await bench.runtime.unpause?.('exec_1');
    expect(instance.paused).toBe(false);
  });

  it('lasts over a restart where it is to', async () => {
    const bench = reattachBench();
    await bench.follow(true);
    expect(bench.found().paused).toBe(true);
    await bench.runtime.unpause?.('exec_1');
    expect(bench.found().paused).toBe(false);
  });

  describe.each(['pause', 'unpause'] as const)('that is asked for by %s', (ask) => {
    const refusal = {
      kind: 'failed_precondition',
      reason: 'NOT_RUNNING',
      metadata: { execution: 'exec_1' },
    };
    const unstarted = { ...refusal, message: expect.stringMatching(/still being started; try again/) };
    const none = { ...refusal, message: expect.stringMatching(/no attempt/) };

    it('is refused where nothing runs', async () => {
      const bench = reattachBench();
      await expect(bench.runtime[ask]?.('exec_1')).rejects.toMatchObject(none);
      const { outcome } = await bench.follow();
      bench.found().complete();
      await outcome;
      await expect(bench.runtime[ask]?.('exec_1')).rejects.toMatchObject(none);
    });

    it('waits for an instance that is being started, for some seconds', async () => {
      const bench = reattachBench('out of reach');
      await bench.follow();
      const early = bench.runtime[ask]?.('exec_1');
      const refused = expect(early).rejects.toMatchObject(unstarted);
      await settle();
      await bench.clock.advance(9_999);
      const late = bench.runtime[ask]?.('exec_1');
      await settle();
      await bench.clock.advance(1);
      await refused;
      bench.instances.reached.resolve();
      await late;
      expect(bench.found().paused).toBe(ask === 'pause');
    });

    it('is refused where the start comes to nothing', async () => {
      const bench = reattachBench('out of reach');
      await bench.follow();
      const refused = expect(bench.runtime[ask]?.('exec_1')).rejects.toMatchObject(none);
      await settle();
      bench.controller.abort();
      await refused;
    });
  });
});

it('a runtime whose instances can neither be paused nor found again says so by what it lacks', () => {
  const instances = new ScriptedInstances({ reattach: false, pause: false });
  const { reattach, release, pause, unpause } = warmBench(instances).runtime;
  expect([reattach, release, pause, unpause]).toEqual([undefined, undefined, undefined, undefined]);
});
