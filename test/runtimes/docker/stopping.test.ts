import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Instance, InstanceRuntime, Runtime } from '../../../src/runtimes/runtime.ts';
import { isSettled } from '../../support/fake-clock.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { attemptOf, Collected, firstOutput } from '../attempt.ts';
import { startRelay } from './relay.ts';
import { coldRuntime, containersOf, launchOf, newNodeId, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker, itDocker } from './where.ts';

const never = new AbortController().signal;
const nodeId = newNodeId();
let base: InstanceRuntime;
let runtime: Runtime;
let imageId: string;

beforeAll(async () => {
  imageId = await testImageId();
  base = await openRuntime({ nodeId });
  runtime = coldRuntime(base);
});

afterAll(async () => {
  expect(await containersOf(nodeId)).toEqual([]);
  await runtime.close();
});

async function stop(program: string, graceMs: number) {
  const controller = new AbortController();
  const io = new Collected();
  const task = taskOf(imageId, [program], { graceMs });
  const running = runtime.run(attemptOf(task), io, controller.signal);
  await firstOutput(io, running);
  controller.abort();
  const outcome = await running;
  return { outcome, io, left: await containersOf(nodeId) };
}

describeDocker('an attempt that is stopped', () => {
  it('ends by SIGTERM where the program does not mind', async () => {
    const { outcome, left } = await stop('loop', 30_000);
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(left).toEqual([]);
  });

  it('lets a program that hears SIGTERM end its work, and delivers what it then writes', async () => {
    const { outcome, io, left } = await stop('polite', 30_000);
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(io.of('stdout').toString()).toBe('looping\nending\n');
    expect(left).toEqual([]);
  });

  it('is killed after its grace where the program ignores SIGTERM', async () => {
    const graceMs = 12_345;
    const clock = new HeldClock(graceMs);
    const ownNode = newNodeId();
    const own = await openRuntime({ nodeId: ownNode, clock });
    onTestFinished(() => own.close());
    const controller = new AbortController();
    const io = new Collected();
    const task = taskOf(imageId, ['stubborn'], { graceMs });
    const running = coldRuntime(own).run(attemptOf(task), io, controller.signal);
    await firstOutput(io, running);
    controller.abort();
    await expect.poll(() => clock.held).toBe(1);
    expect(await isSettled(running)).toBe(false);
    expect(await containersOf(ownNode)).toHaveLength(1);
    clock.ring();
    expect(await running).toMatchObject({ kind: 'stopped', rung: 'kill' });
    expect(await containersOf(ownNode)).toEqual([]);
  });

  it('is killed at once where it has no grace', async () => {
    const { outcome, left } = await stop('stubborn', 0);
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'kill' });
    expect(left).toEqual([]);
  });

  it.each(['create', 'attach', 'wait', 'start', 'first output'])(
    'at the %s of its container leaves nothing behind',
    async (point) => {
      const controller = new AbortController();
      const relay = await startRelay((request) => {
        if (request.startsWith('POST /containers/') && request.endsWith(`/${point}`)) controller.abort();
      });
      onTestFinished(() => relay.close());
      const ownNode = newNodeId();
      const own = await openRuntime({ nodeId: ownNode, host: relay.socketPath });
      onTestFinished(() => own.close());
      const io = new Collected();
      const running = coldRuntime(own).run(attemptOf(taskOf(imageId, ['loop'])), io, controller.signal);
      if (point === 'first output') {
        await firstOutput(io, running);
        controller.abort();
      }
      expect(await running).toMatchObject({ kind: 'stopped' });
      expect(controller.signal.aborted).toBe(true);
      expect(await containersOf(ownNode)).toEqual([]);
    },
  );

  it('before its container is asked for leaves nothing behind', async () => {
    const running = runtime.run(attemptOf(taskOf(imageId, ['loop'])), new Collected(), AbortSignal.abort());
    expect(await running).toMatchObject({ kind: 'stopped' });
    expect(await containersOf(nodeId)).toEqual([]);
  });
});

describeDocker('an instance that waits for its use', () => {
  function launch(...command: string[]): Promise<Instance> {
    return base.launch(launchOf(taskOf(imageId, command)), never);
  }

  it('serves as one that was just started', async () => {
    const instance = await launch('cat');
    const io = new Collected();
    const attempt = attemptOf(taskOf(imageId, ['cat']), { input: Buffer.from('later') });
    expect(await instance.serve(attempt, io, never)).toMatchObject({ kind: 'completed', exitCode: 0 });
    await instance.gone;
    expect(io.of('stdout').toString()).toBe('later');
  });

  it('is spoiled when it writes before, and can be thrown away', async () => {
    const instance = await launch('loop');
    expect(await instance.spoiled).toMatch('it wrote before');
    expect(await instance.discard()).toBe(true);
    await instance.gone;
    expect(await containersOf(nodeId)).toEqual([]);
  });

  it('is spoiled when it ends before', async () => {
    const instance = await launch('true');
    expect(await instance.spoiled).toMatch('it exited with code 0 before');
    expect(await instance.discard()).toBe(true);
  });

  it('that was spoiled by its output still delivers it to whom it serves', async () => {
    const instance = await launch('exit');
    await instance.spoiled;
    const io = new Collected();
    const outcome = await instance.serve(attemptOf(taskOf(imageId, ['exit'])), io, never);
    expect(outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 7 });
    expect([io.of('stdout').toString(), io.of('stderr').toString()]).toEqual(['bye\n', 'leaving\n']);
  });

  it('is not given its input where it was stopped before', async () => {
    const instance = await launch('cat');
    const io = new Collected();
    const attempt = attemptOf(taskOf(imageId, ['cat']), { input: Buffer.from('secret') });
    expect(await instance.serve(attempt, io, AbortSignal.abort())).toMatchObject({ kind: 'stopped' });
    expect(io.bytes).toBe(0);
  });
});

itDocker('a runtime that is closed ends what waits, what runs and what is being started', async () => {
  const ownNode = newNodeId();
  const own = await openRuntime({ nodeId: ownNode });
  const [waiting, running] = await Promise.all([
    own.launch(launchOf(taskOf(imageId, ['cat'])), never),
    own.launch(launchOf(taskOf(imageId, ['stubborn'])), never),
  ]);
  const io = new Collected();
  const outcome = running.serve(attemptOf(taskOf(imageId, ['stubborn'])), io, never);
  await firstOutput(io, outcome);
  const starting = own.launch(launchOf(taskOf(imageId, ['cat'])), never);
  const refused = expect(starting).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' });
  await own.close();
  await refused;
  expect(await outcome).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
  await waiting.gone;
  await expect(own.launch(launchOf(taskOf(imageId, ['cat'])), never)).rejects.toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
  });
  expect(await containersOf(ownNode)).toEqual([]);
});
