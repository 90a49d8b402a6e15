/** Programs and images that only some nodes have: a task runs on those. */
import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { PullPolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { TestRegistry } from '../runtimes/docker/registry.ts';
import { start, untilState } from '../server/spawned.ts';
import { TestEngine } from '../support/docker-engine.ts';
import { dockerSocket, imageTar } from '../support/docker-image.ts';
import { describeWhere, dockerEngine, root } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { cancelled, clusterOn, ended, nodeOf, ownerOf } from './nodes.ts';

const long = { timeout: 60_000, interval: 50 };

/** Where nothing of what others put into that folder is seen. */
const without = (folder: string): string[] => [
  ...['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs "$0" && exec "$@"'],
  folder,
];

async function explained(node: ChildServer, executionId: string): Promise<readonly string[]> {
  const { summary, details } = await node.nodes.explainExecution({ executionId });
  return [summary, ...details];
}

describeWhere([postgres(), root()], 'programs in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('a task runs on the nodes that have its program as it was registered, and on another once it has it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-programs-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o755);
    const program = join(folder, 'program');
    await copyFile('/bin/sleep', program);
    const cluster = await clusterOn(server);
    const host = { allowHostAccess: true, slots: '1' };
    const one = await cluster.add(host);
    const two = await cluster.add(host, without(folder));
    const there = join('/proc', String(two.process.pid), 'root', program);
    await one.tasks.registerTask({
      definition: {
        ...{ name: 'sleep', runtime: RuntimeKind.PROCESS },
        artifact: { source: { case: 'path', value: program } },
      },
    });
    // Whoever is asked, and whoever gives it away.
    const first = await two.functions.invokeFunction({ task: 'sleep', args: ['0'] });
    expect(first.result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, first.executionId)).toBe('n1');
    const blocker = await start(two, { task: 'sleep', args: ['1000'] });
    await untilState(one, blocker, 'running.attempting');
    expect(await ownerOf(cluster, blocker)).toBe('n1');
    const waiting = await start(two, { task: 'sleep', args: ['0'] });
    for (const node of [one, two]) {
      await expect
        .poll(() => explained(node, waiting), long)
        .toContain(
          `the node n2 does not have the program ${program}: "${program}" does not exist on the server`,
        );
    }
    expect((await explained(two, waiting))[0]).toContain('no node that it may run on has a free slot');
    // Another one at that path is not it.
    await copyFile('/bin/true', there);
    await expect
      .poll(() => explained(one, waiting), long)
      .toContain(`the node n2 has another program at ${program}`);
    await copyFile('/bin/sleep', there);
    expect(await ended(one, waiting)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, waiting)).toBe('n2');
    // One that vanishes is found out by the attempt that misses it; those that come then run elsewhere.
    await rm(there);
    const failed = await start(two, { task: 'sleep', args: ['0'] });
    expect(await ended(two, failed)).toMatchObject({ status: ExecutionStatus.FAILED });
    const last = await start(two, { task: 'sleep', args: ['0'] });
    await expect
      .poll(() => explained(two, last), long)
      .toContainEqual(expect.stringContaining('the node n2 does not have the program'));
    await cancelled(two, blocker);
    expect(await ended(two, last)).toMatchObject({ status: ExecutionStatus.COMPLETED });
    expect(await nodeOf(cluster, last)).toBe('n1');
  });
});

describeWhere([postgres(), root(), await dockerEngine()], 'images in a cluster', () => {
  let server: PostgresServer;
  let engine: TestEngine;
  let registry: TestRegistry;
  beforeAll(async () => {
    [server, engine, registry] = await Promise.all([
      startPostgres(),
      TestEngine.start(),
      TestRegistry.open(),
    ]);
  }, 120_000);
  afterAll(async () => {
    await Promise.allSettled([server.remove(), engine.remove(), registry[Symbol.asyncDispose]()]);
  });

  async function register(node: ChildServer, name: string, image: string, pull: PullPolicy) {
    await node.tasks.registerTask({
      definition: {
        ...{ name, runtime: RuntimeKind.DOCKER, container: { pull, command: ['sleep'] } },
        artifact: { source: { case: 'image', value: image } },
      },
    });
  }

  test('an image that only one has keeps its task there, and one of a registry is fetched where those that have it are busy', async () => {
    const machine = new Docker({ socketPath: dockerSocket });
    const { imageId } = await registry.publish('spear/busy', 'v1', randomUUID());
    const reference = `${registry.reference('spear/busy')}:v1`;
    const removed = () =>
      machine
        .getImage(imageId)
        .remove({ force: true })
        .catch(() => undefined);
    onTestFinished(async () => void (await removed()));
    // The engine of the first node has no network of its own.
    await finished(machine, await machine.pull(reference));
    await finished(engine.docker, await engine.docker.loadImage(await machine.getImage(reference).get()));
    await removed();
    await finished(
      engine.docker,
      await engine.docker.importImage(Readable.from([await imageTar()]), { repo: 'spear-alone', tag: 'v1' }),
    );
    const cluster = await clusterOn(server);
    const host = { allowHostAccess: true, slots: '1' };
    const one = await cluster.add({ ...host, dockerHost: `unix://${engine.socketPath}` });
    const two = await cluster.add({ ...host, dockerHost: `unix://${dockerSocket}` });
    await register(one, 'alone', 'spear-alone:v1', PullPolicy.NEVER);
    await register(one, 'fetched', reference, PullPolicy.MISSING);
    const alone = await two.functions.invokeFunction({ task: 'alone', args: ['0'] });
    expect(alone.result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, alone.executionId)).toBe('n1');
    const blocker = await start(two, { task: 'fetched', args: ['1000'] });
    await untilState(one, blocker, 'running.attempting');
    expect(await ownerOf(cluster, blocker)).toBe('n1');
    const waiting = await start(two, { task: 'alone', args: ['0'] });
    await expect
      .poll(() => explained(two, waiting), long)
      .toContain('the node n2 does not have the image spear-alone:v1');
    const asked = registry.asked.length;
    const fetched = await start(one, { task: 'fetched', args: ['0'] });
    expect(await ended(one, fetched)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, fetched)).toBe('n2');
    expect(registry.asked.length).toBeGreaterThan(asked);
    await cancelled(two, blocker);
    expect(await ended(two, waiting)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, waiting)).toBe('n1');
  });
});

/** What an engine says of its work has to be read to its end. */
async function finished(engine: Docker, progress: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    engine.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  });
}
