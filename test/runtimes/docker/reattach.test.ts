import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { InstanceRuntime } from '../../../src/runtimes/runtime.ts';
import { until } from '../../support/docker-engine.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { attemptOf, Collected, firstOutput } from '../attempt.ts';
import { follow, found, Gate, type Left, leave, leftInstance, nextRun, waitForGate } from './left.ts';
import { containersOf, docker, launchOf, newNodeId, openRuntime, taskOf, testImageId } from './tasks.ts';
import { describeDocker } from './where.ts';

const never = new AbortController().signal;
const longMs = 60_000;
const MiB = 1024 * 1024;
let imageId: string;
let gate: Gate;
let runtime: InstanceRuntime | undefined;

beforeAll(async () => {
  imageId = await testImageId();
});

beforeEach(async () => {
  gate = await Gate.make();
});

afterEach(async () => {
  await runtime?.close();
  runtime = undefined;
  await gate.remove();
});

const shell = (...lines: string[]) => taskOf(imageId, ['sh', '-c', lines.join('\n')], gate);

async function open(left: Left): Promise<InstanceRuntime> {
  runtime = await nextRun(left);
  return runtime;
}

async function isEnded(nodeId: string): Promise<void> {
  const [id = ''] = await containersOf(nodeId);
  await docker.getContainer(id).wait();
}

