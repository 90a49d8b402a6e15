import { afterAll, describe, expect, it } from 'vitest';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';

const bench = new WasmBench();
afterAll(() => bench.close());

describe('a pool with one warm thread and three at most', () => {
  it('runs three guests at once that never end, and queues a fourth until one is stopped', async () => {
    const runtime = await bench.runtime(1, 3);
    const loop = await bench.example('misbehaving/loop');
    const begin = () => {
      const io = new Collected();
      const controller = new AbortController();
      return { io, controller, running: runtime.run(attemptOf(loop), io, controller.signal) };
    };
    const three = [begin(), begin(), begin()];
    await Promise.all(three.map(({ io, running }) => firstOutput(io, running)));
    const fourth = begin();
    three[0]?.controller.abort();
    expect(await three[0]?.running).toMatchObject({ kind: 'stopped', rung: 'terminate' });
    await firstOutput(fourth.io, fourth.running);
    for (const { controller } of [...three, fourth]) controller.abort();
    for (const { running } of [...three, fourth]) expect(await running).toMatchObject({ kind: 'stopped' });
  });

  it('still ends a quick typed call while guests that never end hold the other threads', async () => {
    const runtime = await bench.runtime(1, 3);
    const loop = await bench.example('misbehaving/loop');
    const noop = await bench.example('noop/noop', { instancePolicy: 'reused' });
    const controller = new AbortController();
    const hanging = [new Collected(), new Collected()].map((io) => ({
      io,
      running: runtime.run(attemptOf(loop), io, controller.signal),
    }));
    await Promise.all(hanging.map(({ io, running }) => firstOutput(io, running)));
    const calls = Array.from({ length: 100 }, (_, n) =>
      run(runtime, noop, { functionName: 'echo', parameters: { n } }),
    );
    const outputs = (await Promise.all(calls)).map(({ outcome }) => 'output' in outcome && outcome.output);
    expect(outputs).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
    controller.abort();
    await Promise.all(hanging.map(({ running }) => running));
  });
});

describe('a host that is worn out by what it has just run', () => {
  it('is given nothing more, also by who comes in the same moment', async () => {
    const runtime = await bench.runtime(1, 1);
    // Each is a program of its own, and a host takes 64 of them; the first is loaded, and comes at once. With a network
    // none runs again by itself where its host ends.
    const programs = await Promise.all(
      Array.from({ length: 70 }, (_, at) =>
        bench.example('misbehaving/cat', { allowNetwork: true, description: String(at) }),
      ),
    );
    for (const program of programs) {
      for (const each of [program, programs[0] ?? program]) {
        const { outcome } = await run(runtime, each, { input: Buffer.from('x') });
        expect(outcome).toMatchObject({ kind: 'completed' });
      }
    }
  });
});
