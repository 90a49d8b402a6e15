import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { TestEngine, until } from '../../support/docker-engine.ts';
import { dockerSocket, makeTestImage, testImage } from '../../support/docker-image.ts';
import { FakeClock, isSettled } from '../../support/fake-clock.ts';
import { describeWhere, dockerEngine, root } from '../../support/needs.ts';
import { attemptOf, Collected, firstOutput } from '../attempt.ts';
import { follow, found, leave, leftInstance, nextRun } from './left.ts';
import { containersOf, launchOf, newNodeId, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

const never = new AbortController().signal;
const longMs = 60_000;
let runtime: InstanceRuntime | undefined;

/** Moves the clock on in steps until `promise` has settled; the engine has real time to answer in between. */
async function advanceUntil(clock: FakeClock, promise: Promise<unknown>, stepMs: number): Promise<number> {
  const start = clock.monotonic();
  await until(longMs, async () => {
    if (await isSettled(promise)) return true;
    await clock.advance(stepMs);
    return false;
  });
  return clock.monotonic() - start;
}

afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
}, longMs);

describeDocker('an engine that is away when its container is to be found again', () => {
  let folder: string;
  let socket: string;
  let imageId: string;

  beforeAll(async () => {
    imageId = await testImageId();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spear-away-'));
    socket = join(folder, 'docker.sock');
  });

  afterEach(() => rm(folder, { recursive: true }));

  const comeBack = () => symlink(dockerSocket, socket);

  /** A container that was left, and a run of its node without an engine, whose clock stands still. */
  async function leaveAway() {
    const left = await leave(taskOf(imageId, ['polite']));
    const clock = new FakeClock();
    runtime = await nextRun(left, { host: socket, clock });
    return { left, clock, runtime };
  }

  it('is waited for', async () => {
    const { left, clock, runtime } = await leaveAway();
    const finding = found(runtime, left);
    await clock.advance(180_000);
    expect(await isSettled(finding)).toBe(false);
    await comeBack();
    await advanceUntil(clock, finding, 100);
    const instance = await finding;
    const io = new Collected();
    const outcome = await instance.serve(attemptOf(left.launch.task), io, AbortSignal.abort());
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
  });

  it('is waited for no longer than ten minutes; the container is then removed when the engine is back', async () => {
    const { left, clock, runtime } = await leaveAway();
    const finding = runtime.recover?.(leftInstance(left), never) ?? Promise.reject(new Error('no recover'));
    expect(await advanceUntil(clock, finding, 20_000)).toBeGreaterThanOrEqual(600_000);
    expect(await finding).toBeUndefined();
    expect(await containersOf(left.nodeId)).toHaveLength(1);
    await comeBack();
    await runtime.prepare(left.launch.task);
    await until(longMs, async () => (await containersOf(left.nodeId)).length === 0);
  });

  it('is not waited for where the attempt is to end', async () => {
    const { left, runtime } = await leaveAway();
    const reason = new Error('cancelled');
    await expect(runtime.recover?.(leftInstance(left), AbortSignal.abort(reason))).rejects.toBe(reason);
    await comeBack();
    await runtime.prepare(left.launch.task);
    await until(longMs, async () => (await containersOf(left.nodeId)).length === 0);
  });

  it('while the runtime is closed: the container is left to the next run', async () => {
    const { left, runtime: own } = await leaveAway();
    const finding = own.recover?.(leftInstance(left), never) ?? Promise.resolve();
    const refused = expect(finding).rejects.toMatchObject({ code: 'RUNTIME_UNAVAILABLE' });
    expect(await isSettled(finding)).toBe(false);
    await comeBack();
    await own.close();
    await refused;
    expect(await containersOf(left.nodeId)).toHaveLength(1);
    const next = await nextRun(left);
    runtime = next;
    const instance = await found(next, left);
    expect(await instance.discard()).toBe(true);
  });
});

describeWhere([await dockerEngine(), root()], 'an engine that fails beside its node', () => {
  let engine: TestEngine;
  let imageId: string;

  beforeAll(async () => {
    engine = await TestEngine.start();
    await makeTestImage(engine.socketPath);
    imageId = (await engine.docker.getImage(testImage).inspect()).Id.replace('sha256:', '');
  }, longMs);

  afterAll(() => engine.remove(), longMs);

  it(
    'and comes back: what its container wrote is handed over, and the container is gone',
    async () => {
      const host = engine.socketPath;
      const nodeId = newNodeId();
      const first = await openRuntime({ nodeId, host });
      const launch = launchOf(taskOf(imageId, ['loop']));
      const instance = await first.launch(launch, never);
      const io = new Collected();
      await firstOutput(io, instance.serve(attemptOf(launch.task), io, never));
      instance.release?.();
      await first.close();
      await engine.kill();
      await engine.start();
      const left = { nodeId, launch, io };
      runtime = await nextRun(left, { host });
      const again = await found(runtime, left, { position: { stdout: 0, stderr: 0 } });
      const followed = await follow(again, left);
      // An engine that starts ends what an earlier run of it left.
      expect(followed.outcome).toMatchObject({ kind: 'failed', code: 'SIGNALED' });
      expect(followed.io.of('stdout').toString()).toBe('looping\n');
      expect(await containersOf(nodeId, engine.docker)).toEqual([]);
    },
    longMs,
  );

  it(
    'and hangs for a minute while its container is to be found again: that is followed as if nothing were',
    async () => {
      const host = engine.socketPath;
      const nodeId = newNodeId();
      const first = await openRuntime({ nodeId, host });
      const launch = launchOf(taskOf(imageId, ['polite']));
      const instance = await first.launch(launch, never);
      const io = new Collected();
      await firstOutput(io, instance.serve(attemptOf(launch.task), io, never));
      instance.release?.();
      await first.close();
      const clock = new FakeClock();
      const left = { nodeId, launch, io };
      const own = await nextRun(left, { host, clock });
      runtime = own;
      engine.freeze();
      try {
        const finding = found(own, left);
        await clock.advance(60_000);
        expect(await isSettled(finding)).toBe(false);
        engine.thaw();
        await advanceUntil(clock, finding, 100);
        const again = await finding;
        const outcome = await again.serve(attemptOf(launch.task), new Collected(), AbortSignal.abort());
        expect(outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
        expect(await containersOf(nodeId, engine.docker)).toEqual([]);
      } finally {
        engine.thaw();
      }
    },
    longMs,
  );

  it(
    'and is silent does not pause, and says so',
    async () => {
      const clock = new FakeClock();
      const nodeId = newNodeId();
      runtime = await openRuntime({ nodeId, host: engine.socketPath, clock });
      const launch = launchOf(taskOf(imageId, ['loop']));
      const instance = await runtime.launch(launch, never);
      const io = new Collected();
      const running = instance.serve(attemptOf(launch.task), io, never);
      await firstOutput(io, running);
      engine.freeze();
      const refused = expect(instance.pause?.()).rejects.toMatchObject({
        kind: 'unavailable',
        reason: 'RUNTIME_UNAVAILABLE',
        message: expect.stringMatching(/did not answer within/),
      });
      await clock.advance(10_000);
      await refused;
      engine.thaw();
    },
    longMs,
  );
});
