import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../src/server/gen/health/v1/health_pb.js';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { line } from './line.ts';
import { refusal } from './refusal.ts';
import { begin, untilIn } from './snapshots.ts';
import { cleanExit, dataFolder, spawn, start, untilState } from './spawned.ts';

describe('a drain', () => {
  test('on SIGTERM ends what runs, refuses new work with DRAINING, says NOT_SERVING, and exits with 0', async () => {
    const server = await spawn(await dataFolder(), { drainMs: '60000' });
    await server.register('ticker', 'ticker/ticker.wasm');
    const connection = connect(server.grpcAddress);
    onTestFinished(() => connection.close());
    const health = connection.service(Health);
    const { executionId } = await server.functions.invokeFunction({
      task: 'ticker',
      // Still runs when all the calls below have been answered.
      args: ['40', '100'],
      executionMode: ExecutionMode.ASYNC,
    });
    const waited = server.functions.waitExecution({ executionId });
    const watched = collect(server.functions.watchExecution({ executionId }));
    await untilState(server, executionId, 'running.attempting');
    for await (const { status } of health.watch({ service: '' })) {
      if (status === Serving.NOT_SERVING) break;
      server.process.kill('SIGTERM');
    }
    for (const service of ['spearlet.FunctionService', 'spearlet.TaskService']) {
      expect((await health.check({ service })).status).toBe(Serving.NOT_SERVING);
    }
    const ready = await fetch(`http://${server.httpAddress}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ ready: false, reason: 'draining' });
    expect((await fetch(`http://${server.httpAddress}/healthz`)).status).toBe(200);
    for (const call of [
      () => server.functions.invokeFunction({ task: 'ticker' }),
      () => server.functions.invokeFunction({ task: 'ticker', executionMode: ExecutionMode.ASYNC }),
      () => server.functions.invokeFunction({ task: 'ticker', invocationId: 'new' }),
      () => server.functions.streamFunction({ task: 'ticker' }),
    ]) {
      const refused = await refusal(call());
      expect(refused).toMatchObject({ code: 'UNAVAILABLE', reason: 'DRAINING', domain: 'spear' });
      expect(refused.retryAfterMs).toBeGreaterThan(0);
    }
    const read = await server.functions.getExecutionStatus({ executionId });
    expect(read.result?.status).toBe(ExecutionStatus.RUNNING);

    expect((await waited).result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(expectWholeLog(await watched).status).toBe(ExecutionStatus.COMPLETED);
    expect(await server.exited).toEqual(cleanExit);
  });

  test('that takes too long leaves the rest to the next start, which whoever watches hears', async () => {
    const dataDir = await dataFolder();
    const server = await spawn(dataDir, { drainMs: '300', slots: '1' });
    await server.register('loop', 'misbehaving/loop.wasm');
    const running = await start(server, { task: 'loop' });
    await untilState(server, running, 'running.attempting');
    const queued = await start(server, { task: 'loop' });
    const watched = refusal(collect(server.functions.watchExecution({ executionId: running })));
    const waited = server.functions.waitExecution({ executionId: queued });
    await server.functions.getExecutionStatus({ executionId: queued });
    server.process.kill('SIGTERM');
    expect(await watched).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'DRAINING',
      metadata: { last_sequence: expect.stringMatching(/^[23]$/) },
    });
    expect(await waited).toMatchObject({
      result: { status: ExecutionStatus.PENDING, state: 'pending.queued', isCompleted: false },
      statusEndpoint: `/status/${queued}`,
      lastSequence: 1n,
    });
    expect(await server.exited).toEqual(cleanExit);
    const next = await spawn(dataDir, { slots: '2' });
    await untilState(next, queued, 'running.attempting');
    await untilState(next, running, 'running.attempting');
    const { result } = await next.functions.getExecutionStatus({ executionId: running });
    expect(result).toMatchObject({ attempt: 2, recoveries: 0 });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('hurries on a second %s', async (signal) => {
    const server = await spawn(await dataFolder(), { drainMs: '3600000' });
    await server.register('loop', 'misbehaving/loop.wasm');
    const executionId = await start(server, { task: 'loop' });
    await untilState(server, executionId, 'running.attempting');
    const waited = server.functions.waitExecution({ executionId });
    server.process.kill(signal);
    await expect.poll(() => server.output.some((entry) => entry.includes('"draining"'))).toBe(true);
    server.process.kill(signal);
    expect(await server.exited).toEqual(cleanExit);
    expect((await waited).result).toMatchObject({ state: 'running.attempting', isCompleted: false });
  });

  test('hurries where it is asked a second time before it waits for what runs', async () => {
    const server = await startServer({ drainMs: '3600000' });
    await server.register('loop', 'misbehaving/loop.wasm');
    const executionId = await begin(server, { task: 'loop' });
    await untilIn(server, executionId, 'running.attempting');
    const drained = server.node.drain();
    await Promise.all([drained, server.node.drain()]);
    await server.stop();
    expect(server.bugs).toEqual([]);
  });

  test('is not held up by observers that do not leave', async () => {
    const server = await spawn(await dataFolder(), { drainMs: '200' });
    await server.register('flood', 'misbehaving/flood.wasm', { limits: { maxOutputBytes: 8_000_000n } });
    const slow = await line(server.grpcAddress);
    const connection = connect(slow.address);
    onTestFinished(() => connection.close());
    const health = connection.service(Health).watch({ service: '' })[Symbol.asyncIterator]();
    await health.next();
    const reader = slow.functions.streamFunction({ task: 'flood' })[Symbol.asyncIterator]();
    const first = await reader.next();
    const executionId = first.value?.executionId ?? '';
    await server.functions.waitExecution({ executionId });
    server.process.kill('SIGTERM');
    await expect.poll(() => server.process.exitCode).toBe(0);
    await reader.return?.().catch(() => {});
    await health.return?.().catch(() => {});
  });

  test('logs one line when ready, with both addresses', async () => {
    const server = await spawn(await dataFolder());
    const ready = server.output.filter((entry) => entry.includes('"msg":"ready"'));
    expect(ready).toHaveLength(1);
    expect(JSON.parse(ready[0] ?? '{}')).toMatchObject({
      grpcAddress: server.grpcAddress,
      httpAddress: server.httpAddress,
    });
    expect(await server.end('SIGINT')).toEqual(cleanExit);
  });
});
