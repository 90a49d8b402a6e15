/** What a node runs stands still before others may take it for dead, also while the node itself hangs. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { cleanExit, dataFolder, spawn, start, untilState } from '../server/spawned.ts';
import { describeWhere, root } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { tcpProxy } from '../support/tcp-proxy.ts';
import { overlaps, Witness } from './witness.ts';

describeWhere([postgres(), root()], 'what a node runs that cannot renew its lease', () => {
  let server: PostgresServer;
  let witness: Witness;
  beforeAll(async () => {
    server = await startPostgres();
    witness = await Witness.make();
  });
  afterAll(async () => {
    await server.remove();
    await witness.remove();
  });

  const register = (node: ChildServer, onInterrupt = InterruptPolicy.RERUN) =>
    node.tasks.registerTask({
      definition: {
        name: 'beat',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: witness.program } },
        ...{ onInterrupt, maxRecoveries: 9 },
      },
    });

  async function beating(node: ChildServer, beats: number) {
    const file = witness.file();
    const executionId = await start(node, { task: 'beat', args: [file, String(beats), '0.02'] });
    await untilState(node, executionId, 'running.attempting');
    await expect.poll(() => witness.beats(file).length, { timeout: 60_000 }).toBeGreaterThan(3);
    return { file, executionId };
  }

  /** A database that is reached through a proxy. */
  async function proxied() {
    const { url } = await server.database();
    const proxy = await tcpProxy(server.port);
    onTestFinished(() => proxy.close());
    return { proxy, store: url.replace(`:${server.port}/`, `:${proxy.port}/`) };
  }

  const stored = async (node: ChildServer, executionId: string) =>
    (await node.functions.listExecutions({})).executions.find((each) => each.executionId === executionId);

  test('has stopped when another node runs it again, and never goes on', { timeout: 180_000 }, async () => {
    const { url: store, name } = await server.database();
    const one = await spawn(await dataFolder(), { store, allowHostAccess: true, nodeName: 'one' });
    await register(one);
    const two = await spawn(await dataFolder(), { store, allowHostAccess: true, nodeName: 'two' });
    const { file, executionId } = await beating(one, 400);
    one.process.kill('SIGSTOP');
    await expect.poll(async () => (await stored(two, executionId))?.recoveries, { timeout: 90_000 }).toBe(1);
    const [fence] = await server.query(
      `SELECT extract(epoch FROM clock_timestamp() - fenced_at)::float8 AS ago FROM spear.nodes WHERE name = 'one'`,
      name,
    );
    const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
    await expect
      .poll(async () => new Set(witness.beats(file).map(({ attempt }) => attempt)).size, { timeout: 90_000 })
      .toBe(2);
    const [first] = witness.beats(file);
    const last = witness.beats(file).findLast(({ attempt }) => attempt === first?.attempt);
    // Its last sign of life is before the right to write was taken.
    expect(last?.at).toBeLessThan(up - Number(fence?.ago));
    one.process.kill('SIGCONT');
    expect(await one.exited).toEqual({ code: 1, signal: null });
    await expect
      .poll(async () => (await stored(two, executionId))?.status, { timeout: 120_000 })
      .toBe(ExecutionStatus.COMPLETED);
    expect(overlaps(witness.beats(file))).toEqual([]);
    expect(await two.end('SIGTERM')).toEqual(cleanExit);
  });

  test('goes on where the store comes back in time, and is the same attempt', {
    timeout: 180_000,
  }, async () => {
    const { proxy, store } = await proxied();
    const one = await spawn(await dataFolder(), { store, allowHostAccess: true });
    await register(one);
    const { file, executionId } = await beating(one, 400);
    proxy.swallow(true);
    await expect.poll(() => one.output.join('\n'), { timeout: 60_000 }).toContain('stands still');
    const { length } = witness.beats(file);
    proxy.swallow(false);
    await expect.poll(() => one.output.join('\n'), { timeout: 60_000 }).toContain('what runs goes on');
    await expect
      .poll(async () => (await stored(one, executionId))?.status, { timeout: 120_000 })
      .toBe(ExecutionStatus.COMPLETED);
    const beats = witness.beats(file);
    // It says when it begins and ends as well.
    expect(beats.filter(({ what }) => what === 'beat').length).toBe(400);
    expect(beats.length).toBeGreaterThan(length);
    expect(new Set(beats.map(({ attempt }) => attempt)).size).toBe(1);
    expect(await stored(one, executionId)).toMatchObject({ attempt: 1, recoveries: 0 });
  });

  test('stands still the next time as well, where it was ended once and nobody has taken over', {
    timeout: 180_000,
  }, async () => {
    const { proxy, store } = await proxied();
    const one = await spawn(await dataFolder(), { store, allowHostAccess: true, partitionGrace: '1s' });
    await register(one);
    const said = (words: string) => one.output.join('\n').split(words).length - 1;
    for (const time of [1, 2]) {
      const { file, executionId } = await beating(one, 100_000);
      proxy.swallow(true);
      await expect.poll(() => said('stands still')).toBe(time);
      await expect.poll(() => said('longer than the grace was ended')).toBe(time);
      const ended = witness.beats(file);
      proxy.swallow(false);
      await expect.poll(() => said('what runs goes on')).toBe(time);
      await expect.poll(() => new Set(witness.beats(file).map(({ attempt }) => attempt)).size).toBe(2);
      const [first] = ended;
      expect(witness.beats(file).filter(({ attempt }) => attempt === first?.attempt)).toEqual(ended);
      await one.functions.cancelExecution({ executionId });
    }
  });

  test('is lost where it was ended: run again, or not, as its task says', { timeout: 180_000 }, async () => {
    const { proxy, store } = await proxied();
    const one = await spawn(await dataFolder(), { store, allowHostAccess: true, partitionGrace: '1s' });
    await register(one);
    const again = await beating(one, 150);
    await register(one, InterruptPolicy.FAIL);
    const once = await beating(one, 100_000);
    proxy.swallow(true);
    await expect.poll(() => one.output.join('\n')).toContain('longer than the grace was ended');
    proxy.swallow(false);
    const record = (executionId: string) => stored(one, executionId);
    await expect.poll(async () => (await record(once.executionId))?.status).toBe(ExecutionStatus.FAILED);
    const { result } = await one.functions.getExecutionStatus({ executionId: once.executionId });
    expect(result).toMatchObject({
      errorCode: ErrorCode.INTERRUPTED,
      errorMessage:
        'attempt 1 was lost, and its task does not let it run again: its node was cut off from the store for longer than --partition-grace',
    });
    await expect.poll(async () => (await record(again.executionId))?.status).toBe(ExecutionStatus.COMPLETED);
    expect(await record(again.executionId)).toMatchObject({ attempt: 2, recoveries: 1 });
    expect(overlaps(witness.beats(again.file))).toEqual([]);
  });
});
