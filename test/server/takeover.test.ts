/** Several real nodes on one real PostgreSQL: who dies, hangs or is stopped has its executions taken over. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import {
  ErrorCode,
  type ExecutionResult,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { cleanExit, dataFolder, spawn, start, untilState } from './spawned.ts';

describeWhere([postgres()], 'several nodes on PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  async function pair(): Promise<{
    readonly one: ChildServer;
    readonly two: ChildServer;
    readonly name: string;
  }> {
    const { url: store, name } = await server.database();
    const one = await spawn(await dataFolder(), { store, slots: '4', nodeName: 'one' });
    await one.register('ticker', 'ticker/ticker.wasm');
    await one.register('once', 'ticker/ticker.wasm', { onInterrupt: InterruptPolicy.FAIL });
    const two = await spawn(await dataFolder(), { store, slots: '4', nodeName: 'two' });
    return { one, two, name };
  }

  /** As the store has it, whoever runs it. */
  async function stored(node: ChildServer, executionId: string): Promise<ExecutionResult | undefined> {
    const { executions } = await node.functions.listExecutions({ pageSize: 1000 });
    return executions.find((each) => each.executionId === executionId);
  }

  /** All of its log, once it has ended. */
  async function ended(node: ChildServer, executionId: string): Promise<StreamExecutionResult[]> {
    const isOver = async () => (await stored(node, executionId))?.status ?? ExecutionStatus.PENDING;
    await expect.poll(isOver, { timeout: 120_000 }).toBeGreaterThan(ExecutionStatus.RUNNING);
    return collect(node.functions.watchExecution({ executionId, fromSequence: 1n }));
  }

  test('a second node is let in, and each runs what it has accepted', async () => {
    const { one, two } = await pair();
    const running = await start(one, { task: 'ticker', args: ['100000', '20'] });
    await untilState(one, running, 'running.attempting');
    expect(await two.functions.invokeFunction({ task: 'ticker', args: ['1'] })).toMatchObject({
      success: true,
    });
    expect(await stored(two, running)).toMatchObject({
      status: ExecutionStatus.RUNNING,
      attempt: 1,
      recoveries: 0,
    });
    expect(await two.end('SIGTERM')).toEqual(cleanExit);
    await one.functions.cancelExecution({ executionId: running });
    expectWholeLog(await ended(one, running));
  });

  test('who watches one node hears of what the others do', { timeout: 60_000 }, async () => {
    const { one, two } = await pair();
    const told = new Set<string>();
    const ending = new AbortController();
    const watching = (async () => {
      for await (const { executions } of one.nodes.watchNode({}, { signal: ending.signal })) {
        for (const { executionId, status } of executions) {
          if (status === ExecutionStatus.COMPLETED) told.add(executionId);
        }
      }
    })().catch(() => {});
    // Its first look at the others is from then on.
    await expect
      .poll(
        async () => {
          const { executionId } = await two.functions.invokeFunction({ task: 'ticker', args: ['1'] });
          return [...told].some((id) => id <= executionId);
        },
        { timeout: 45_000 },
      )
      .toBe(true);
    ending.abort();
    await watching;
  });

  test('who is killed in the middle of work has it taken over, each once', { timeout: 180_000 }, async () => {
    const { one, two } = await pair();
    const rerun = await start(one, { task: 'ticker', args: ['30', '100'] });
    const once = await start(one, { task: 'once', args: ['100000', '20'] });
    await untilState(one, rerun, 'running.attempting');
    await untilState(one, once, 'running.attempting');
    const more = await Promise.all(
      Array.from({ length: 12 }, () => start(one, { task: 'ticker', args: ['3', '20'] })),
    );
    const later = await start(one, { task: 'ticker', args: ['1'], startAfter: { seconds: 3n } });
    await one.end('SIGKILL');
    expect(expectWholeLog(await ended(two, rerun))).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      attempt: 2,
      recoveries: 1,
    });
    expect(expectWholeLog(await ended(two, once))).toMatchObject({
      errorCode: ErrorCode.INTERRUPTED,
      attempt: 1,
    });
    for (const executionId of [...more, later]) {
      expect(expectWholeLog(await ended(two, executionId))).toMatchObject({
        status: ExecutionStatus.COMPLETED,
      });
    }
  });

  test('who hangs has its work taken over, and ends when it goes on', { timeout: 180_000 }, async () => {
    const { one, two } = await pair();
    const running = await start(one, { task: 'ticker', args: ['30', '100'] });
    await untilState(one, running, 'running.attempting');
    one.process.kill('SIGSTOP');
    await expect.poll(async () => (await stored(two, running))?.recoveries, { timeout: 60_000 }).toBe(1);
    one.process.kill('SIGCONT');
    expect(await one.exited).toEqual({ code: 1, signal: null });
    expect(one.output.join('\n')).toContain('other nodes have taken over what this one had');
    expect(expectWholeLog(await ended(two, running))).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      attempt: 2,
    });
  });

  test('who is told to stop hands over what it has, which counts as no failure', {
    timeout: 180_000,
  }, async () => {
    const { one, two } = await pair();
    const running = await start(one, { task: 'ticker', args: ['30', '100'] });
    await untilState(one, running, 'running.attempting');
    const stopped = one.end('SIGTERM');
    // The second hurries.
    await expect.poll(() => one.output.join('\n')).toContain('draining');
    one.process.kill('SIGTERM');
    expect(await stopped).toEqual(cleanExit);
    expect(expectWholeLog(await ended(two, running))).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      attempt: 2,
      recoveries: 0,
    });
  });

  test('who is told to stop gives away at once what waits, and its readers go on with that', {
    timeout: 180_000,
  }, async () => {
    const { url: store } = await server.database();
    const one = await spawn(await dataFolder(), { store, slots: '4', nodeName: 'one', drainMs: '600000' });
    await one.register('ticker', 'ticker/ticker.wasm');
    const two = await spawn(await dataFolder(), { store, slots: '4', nodeName: 'two' });
    const running = await start(one, { task: 'ticker', args: ['1000000', '20'] });
    await untilState(one, running, 'running.attempting');
    const held = await start(one, { task: 'ticker', args: ['1'], startAfter: { seconds: 1000n } });
    const waiting = await start(one, { task: 'ticker', args: ['1'], startAfter: { seconds: 5n } });
    const events = collect(one.functions.watchExecution({ executionId: waiting, fromSequence: 1n }));
    const stopped = one.end('SIGTERM');
    // The one that stops starts nothing any more: it was the other one that ran it.
    expect(expectWholeLog(await events)).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      attempt: 1,
      recoveries: 0,
    });
    expect(await two.functions.cancelExecution({ executionId: held })).toMatchObject({ changed: true });
    // What ran did so until it was told otherwise.
    expect(await stored(one, running)).toMatchObject({ status: ExecutionStatus.RUNNING, attempt: 1 });
    await one.functions.cancelExecution({ executionId: running });
    expect(await stopped).toEqual(cleanExit);
  });

  test('who is told to stop at once lets others have what rests before what runs has been ended', {
    timeout: 180_000,
  }, async () => {
    const { url: store, name } = await server.database();
    const one = await spawn(await dataFolder(), { store, slots: '4', nodeName: 'one', drainMs: '0' });
    await one.register('ticker', 'ticker/ticker.wasm');
    const two = await spawn(await dataFolder(), { store, slots: '4', nodeName: 'two' });
    const cluster = one.connection.service(ClusterService);
    // It has renewed its lease since the other came.
    await expect.poll(async () => (await cluster.listNodes({})).nodes.length).toBe(2);
    const running = await start(one, { task: 'ticker', args: ['30', '100'] });
    await untilState(one, running, 'running.attempting');
    const held = await start(one, { task: 'ticker', args: ['1'], startAfter: { seconds: 1000n } });
    const stopped = one.end('SIGTERM');
    one.process.kill('SIGTERM');
    expect(await stopped).toEqual(cleanExit);
    const [{ keeps } = {}] = await server.query(`SELECT keeps FROM spear.nodes WHERE name = 'one'`, name);
    expect(keeps).toEqual([running]);
    expect(await two.functions.cancelExecution({ executionId: held })).toMatchObject({ changed: true });
    expect(expectWholeLog(await ended(two, running))).toMatchObject({ attempt: 2, recoveries: 0 });
  });

  test('a name that another node has is refused, with what to do', async () => {
    const { url: store } = await server.database();
    await spawn(await dataFolder(), { store, nodeName: 'one' });
    await expect(spawn(await dataFolder(), { store, nodeName: 'one' })).rejects.toThrow('--node-name');
  });
});
