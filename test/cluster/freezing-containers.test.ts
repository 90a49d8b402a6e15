/** A container stands still before others may take its node for dead, and is let go of or removed afterwards. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { labels } from '../../src/runtimes/docker/launch/container-spec.ts';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { nodeIdFile } from '../../src/stores/node-id.ts';
import { dataFolder, spawn, start, untilState } from '../server/spawned.ts';
import { dockerSocket, makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { beatScript, overlaps, Witness } from './witness.ts';

const long = { timeout: 120_000 };
const flags = { allowHostAccess: true, dockerHost: `unix://${dockerSocket}` };

describeWhere([postgres(), await dockerEngine()], 'containers of a node that cannot renew its lease', () => {
  const docker = new Docker({ socketPath: dockerSocket });
  let server: PostgresServer;
  let witness: Witness;
  beforeAll(async () => {
    await makeTestImage();
    server = await startPostgres();
    witness = await Witness.make();
  });
  afterAll(async () => {
    await server.remove();
    await witness.remove();
  });

  const register = (node: ChildServer, onInterrupt: InterruptPolicy) =>
    node.tasks.registerTask({
      definition: {
        ...{ name: 'box', runtime: RuntimeKind.DOCKER, onInterrupt },
        artifact: { source: { case: 'image', value: testImage } },
        container: { command: ['sh', '-c', beatScript, 'beat'] },
        preopens: { '/witness': witness.folder },
      },
    });

  async function beating(node: ChildServer, beats: number) {
    const file = witness.file();
    const executionId = await start(node, {
      task: 'box',
      args: [witness.inside(file), String(beats), '0.05'],
    });
    await untilState(node, executionId, 'running.attempting');
    await expect.poll(() => witness.beats(file).length, long).toBeGreaterThan(3);
    return { file, executionId };
  }

  /** Two nodes of a cluster of their own, and how a node is started. */
  async function pair(more: ConfigFlags = {}) {
    const { url: store } = await server.database();
    const begin = async (nodeName: string, dataDir: string) => ({
      ...{ nodeName, dataDir },
      server: await spawn(dataDir, { ...flags, ...more, store, nodeName }),
    });
    const nodes = [await begin('one', await dataFolder()), await begin('two', await dataFolder())];
    /** The one that has an execution, and the other one. */
    async function whoHas(executionId: string) {
      const [asked] = nodes;
      const { node } = (await asked?.server.functions.getExecutionStatus({ executionId })) ?? {};
      const holder = nodes.find(({ nodeName }) => nodeName === node);
      const other = nodes.find((each) => each !== holder);
      if (holder === undefined || other === undefined) throw new Error(`no node is called ${node}`);
      return { holder, other: other.server };
    }
    return { begin, whoHas, asked: nodes[0]?.server as ChildServer };
  }

  /** The states of the containers of a node, such as `running` and `paused`; none is left behind when a test ends. */
  function containersOf(dataDir: string): () => Promise<string[]> {
    const nodeId = readFileSync(join(dataDir, nodeIdFile), 'utf8').trim();
    const list = () => docker.listContainers({ all: true, filters: { label: [`${labels.node}=${nodeId}`] } });
    onTestFinished(async () => {
      for (const { Id } of await list())
        await docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => {});
    });
    return async () => (await list()).map(({ State }) => State);
  }

  const attemptsIn = (file: string) => new Set(witness.beats(file).map(({ attempt }) => attempt)).size;
  const record = async (node: ChildServer, executionId: string) =>
    (await node.functions.getExecutionStatus({ executionId })).result;

  test('are paused while it hangs and others run them again, and are gone when it comes back', {
    timeout: 300_000,
  }, async () => {
    const { whoHas, asked } = await pair();
    await register(asked, InterruptPolicy.RERUN);
    const { file, executionId } = await beating(asked, 200);
    const { holder, other } = await whoHas(executionId);
    const containers = containersOf(holder.dataDir);
    expect(await containers()).toEqual(['running']);
    holder.server.process.kill('SIGSTOP');
    await expect.poll(containers, long).toEqual(['paused']);
    await expect.poll(async () => (await record(other, executionId))?.recoveries, long).toBe(1);
    await expect.poll(() => attemptsIn(file), long).toBe(2);
    expect(await containers()).toEqual(['paused']);
    holder.server.process.kill('SIGCONT');
    expect(await holder.server.exited).toEqual({ code: 1, signal: null });
    await expect.poll(containers, long).toEqual([]);
    await expect
      .poll(async () => (await record(other, executionId))?.status, long)
      .toBe(ExecutionStatus.COMPLETED);
    expect(overlaps(witness.beats(file))).toEqual([]);
  });

  test('go on as the same attempt where the store comes back in time', { timeout: 300_000 }, async () => {
    const { url } = await server.database();
    const proxy = await tcpProxy(server.port);
    onTestFinished(() => proxy.close());
    const store = url.replace(`:${server.port}/`, `:${proxy.port}/`);
    const dataDir = await dataFolder();
    const one = await spawn(dataDir, { ...flags, store });
    await register(one, InterruptPolicy.RERUN);
    const containers = containersOf(dataDir);
    const { file, executionId } = await beating(one, 200);
    proxy.swallow(true);
    await expect.poll(containers, long).toEqual(['paused']);
    proxy.swallow(false);
    await expect
      .poll(async () => (await record(one, executionId))?.status, long)
      .toBe(ExecutionStatus.COMPLETED);
    expect(attemptsIn(file)).toBe(1);
    expect(witness.beats(file).filter(({ what }) => what === 'beat').length).toBe(200);
    expect(await record(one, executionId)).toMatchObject({ attempt: 1, recoveries: 0 });
  });

  test('are lost where they were ended: run again, or not, as their task says', {
    timeout: 300_000,
  }, async () => {
    const { url } = await server.database();
    const proxy = await tcpProxy(server.port);
    onTestFinished(() => proxy.close());
    const store = url.replace(`:${server.port}/`, `:${proxy.port}/`);
    const dataDir = await dataFolder();
    const one = await spawn(dataDir, { ...flags, store, partitionGrace: '1s' });
    await register(one, InterruptPolicy.REATTACH_OR_RERUN);
    const containers = containersOf(dataDir);
    const again = await beating(one, 100);
    await register(one, InterruptPolicy.REATTACH_OR_FAIL);
    const once = await beating(one, 100_000);
    proxy.swallow(true);
    await expect.poll(() => one.output.join('\n'), long).toContain('longer than the grace was ended');
    await expect.poll(containers, long).toEqual([]);
    proxy.swallow(false);
    await expect
      .poll(async () => (await record(one, once.executionId))?.errorCode, long)
      .toBe(ErrorCode.INTERRUPTED);
    await expect
      .poll(async () => (await record(one, again.executionId))?.status, long)
      .toBe(ExecutionStatus.COMPLETED);
    expect(await record(one, again.executionId)).toMatchObject({ attempt: 2, recoveries: 1 });
    expect(overlaps(witness.beats(again.file))).toEqual([]);
  });

  test('of a node that is killed are paused until it starts again, and then go on as the same attempt', {
    timeout: 300_000,
  }, async () => {
    const { begin, whoHas, asked } = await pair({ reattachWithin: '120s' });
    await register(asked, InterruptPolicy.REATTACH_OR_RERUN);
    const { file, executionId } = await beating(asked, 200);
    const { holder, other } = await whoHas(executionId);
    const containers = containersOf(holder.dataDir);
    await holder.server.end('SIGKILL');
    await expect.poll(containers, long).toEqual(['paused']);
    await begin(holder.nodeName, holder.dataDir);
    await expect
      .poll(async () => (await record(other, executionId))?.status, long)
      .toBe(ExecutionStatus.COMPLETED);
    expect(attemptsIn(file)).toBe(1);
    expect(await record(other, executionId)).toMatchObject({ attempt: 1 });
    await expect.poll(containers, long).toEqual([]);
  });
});
