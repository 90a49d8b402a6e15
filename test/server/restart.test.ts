import { rm } from 'node:fs/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cli/client.ts';
import type { ConfigFlags } from '../../src/config.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../src/server/gen/health/v1/health_pb.js';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { type ChildServer, spawnServer, temporaryDataDir } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { line } from './line.ts';
import { refusal } from './refusal.ts';

const cleanExit = { code: 0, signal: null };

async function dataFolder(): Promise<string> {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

async function spawn(dataDir: string, flags: ConfigFlags = {}): Promise<ChildServer> {
  const server = await spawnServer(dataDir, flags);
  onTestFinished(async () => void (await server.end('SIGKILL')));
  return server;
}

async function start(
  server: ChildServer,
  request: Parameters<typeof server.functions.invokeFunction>[0],
): Promise<string> {
  const started = await server.functions.invokeFunction({
    ...request,
    executionMode: ExecutionMode.ASYNC,
  } as typeof request);
  return started.executionId;
}

async function untilState(server: ChildServer, executionId: string, state: string): Promise<void> {
  const now = async () => (await server.functions.getExecutionStatus({ executionId })).result?.state;
  await expect.poll(now, { timeout: 10_000 }).toBe(state);
}

/** The parts of an event that no restart may change. */
function fixed(events: readonly StreamExecutionResult[]) {
  return events.map((each) => ({
    sequence: each.sequence,
    position: each.position,
    time: each.time && timestampMs(each.time),
    status: each.status,
    attempt: each.attempt,
    isFinal: each.isFinal,
    event: each.event.case === 'result' ? { ...each.event.value, timestamp: undefined } : each.event,
  }));
}

test('an async execution is watched from its first event after its caller has gone, and again after a restart', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir);
  await one.register('ticker', 'ticker/ticker.wasm');
  const caller = await line(one.grpcAddress);
  const request = {
    task: 'ticker',
    args: ['6', '60'],
    invocationId: 'only-once',
    metadata: { a: 'b' },
    executionMode: ExecutionMode.ASYNC,
  };
  const { executionId } = await caller.functions.invokeFunction(request);
  caller.cut();
  const second = await line(one.grpcAddress);
  const live = await collect(second.functions.watchExecution({ executionId }));
  const result = expectWholeLog(live);
  expect(result.status).toBe(ExecutionStatus.COMPLETED);
  const output = 'tick 1\ntick 2\ntick 3\ntick 4\ntick 5\ntick 6\n';
  expect(outputOf(live).toString()).toBe(output);
  expect(await one.end('SIGTERM')).toEqual(cleanExit);

  const two = await spawn(dataDir);
  const again = await collect(two.functions.watchExecution({ executionId, fromSequence: 1n }));
  expectWholeLog(again);
  expect(fixed(again)).toEqual(fixed(live));
  const middle = await collect(two.functions.watchExecution({ executionId, fromSequence: 4n }));
  expect(fixed(middle)).toEqual(fixed(live.slice(3)));
  const read = await two.functions.getExecutionStatus({ executionId, includeOutput: true });
  expect(read.result).toEqual({ ...result, timestamp: read.result?.timestamp });
  const joined = await two.functions.invokeFunction({ ...request, executionMode: ExecutionMode.SYNC });
  expect(joined).toMatchObject({ joined: true, executionId, success: true });
  const task = await two.tasks.getTask({ task: 'ticker' });
  expect(task.task?.revision).toBe(1);
  const next = await collect(two.functions.streamFunction({ task: 'ticker', args: ['1'] }));
  expectWholeLog(next);
  expect(next[0]?.position).toBeGreaterThan(live.at(-1)?.position ?? 0n);
  expect((next[0]?.executionId ?? '') > executionId).toBe(true);
});