describeDocker('a container that another run of the node left', () => {
  const stdoutPart = 400_003;
  const stderrPart = 150_001;
  const parts = 6;
  const input = randomBytes(3 * MiB);

  /** Writes parts of its input to both streams in turn, the first of them before the gate is open. */
  const interleaving = () =>
    shell(
      'cat > /tmp/in',
      'part() {',
      `  tail -c +$(($1 * ${stdoutPart} + 1)) /tmp/in | head -c ${stdoutPart}`,
      `  tail -c +$(($1 * ${stderrPart} + 1)) /tmp/in | head -c ${stderrPart} >&2`,
      '}',
      'part 0',
      waitForGate,
      'for n in 1 2 3 4 5; do part $n; done',
      'exit 5',
    );
  const expected = {
    stdout: input.subarray(0, parts * stdoutPart),
    stderr: input.subarray(0, parts * stderrPart),
  };
  const firstPart = (io: Collected) => until(longMs, async () => io.bytes === stdoutPart + stderrPart);

  it.each([
    ['all that it had', {}],
    ['less', { position: { stdout: 123_457, stderr: 7 } }],
    ['nothing', { position: { stdout: 0, stderr: 0 } }],
  ])(
    'and that runs on: hands over what comes after %s, byte for byte, and its exit code',
    async (_what, more) => {
      const left = await leave(interleaving(), input, firstPart);
      const instance = await found(await open(left), left, more);
      const following = follow(instance, left);
      await gate.open();
      const { outcome, io } = await following;
      expect(outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 5 });
      const { stdout, stderr } = leftInstance(left, more).position;
      expect(io.of('stdout').equals(expected.stdout.subarray(stdout))).toBe(true);
      expect(io.of('stderr').equals(expected.stderr.subarray(stderr))).toBe(true);
      expect(io.deliveries).toBe(0);
      await instance.gone;
      expect(await containersOf(left.nodeId)).toEqual([]);
    },
    longMs,
  );

  it(
    'and that ended meanwhile: hands over the rest and its exit code, however slowly that is taken',
    async () => {
      const left = await leave(interleaving(), input, firstPart);
      await gate.open();
      await isEnded(left.nodeId);
      const instance = await found(await open(left), left);
      const io = new Collected(() => new Promise((resolve) => setImmediate(resolve)));
      const outcome = await instance.serve(attemptOf(left.launch.task), io, never);
      expect(outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 5 });
      expect(io.of('stdout').equals(expected.stdout.subarray(stdoutPart))).toBe(true);
      expect(io.of('stderr').equals(expected.stderr.subarray(stderrPart))).toBe(true);
    },
    longMs,
  );

  it('is left again and found again as often as need be', async () => {
    const left = await leave(shell('echo one', waitForGate, 'echo two'));
    for (let round = 0; round < 3; round += 1) {
      const own = await open(left);
      const instance = await found(own, left, { position: { stdout: 0, stderr: 0 } });
      const io = new Collected();
      await firstOutput(io, instance.serve(attemptOf(left.launch.task), io, never));
      instance.release?.();
      await own.close();
      expect(io.of('stdout').toString()).toBe('one\n');
    }
    await gate.open();
    const { outcome, io } = await follow(await found(await open(left), left), left);
    expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
    expect(io.of('stdout').toString()).toBe('two\n');
  });

  it('and that is gone is not found', async () => {
    const left = await leave(shell('echo one', waitForGate));
    const [id = ''] = await containersOf(left.nodeId);
    await docker.getContainer(id).remove({ force: true });
    const own = await open(left);
    expect(await own.recover?.(leftInstance(left), never)).toBeUndefined();
  });

  it('and that never started is not found, and removed', async () => {
    const nodeId = newNodeId();
    const launch = launchOf(shell('echo one'));
    await docker.createContainer({
      name: `spear-${launch.instanceId.toLowerCase()}`,
      Image: `sha256:${imageId}`,
      Cmd: ['cat'],
      Labels: { 'spear.node': nodeId, 'spear.instance': launch.instanceId },
    });
    const left = { nodeId, launch, io: new Collected() };
    const own = await open(left);
    expect(await containersOf(nodeId)).toHaveLength(1);
    expect(await own.recover?.(leftInstance(left), never)).toBeUndefined();
    expect(await containersOf(nodeId)).toEqual([]);
  });

  it('is not swept while it is looked for, though nothing more is asked for', async () => {
    const left = await leave(shell('echo here', waitForGate));
    const own = await open(left);
    const finding = own.recover?.(leftInstance(left), never);
    own.endRecovery?.();
    await finding;
    expect(await containersOf(left.nodeId)).toHaveLength(1);
    expect(await (await finding)?.discard()).toBe(true);
  });

  it('is spared by the sweeps and by the end of a run that was told so, and no other is', async () => {
    const nodeId = newNodeId();
    const first = await openRuntime({ nodeId });
    const [spared, other] = [launchOf(shell('cat')), launchOf(shell('cat'))];
    const instances = await Promise.all([spared, other].map((launch) => first.launch(launch, never)));
    for (const instance of instances) instance.release?.();
    await first.close();
    expect(await containersOf(nodeId)).toHaveLength(2);
    const second = await openRuntime({ nodeId, spare: new Set([spared.instanceId]), reconcileMs: 10 });
    const left = await containersOf(nodeId);
    const { Config } = await docker.getContainer(left[0] ?? '').inspect();
    expect([left.length, Config.Labels['spear.instance']]).toEqual([1, spared.instanceId]);
    await second.close();
    expect(await containersOf(nodeId)).toEqual(left);
    const third = await openRuntime({ nodeId, spare: new Set([spared.instanceId]) });
    expect(await containersOf(nodeId)).toEqual(left);
    // Nobody has asked for it, and nobody will.
    third.endRecovery?.();
    await third.close();
    expect(await containersOf(nodeId)).toEqual([]);
  });
});

