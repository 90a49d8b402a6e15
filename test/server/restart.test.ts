import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { line } from './line.ts';
import { cleanExit, dataFolder, spawn, start, untilState } from './spawned.ts';

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
