import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { InstanceRuntime, LaunchError } from '../../../src/runtimes/runtime.ts';
import { TestEngine, until } from '../../support/docker-engine.ts';
import { makeTestImage, testImage } from '../../support/docker-image.ts';
import { describeWhere, dockerEngine, root } from '../../support/needs.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { coldRuntime, containersOf, launchOf, newNodeId, openRuntime, taskOf } from './tasks.ts';
import { describeDocker } from './where.ts';

const never = new AbortController().signal;
const longMs = 60_000;

/** Log lines of a runtime. */
class Lines {
  readonly lines: string[] = [];
  readonly info = (_details: object, message: string) => void this.lines.push(message);
  readonly warn = (_details: object, message: string) => void this.lines.push(message);
}

describeWhere([await dockerEngine(), root()], 'an engine that goes away', () => {
  let engine: TestEngine;
  let loop: TaskDefinition;
  let exit: TaskDefinition;
  let runtime: InstanceRuntime | undefined;

  beforeAll(async () => {
    engine = await TestEngine.start();
    await makeTestImage(engine.socketPath);
    const imageId = (await engine.docker.getImage(testImage).inspect()).Id.replace('sha256:', '');
    loop = taskOf(imageId, ['loop']);
    exit = taskOf(imageId, ['exit']);
  }, longMs);

  afterEach(async () => {
    await runtime?.close();
  }, longMs);

  afterAll(() => engine.remove(), longMs);

  async function begin(nodeId: string, logger = new Lines()) {
    runtime = await openRuntime({ host: engine.socketPath, nodeId, logger });
    const io = new Collected();
    const instance = await runtime.launch(launchOf(loop), never);
    const running = instance.serve(attemptOf(loop), io, never);
    await firstOutput(io, running);
    return { runtime, instance, running };
  }

  it(
    'and stays away: the attempt is lost and its container remains until the engine is back',
    async () => {
      const nodeId = newNodeId();
      const logger = new Lines();
      const { runtime, instance, running } = await begin(nodeId, logger);
      await engine.kill();
      expect(await running).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST', remains: true });
      await expect(runtime.launch(launchOf(exit), never)).rejects.toMatchObject({
        code: 'RUNTIME_UNAVAILABLE',
      });
      await expect(runtime.prepare(exit)).rejects.toMatchObject({
        kind: 'unavailable',
        reason: 'RUNTIME_UNAVAILABLE',
        message: expect.stringMatching(/ECONNREFUSED.*start Docker.*--docker-host/),
      });
      await engine.start();
      // Nobody tells it: the next one who needs the engine finds it.
      const { outcome } = await run(coldRuntime(runtime), exit);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 7 });
      await instance.gone;
      expect(await containersOf(nodeId, engine.docker)).toEqual([]);
      expect(logger.lines.filter((line) => line.includes('available'))).toEqual([
        'the docker runtime is unavailable',
        'the docker runtime is available again',
      ]);
    },
    longMs,
  );

  it(
    'and comes back at once: the attempt is lost, and nothing is left of it',
    async () => {
      const nodeId = newNodeId();
      const { running, instance } = await begin(nodeId);
      await engine.kill();
      await engine.start();
      const outcome = await running;
      expect(outcome).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
      expect(outcome.remains).toBeUndefined();
      await instance.gone;
      expect(await containersOf(nodeId, engine.docker)).toEqual([]);
    },
    longMs,
  );

  it(
    'with its node: the next run of the node removes what is left, also what never started',
    async () => {
      const nodeId = newNodeId();
      await engine.docker.createContainer({
        Image: testImage,
        Cmd: ['cat'],
        Labels: { 'spear.node': nodeId, 'spear.instance': 'inst_created' },
      });
      const started = await engine.docker.createContainer({
        Image: testImage,
        Cmd: ['loop'],
        HostConfig: { NetworkMode: 'none', Init: true },
        Labels: { 'spear.node': nodeId, 'spear.instance': 'inst_started' },
      });
      const ofAnother = newNodeId();
      const other = await engine.docker.createContainer({
        Image: testImage,
        Cmd: ['cat'],
        Labels: { 'spear.node': ofAnother },
      });
      await started.start();
      await engine.kill();
      runtime = await openRuntime({ host: engine.socketPath, nodeId, reconcileMs: 20 });
      await engine.start();
      await until(longMs, async () => (await containersOf(nodeId, engine.docker)).length === 0);
      expect(await containersOf(ofAnother, engine.docker)).toEqual([other.id]);
      await other.remove({ force: true });
    },
    longMs,
  );

  it(
    'spoils an instance that waits for its use, and its end is not confirmed',
    async () => {
      const nodeId = newNodeId();
      runtime = await openRuntime({ host: engine.socketPath, nodeId });
      const instance = await runtime.launch(
        launchOf({ ...loop, container: { ...container(loop), command: ['cat'] } }),
        never,
      );
      await engine.kill();
      expect(await instance.spoiled).toMatch('the engine went away');
      expect(await instance.discard()).toBe(false);
      await engine.start();
      await runtime.prepare(exit);
      await instance.gone;
      expect(await containersOf(nodeId, engine.docker)).toEqual([]);
    },
    longMs,
  );

  it(
    'leaves an attempt that is stopped meanwhile its end, also where it only falls silent',
    async () => {
      const nodeId = newNodeId();
      runtime = await openRuntime({ host: engine.socketPath, nodeId });
      const io = new Collected();
      const controller = new AbortController();
      const task = { ...loop, graceMs: 100 };
      const running = coldRuntime(runtime).run(attemptOf(task), io, controller.signal);
      await firstOutput(io, running);
      engine.freeze();
      controller.abort();
      expect(await running).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST', remains: true });
      engine.thaw();
      await runtime.prepare(exit);
      await until(longMs, async () => (await containersOf(nodeId, engine.docker)).length === 0);
    },
    longMs,
  );
});

describeDocker('an engine that is not there', () => {
  it('is said once, and is refused with what to do about it', async () => {
    const logger = new Lines();
    const runtime = await openRuntime({ host: '/nowhere/docker.sock', logger });
    expect(runtime.kind).toBe('docker');
    const task = taskOf('0'.repeat(64), ['cat']);
    await expect(runtime.prepare(task)).rejects.toMatchObject({
      name: 'RequestError',
      kind: 'unavailable',
      reason: 'RUNTIME_UNAVAILABLE',
      message: expect.stringMatching(/ENOENT.*start Docker.*--docker-host/),
    });
    const { artifact: _artifact, ...rest } = task;
    const draft = { ...rest, source: { kind: 'image', image: testImage } as const, sha256: '' };
    const fetching = { progress: () => undefined, signal: never };
    await expect(runtime.resolve(draft, fetching)).rejects.toMatchObject({ kind: 'unavailable' });
    const launch: Promise<unknown> = runtime.launch(launchOf(task), never);
    await expect(launch).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
    } satisfies Partial<LaunchError>);
    await runtime.close();
    expect(logger.lines).toEqual(['the docker runtime is unavailable']);
  });

  it('has an address that is none', async () => {
    const runtime = await openRuntime({ host: 'docker' });
    await expect(runtime.prepare(taskOf('0'.repeat(64), ['cat']))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('"docker" is no engine address'),
    });
    await runtime.close();
  });
});

function container(task: TaskDefinition) {
  if (task.container === undefined) throw new Error('no container');
  return task.container;
}
