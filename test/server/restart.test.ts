import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  type ExecutionResult,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import type { ChildServer } from '../support/server.ts';
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

test('after kill -9 what was unfinished goes on where it was, and its log with it', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { slots: '2' });
  await one.register('loop', 'misbehaving/loop.wasm');
  await one.register('ticker', 'ticker/ticker.wasm');
  await one.register('once', 'ticker/ticker.wasm', { onInterrupt: InterruptPolicy.FAIL });
  await one.register('exit', 'misbehaving/exit.wasm', {
    retry: { maxAttempts: 5, initial: { seconds: 200n }, max: { seconds: 200n } },
  });
  const finished = await one.functions.invokeFunction({ task: 'ticker', args: ['1'] });
  const backingOff = await start(one, { task: 'exit' });
  await untilState(one, backingOff, 'running.backingOff');
  // Has most of its ticks before it when the server is killed, however long the calls in between take.
  const running = await start(one, { task: 'ticker', args: ['20', '150'], invocationId: 'again' });
  const once = await start(one, { task: 'once', args: ['100000', '20'], invocationId: 'once' });
  await untilState(one, once, 'running.attempting');
  const queued = await start(one, { task: 'ticker', args: ['2'] });
  const waiting = await start(one, { task: 'loop', startAfter: { seconds: 200n } });
  const overdue = await start(one, { task: 'loop', timeouts: { total: { nanos: 50_000_000 } } });
  const before = await status(one, waiting);

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
  const rerun = await collect(two.functions.watchExecution({ executionId: running }));
  expect(expectWholeLog(rerun)).toMatchObject({
    status: ExecutionStatus.COMPLETED,
    attempt: 2,
    recoveries: 1,
  });
  expect(fixed(rerun.slice(0, seen.length))).toEqual(fixed(seen));
  const lost = rerun.find(({ event }) => event.case === 'transition' && event.value.eventType === 'lost');
  expect(lost?.event.value).toMatchObject({ from: 'running.attempting', to: 'running.backingOff' });
  const from = BigInt(seen.length + 1);
  const rest = await collect(two.functions.watchExecution({ executionId: running, fromSequence: from }));
  expect(fixed(rest)).toEqual(fixed(rerun.slice(seen.length)));

  expect(expectWholeLog(await collect(two.functions.watchExecution({ executionId: once })))).toMatchObject({
    errorCode: ErrorCode.INTERRUPTED,
    errorOrigin: ErrorOrigin.PLATFORM,
    attempt: 1,
    recoveries: 0,
  });
  expect(expectWholeLog(await collect(two.functions.watchExecution({ executionId: queued })))).toMatchObject({
    status: ExecutionStatus.COMPLETED,
    attempt: 1,
  });
  expect(expectWholeLog(await collect(two.functions.watchExecution({ executionId: overdue })))).toMatchObject(
    { errorCode: ErrorCode.TOTAL_TIMEOUT, attempt: 0 },
  );
  expect(await status(two, backingOff)).toMatchObject({ state: 'running.backingOff', attempt: 1 });
  expect(await status(two, waiting)).toMatchObject({
    state: 'pending.waiting',
    createdAt: before?.createdAt,
    allowedEvents: ['cancel', 'suspend'],
  });
  const kept = await two.functions.getExecutionStatus({ executionId: finished.executionId });
  expect(kept.result?.status).toBe(ExecutionStatus.COMPLETED);
  for (const [invocationId, task, args, executionId, success] of [
    ['again', 'ticker', ['20', '150'], running, true],
    ['once', 'once', ['100000', '20'], once, false],
  ] as const) {
    const joined = await two.functions.invokeFunction({ task, args: [...args], invocationId });
    expect(joined).toMatchObject({ joined: true, executionId, success });
  }
  const { executions } = await two.functions.listExecutions({});
  expect(executions).toHaveLength(7);
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
  for (const executionId of accepted) {
    const { result } = await two.functions.waitExecution({ executionId });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
  }
});

async function status(server: ChildServer, executionId: string): Promise<ExecutionResult | undefined> {
  return (await server.functions.getExecutionStatus({ executionId })).result;
}