describeDocker('a container that was found again', () => {
  it.each([
    ['while it runs', (controller: AbortController) => void controller.abort(), []],
    ['before it is followed', () => undefined, [new Error('the node was stopping it')]],
  ])('is stopped %s as any other, and what it then writes is delivered', async (_when, abort, before) => {
    const left = await leave(taskOf(imageId, ['polite']));
    const instance = await found(await open(left), left, { position: { stdout: 0, stderr: 0 } });
    const controller = new AbortController();
    for (const reason of before) controller.abort(reason);
    const io = new Collected();
    const running = instance.serve(attemptOf(left.launch.task), io, controller.signal);
    await firstOutput(io, running);
    abort(controller);
    expect(await running).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(io.of('stdout').toString()).toBe('looping\nending\n');
    expect(await containersOf(left.nodeId)).toEqual([]);
  });

  it('is ended with its runtime', async () => {
    const left = await leave(taskOf(imageId, ['stubborn']));
    const own = await open(left);
    const following = follow(await found(own, left), left);
    await own.close();
    expect((await following).outcome).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
    expect(await containersOf(left.nodeId)).toEqual([]);
  });

  it('has used the processor time that it used before, which is looked at without waiting for more', async () => {
    const loops = ['sh', '-c', 'echo looping; loop & loop & loop & loop & wait'];
    const limits = { cpuTimeMs: 600, maxOutputBytes: MiB, maxOutputEvents: 1000 };
    const left = await leave(taskOf(imageId, loops, { limits }));
    const [id = ''] = await containersOf(left.nodeId);
    await until(longMs, async () => {
      const { cpu_stats: cpu } = await docker.getContainer(id).stats({ stream: false, 'one-shot': true });
      return cpu.cpu_usage.total_usage >= 600e6;
    });
    const clock = new FakeClock();
    runtime = await nextRun(left, { clock });
    const following = follow(await found(runtime, left), left);
    await clock.advance(20);
    expect((await following).outcome).toMatchObject({ kind: 'failed', code: 'CPU_LIMIT' });
  });

  it('tells that it ran out of memory while nobody followed it', async () => {
    const task = shell('echo one', waitForGate, 'eat');
    const limits = { ...task.limits, memory: 16 * MiB };
    const left = await leave({ ...task, limits });
    await gate.open();
    await isEnded(left.nodeId);
    const { outcome } = await follow(await found(await open(left), left), left);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'MEMORY_LIMIT' });
  });

  it('tells that its program could not be started, also where its words were delivered before', async () => {
    const nodeId = newNodeId();
    const launch = launchOf(taskOf(imageId, ['nosuch']));
    const first = await openRuntime({ nodeId });
    const instance = await first.launch(launch, never);
    await isEnded(nodeId);
    instance.release?.();
    await first.close();
    const left = { nodeId, launch, io: new Collected() };
    const words =
      (await docker.getContainer((await containersOf(nodeId))[0] ?? '').logs({ stderr: true })).length - 8;
    const again = await found(await open(left), left, { position: { stdout: 0, stderr: words } });
    const { outcome, io } = await follow(again, left);
    expect(outcome).toMatchObject({
      code: 'START_FAILED',
      message: expect.stringMatching(/exec nosuch failed/),
    });
    expect(io.bytes).toBe(0);
  });

  it('is lost where its log may have dropped output, and nothing is left of it', async () => {
    const task = shell('echo one', waitForGate, 'yes "" | head -n 50000');
    const limits = { ...task.limits, maxOutputBytes: 60_000 };
    const left = await leave({ ...task, limits });
    await gate.open();
    await isEnded(left.nodeId);
    const { outcome } = await follow(await found(await open(left), left), left);
    expect(outcome).toMatchObject({
      code: 'INSTANCE_LOST',
      unfollowed: true,
      message: expect.stringMatching(/log is full/),
    });
    expect(await containersOf(left.nodeId)).toEqual([]);
  });

  it('is lost where its log has less than was delivered', async () => {
    const left = await leave(shell('echo one', waitForGate));
    const instance = await found(await open(left), left, { position: { stdout: 100, stderr: 0 } });
    await gate.open();
    const { outcome } = await follow(instance, left);
    expect(outcome).toMatchObject({
      code: 'INSTANCE_LOST',
      unfollowed: true,
      message: expect.stringMatching(/log has less/),
    });
  });
});
