import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { follow, found, Gate, leave, nextRun, waitForGate } from './left.ts';
import {
  coldRuntime,
  containersOf,
  docker,
  launchOf,
  newNodeId,
  openRuntime,
  taskOf,
  testImageId,
} from './tasks.ts';
import { describeDocker } from './where.ts';

const never = new AbortController().signal;
const ended = { kind: 'failed_precondition', reason: 'NOT_RUNNING' };
const nodeId = newNodeId();
let runtime: InstanceRuntime;
let imageId: string;
let gate: Gate;

beforeAll(async () => {
  imageId = await testImageId();
  runtime = await openRuntime({ nodeId });
});

beforeEach(async () => {
  gate = await Gate.make();
});

afterEach(() => gate.remove());

afterAll(async () => {
  expect(await containersOf(nodeId)).toEqual([]);
  await runtime.close();
});

/** Starts a task and pauses it after its first output. */
async function paused(command: readonly string[], graceMs = 30_000, image = imageId) {
  const task = taskOf(image, command, { ...gate, graceMs });
  const instance = await runtime.launch(launchOf(task), never);
  const io = new Collected();
  const controller = new AbortController();
  const running = instance.serve(attemptOf(task), io, controller.signal);
  await firstOutput(io, running);
  await instance.pause?.();
  return { instance, io, running, controller };
}

/** Enough for a program that looks for an open gate to find it. */
async function otherWork(): Promise<void> {
  await run(coldRuntime(runtime), taskOf(imageId, ['exit']));
}

const gated = ['sh', '-c', `echo one; ${waitForGate}; echo two`];

describeDocker('a container that is paused', () => {
  it('does nothing until it is let go on', async () => {
    const { instance, io, running } = await paused(gated);
    await gate.open();
    await otherWork();
    expect(io.of('stdout').toString()).toBe('one\n');
    await instance.unpause?.();
    expect(await running).toMatchObject({ kind: 'completed', exitCode: 0 });
    expect(io.of('stdout').toString()).toBe('one\ntwo\n');
  });

  it('may be paused and let go on again and again, and twice as well as once', async () => {
    const { instance, running } = await paused(gated);
    await instance.pause?.();
    await Promise.all([instance.unpause?.(), instance.pause?.(), instance.unpause?.(), instance.unpause?.()]);
    await gate.open();
    expect(await running).toMatchObject({ kind: 'completed' });
  });

  it('hears SIGTERM when it is stopped, and delivers what it then writes', async () => {
    const { io, running, controller } = await paused(['polite']);
    controller.abort();
    expect(await running).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(io.of('stdout').toString()).toBe('looping\nending\n');
  });

  it('hears SIGTERM also where its image asks for another signal', async () => {
    const image = { repo: 'spear-test', tag: 'stop-signal' };
    const model = await docker.createContainer({
      Image: `sha256:${imageId}`,
      StopSignal: 'SIGINT',
      Cmd: ['cat'],
    });
    await model.commit(image);
    await model.remove();
    const made = docker.getImage(`${image.repo}:${image.tag}`);
    const { Id } = await made.inspect();
    const { running, controller } = await paused(['polite'], 30_000, Id.replace('sha256:', ''));
    controller.abort();
    expect(await running).toMatchObject({ kind: 'stopped', rung: 'term' });
    await made.remove();
  });

  it('is killed where it ignores SIGTERM, or has no grace', async () => {
    for (const graceMs of [300, 0]) {
      const { running, controller } = await paused(['stubborn'], graceMs);
      controller.abort();
      expect(await running).toMatchObject({ kind: 'stopped', rung: 'kill' });
      expect(await containersOf(nodeId)).toEqual([]);
    }
  });

  it('is killed where it is stopped while it is being paused', async () => {
    const { instance, running, controller } = await paused(['stubborn'], 0);
    await instance.unpause?.();
    const pausing = instance.pause?.();
    controller.abort();
    expect(await running).toMatchObject({ kind: 'stopped', rung: 'kill' });
    await pausing;
  });

  it('ends with its runtime', async () => {
    const own = await openRuntime({ nodeId: newNodeId() });
    const task = taskOf(imageId, ['loop']);
    const instance = await own.launch(launchOf(task), never);
    const io = new Collected();
    const running = instance.serve(attemptOf(task), io, never);
    await firstOutput(io, running);
    await instance.pause?.();
    await own.close();
    expect(await running).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
  });
});

describeDocker('what cannot be paused', () => {
  it('is a container that does not serve, is being stopped or has ended', async () => {
    const task = taskOf(imageId, ['stubborn'], { graceMs: 0 });
    const instance = await runtime.launch(launchOf(task), never);
    await expect(instance.pause?.()).rejects.toMatchObject(ended);
    const io = new Collected();
    const controller = new AbortController();
    const running = instance.serve(attemptOf(task), io, controller.signal);
    await firstOutput(io, running);
    controller.abort();
    await expect(instance.pause?.()).rejects.toMatchObject({
      ...ended,
      message: expect.stringMatching(/being stopped/),
    });
    await running;
    await expect(instance.pause?.()).rejects.toMatchObject(ended);
    await expect(instance.unpause?.()).rejects.toMatchObject(ended);
  });

  it('is a container that ends before the engine is asked', async () => {
    const { instance, running } = await paused(['loop']);
    await instance.unpause?.();
    const [id = ''] = await containersOf(nodeId);
    const removed = docker.getContainer(id).remove({ force: true });
    const asked = removed.then(() => instance.pause?.());
    await expect(asked).rejects.toMatchObject(ended);
    expect(await running).toMatchObject({ kind: 'failed' });
  });
});

describeDocker('a container that was left', () => {
  const later = { position: { stdout: 4, stderr: 0 } };

  it('paused, and is to run: goes on', async () => {
    const left = await leave(taskOf(imageId, gated, gate));
    const [id = ''] = await containersOf(left.nodeId);
    await docker.getContainer(id).pause();
    await gate.open();
    const own = await nextRun(left);
    const { outcome, io } = await follow(await found(own, left, later), left);
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(io.of('stdout').toString()).toBe('two\n');
    await own.close();
  });

  it.each([true, false])(
    'to stand still: does so until it is let go on (paused before: %s)',
    async (before) => {
      const left = await leave(taskOf(imageId, gated, gate));
      const [id = ''] = await containersOf(left.nodeId);
      if (before) await docker.getContainer(id).pause();
      const own = await nextRun(left);
      const instance = await found(own, left, { ...later, paused: true });
      const following = follow(instance, left);
      await gate.open();
      expect((await docker.getContainer(id).inspect()).State.Paused).toBe(true);
      await instance.unpause?.();
      const { outcome, io } = await following;
      expect(outcome).toMatchObject({ kind: 'completed' });
      expect(io.of('stdout').toString()).toBe('two\n');
      await own.close();
    },
  );

  it('paused, and is found to be stopped: hears SIGTERM', async () => {
    const left = await leave(taskOf(imageId, ['polite']));
    const [id = ''] = await containersOf(left.nodeId);
    await docker.getContainer(id).pause();
    const own = await nextRun(left);
    const instance = await found(own, left, { paused: true });
    const io = new Collected();
    const outcome = await instance.serve(attemptOf(left.launch.task), io, AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(io.of('stdout').toString()).toBe('ending\n');
    await own.close();
  });
});