test('after kill -9 what was unfinished is FAILED with INTERRUPTED, its log whole and sealed', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { slots: '2' });
  await one.register('loop', 'misbehaving/loop.wasm');
  await one.register('ticker', 'ticker/ticker.wasm');
  await one.register('exit', 'misbehaving/exit.wasm', {
    retry: { maxAttempts: 5, initial: { seconds: 200n }, max: { seconds: 200n } },
  });
  const finished = await one.functions.invokeFunction({ task: 'ticker', args: ['1'] });
  const backingOff = await start(one, { task: 'exit' });
  await untilState(one, backingOff, 'running.backingOff');
  const running = await start(one, { task: 'ticker', args: ['100000', '20'], invocationId: 'lost' });
  const looping = await start(one, { task: 'loop' });
  await untilState(one, looping, 'running.attempting');
  const queued = await start(one, { task: 'loop' });
  const waiting = await start(one, { task: 'loop', startAfter: { seconds: 200n } });

  const seen: StreamExecutionResult[] = [];
  const watched = (async () => {
    for await (const event of one.functions.watchExecution({ executionId: running })) {
      seen.push(event);
      if (seen.length === 8) one.process.kill('SIGKILL');
    }
  })().catch((error: { code?: number }) => error.code);
  expect(await one.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await watched).toBeTypeOf('number');

  const two = await spawn(dataDir, { slots: '2' });
  for (const [executionId, attempt, state] of [
    [running, 1, 'running.attempting'],
    [looping, 1, 'running.attempting'],
    [backingOff, 1, 'running.backingOff'],
    [queued, 0, 'pending.queued'],
    [waiting, 0, 'pending.waiting'],
  ] as const) {
    const events = await collect(two.functions.watchExecution({ executionId }));
    const result = expectWholeLog(events);
    expect(result).toMatchObject({
      status: ExecutionStatus.FAILED,
      state: 'failed',
      errorCode: ErrorCode.INTERRUPTED,
      errorOrigin: ErrorOrigin.PLATFORM,
      errorMessage: expect.stringContaining(state),
      attempt,
      isCompleted: true,
      isAsync: true,
      allowedEvents: [],
    });
    expect(result.completedAt).toBeDefined();
    const { result: read } = await two.functions.getExecutionStatus({ executionId });
    expect(read).toMatchObject({ errorCode: ErrorCode.INTERRUPTED, completedAt: result.completedAt });
    const past = await collect(
      two.functions.watchExecution({ executionId, fromSequence: BigInt(events.length + 1) }),
    );
    expect(past).toEqual([]);
  }
  const after = await collect(two.functions.watchExecution({ executionId: running }));
  expect(fixed(after.slice(0, seen.length))).toEqual(fixed(seen));
  const kept = await two.functions.getExecutionStatus({ executionId: finished.executionId });
  expect(kept.result?.status).toBe(ExecutionStatus.COMPLETED);
  const joined = await two.functions.invokeFunction({
    task: 'ticker',
    args: ['100000', '20'],
    invocationId: 'lost',
  });
  expect(joined).toMatchObject({ joined: true, executionId: running, success: false });
  const { executions } = await two.functions.listExecutions({});
  expect(executions).toHaveLength(6);
  expect(await two.functions.invokeFunction({ task: 'ticker', args: ['1'] })).toMatchObject({
    success: true,
  });
});

test('a kill -9 in the middle of many admissions loses none that was answered', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { slots: '1' });
  await one.register('noop', 'noop/noop.wasm');
  const accepted: string[] = [];
  const callers = Array.from({ length: 50 }, async () => {
    for (;;) {
      accepted.push(await start(one, { task: 'noop', functionName: 'noop' }));
      if (accepted.length === 1000) one.process.kill('SIGKILL');
    }
  });
  await Promise.allSettled(callers);
  const two = await spawn(dataDir);
  const ended = new Map<string, ExecutionStatus>();
  let pageToken = '';
  do {
    const page = await two.functions.listExecutions({ pageSize: 1000, pageToken });
    for (const { executionId, status } of page.executions) ended.set(executionId, status);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(accepted.filter((id) => !ended.has(id))).toEqual([]);
  for (const status of ended.values()) {
    expect([ExecutionStatus.COMPLETED, ExecutionStatus.FAILED]).toContain(status);
  }
});

describe('a drain', () => {
  test('on SIGTERM ends what runs, refuses new work with DRAINING, says NOT_SERVING, and exits with 0', async () => {
    const server = await spawn(await dataFolder(), { drainMs: '60000' });
    await server.register('ticker', 'ticker/ticker.wasm');
    const connection = connect(server.grpcAddress);
    onTestFinished(() => connection.close());
    const health = connection.service(Health);
    const { executionId } = await server.functions.invokeFunction({
      task: 'ticker',
      args: ['20', '100'],
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

  test('that takes too long ends the rest with INTERRUPTED, which whoever watches still hears', async () => {
    const dataDir = await dataFolder();
    const server = await spawn(dataDir, { drainMs: '300', slots: '1' });
    await server.register('loop', 'misbehaving/loop.wasm');
    const running = await start(server, { task: 'loop' });
    await untilState(server, running, 'running.attempting');
    const queued = await start(server, { task: 'loop' });
    const watched = collect(server.functions.watchExecution({ executionId: running }));
    const waited = server.functions.waitExecution({ executionId: queued });
    await server.functions.getExecutionStatus({ executionId: queued });
    server.process.kill('SIGTERM');
    expect(expectWholeLog(await watched)).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.INTERRUPTED,
      errorOrigin: ErrorOrigin.PLATFORM,
      attempt: 1,
    });
    expect((await waited).result).toMatchObject({ errorCode: ErrorCode.INTERRUPTED, attempt: 0 });
    expect(await server.exited).toEqual(cleanExit);
    const next = await spawn(dataDir);
    const { result } = await next.functions.getExecutionStatus({ executionId: running });
    expect(result?.errorMessage).toContain('stopped');
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
    expect((await waited).result?.errorCode).toBe(ErrorCode.INTERRUPTED);
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
    await expect.poll(() => server.process.exitCode, { timeout: 15_000 }).toBe(0);
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
