import { randomUUID } from 'node:crypto';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf, statesOf, timeOf } from './grammar.ts';
import { line } from './line.ts';
import { callWithTimeout } from './raw.ts';
import { refusal } from './refusal.ts';

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const words = Buffer.from('one two\nthree\n');
const counted = '2 3 14\n';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '6' });
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('ticker', 'ticker/ticker.wasm');
  await server.register('typed', 'typed/typed.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

afterAll(async () => {
  const { bugs } = server;
  await server.stop();
  expect(bugs).toEqual([]);
});

/** An execution that runs until the test is over. */
async function looping(): Promise<string> {
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  onTestFinished(async () => void (await server.functions.cancelExecution({ executionId })));
  return executionId;
}

async function statusOf(executionId: string): Promise<ExecutionStatus | undefined> {
  return (await server.functions.getExecutionStatus({ executionId })).result?.status;
}

async function executionsOf(task: string): Promise<string[]> {
  const { executions } = await server.functions.listExecutions({ task, pageSize: 1000 });
  return executions.map((execution) => execution.executionId);
}

/** A list attaches no observer, which would keep an execution whose caller has gone. */
async function listed(task: string, executionId: string) {
  const { executions } = await server.functions.listExecutions({ task, pageSize: 1000 });
  return executions.find((execution) => execution.executionId === executionId);
}

/** The execution of a call that has not answered yet. */
async function newExecutionOf(task: string, known: readonly string[]): Promise<string> {
  const find = async () => (await executionsOf(task)).find((id) => !known.includes(id));
  await expect.poll(find, { timeout: 10_000 }).toBeDefined();
  return (await find()) ?? '';
}

async function firstOf(events: AsyncIterable<StreamExecutionResult>, count: number) {
  const first: StreamExecutionResult[] = [];
  for await (const event of events) if (first.push(event) === count) break;
  return first;
}

describe('a sync call', () => {
  test('answers with the whole result, no status endpoint and no estimate', async () => {
    const before = Date.now();
    const response = await server.functions.invokeFunction({
      task: 'count',
      input: words,
      contentType: 'text/plain',
      executionMode: ExecutionMode.SYNC,
      metadata: { colour: 'blue' },
    });
    const after = Date.now();
    expect(response).toMatchObject({
      success: true,
      message: 'completed',
      executionId: expect.stringMatching(/^exec_[0-9a-z]{26}$/),
      taskId: expect.stringMatching(/^task_[0-9a-z]{26}$/),
      instanceId: expect.stringMatching(/./),
      statusEndpoint: '',
      estimatedCompletionMs: 0n,
      lastSequence: 4n,
      joined: false,
    });
    const { result } = response;
    expect(result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      state: 'completed',
      mode: ExecutionMode.SYNC,
      isAsync: false,
      isCompleted: true,
      outputBytes: BigInt(counted.length),
      outputTruncated: false,
      exitCode: 0,
      errorCode: ErrorCode.UNSPECIFIED,
      errorOrigin: ErrorOrigin.UNSPECIFIED,
      errorMessage: '',
      attempt: 1,
      requestId: expect.stringMatching(/./),
      metadata: { colour: 'blue' },
      allowedEvents: [],
      executionId: response.executionId,
      taskId: response.taskId,
      taskName: 'count',
      taskRevision: 1,
      functionName: '',
      instanceId: response.instanceId,
    });
    expect(text(result?.output)).toBe(counted);
    expect(text(result?.errorOutput)).toBe('');
    expect(result?.resourceUse?.peakMemoryBytes).toBeGreaterThan(0n);
    expect(result?.executionTimeMs).toBeGreaterThan(0);
    const times = [result?.createdAt, result?.startedAt, result?.completedAt, result?.timestamp].map(
      (time) => (time === undefined ? Number.NaN : timestampMs(time)),
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times[3]).toBeLessThanOrEqual(after + 1);
  });

  test('is what a request without a mode is', async () => {
    const response = await server.functions.invokeFunction({ task: 'count', input: words });
    expect(response).toMatchObject({ success: true, statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(response.result).toMatchObject({ mode: ExecutionMode.SYNC, isAsync: false, isCompleted: true });
    expect(text(response.result?.output)).toBe(counted);
  });

  test('of a function that exits with 7 is answered, with the code, the output and success false', async () => {
    const response = await server.functions.invokeFunction({ task: 'exit' });
    expect(response).toMatchObject({ success: false, statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(response.message).toContain('FUNCTION_EXIT');
    expect(response.result).toMatchObject({
      status: ExecutionStatus.FAILED,
      state: 'failed',
      isCompleted: true,
      exitCode: 7,
      errorCode: ErrorCode.FUNCTION_EXIT,
      errorOrigin: ErrorOrigin.USER,
      errorMessage: expect.stringContaining('7'),
    });
    expect(text(response.result?.output)).toBe('bye\n');
    expect(text(response.result?.errorOutput)).toBe('leaving\n');
  });

  test('of a typed function has the result as one JSON value', async () => {
    const { result } = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'sum',
      parameters: { values: list(['18446744073709551', 4]) },
    });
    expect(result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      contentType: 'application/json',
      functionName: 'spear:examples/calc@0.1.0#sum',
    });
    expect(JSON.parse(text(result?.output))).toBe('18446744073709555');
  });

  test('of a typed function that returns nothing has null, and its error side FUNCTION_ERROR with the value', async () => {
    const nothing = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'ensure',
      parameters: { ok: { kind: { case: 'boolValue', value: true } } },
    });
    expect(text(nothing.result?.output)).toBe('null');
    const divided = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'divide',
      parameters: { a: number(1), b: number(0) },
    });
    expect(divided.success).toBe(false);
    expect(divided.result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.FUNCTION_ERROR,
      errorOrigin: ErrorOrigin.USER,
      contentType: 'application/json',
    });
    expect(JSON.parse(text(divided.result?.output))).toEqual(expect.any(String));
  });

  test('carries no more output than it asked for and says so, while the log has all of it', async () => {
    const response = await server.functions.invokeFunction({
      task: 'count',
      input: words,
      maxInlineBytes: 3,
    });
    expect(response.result).toMatchObject({
      outputTruncated: true,
      outputBytes: BigInt(counted.length),
      isCompleted: true,
    });
    expect(text(response.result?.output)).toBe(counted.slice(0, 3));
    const { executionId } = response;
    const events = await collect(server.functions.watchExecution({ executionId }));
    expect(text(outputOf(events))).toBe(counted);
    const whole = await server.functions.getExecutionStatus({ executionId, includeOutput: true });
    expect(whole.result?.outputTruncated).toBe(false);
  });
});

describe('an async call', () => {
  test('answers PENDING with a status endpoint and an estimate, before anything has completed', async () => {
    const response = await server.functions.invokeFunction({
      task: 'ticker',
      args: ['3', '20'],
      executionMode: ExecutionMode.ASYNC,
      metadata: { colour: 'red' },
    });
    const { executionId } = response;
    expect(response).toMatchObject({
      success: true,
      executionId: expect.stringMatching(/^exec_[0-9a-z]{26}$/),
      taskId: expect.stringMatching(/^task_[0-9a-z]{26}$/),
      instanceId: '',
      statusEndpoint: `/status/${executionId}`,
      joined: false,
    });
    expect(response.lastSequence).toBeGreaterThan(0n);
    expect(response.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(response.result).toMatchObject({
      status: ExecutionStatus.PENDING,
      state: 'pending.queued',
      mode: ExecutionMode.ASYNC,
      isAsync: true,
      isCompleted: false,
      attempt: 0,
      outputBytes: 0n,
      errorCode: ErrorCode.UNSPECIFIED,
      metadata: { colour: 'red' },
      allowedEvents: ['cancel'],
    });
    expect(response.result?.completedAt).toBeUndefined();
    expect(response.result?.startedAt).toBeUndefined();
    expect(response.result?.exitCode).toBeUndefined();
    expect(response.result?.createdAt).toBeDefined();

    const waited = await server.functions.waitExecution({ executionId });
    expect(waited).toMatchObject({ statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(waited.result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      mode: ExecutionMode.ASYNC,
      isAsync: true,
      isCompleted: true,
    });
    expect(text(waited.result?.output)).toBe('tick 1\ntick 2\ntick 3\n');
    expect(text(waited.result?.errorOutput)).toBe('done\n');
    expect(waited.result?.completedAt).toBeDefined();
  });

  test('answers PENDING even where the function takes no time at all', async () => {
    for (let round = 0; round < 20; round++) {
      const response = await server.functions.invokeFunction({
        task: 'typed',
        functionName: 'ping',
        executionMode: ExecutionMode.ASYNC,
      });
      expect(response.result).toMatchObject({ status: ExecutionStatus.PENDING, isCompleted: false });
      expect(response.result?.completedAt).toBeUndefined();
      expect(response.statusEndpoint).toBe(`/status/${response.executionId}`);
    }
  });

  test('has an estimate of the total timeout or 5 s, whichever is less, until there is a history', async () => {
    await server.register('unknown-duration', 'ticker/ticker.wasm');
    const invoke = (seconds: bigint) =>
      server.functions.invokeFunction({
        task: 'unknown-duration',
        args: ['1'],
        executionMode: ExecutionMode.ASYNC,
        startAfter: { seconds: 3600n },
        timeouts: { total: { seconds } },
      });
    const long = await invoke(200n);
    const short = await invoke(2n);
    expect(long.estimatedCompletionMs).toBe(5000n);
    expect(short.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(short.estimatedCompletionMs).toBeLessThanOrEqual(2000n);
    for (const { executionId } of [long, short]) await server.functions.cancelExecution({ executionId });
  });

  test('has the median of the runs before as its estimate once there are some', async () => {
    await server.register('known-duration', 'ticker/ticker.wasm');
    const request = { task: 'known-duration', args: ['2', '200'] };
    const { result } = await server.functions.invokeFunction(request);
    const { estimatedCompletionMs, executionId } = await server.functions.invokeFunction({
      ...request,
      executionMode: ExecutionMode.ASYNC,
    });
    expect(Number(estimatedCompletionMs)).toBeCloseTo(result?.executionTimeMs ?? Number.NaN, -1);
    await server.functions.waitExecution({ executionId });
  });

  test('of a function that fails is a success: the execution was accepted', async () => {
    const response = await server.functions.invokeFunction({
      task: 'exit',
      executionMode: ExecutionMode.ASYNC,
    });
    expect(response.success).toBe(true);
    const { result } = await server.functions.waitExecution({ executionId: response.executionId });
    expect(result).toMatchObject({ errorCode: ErrorCode.FUNCTION_EXIT, exitCode: 7, isAsync: true });
  });
});

describe('a stream', () => {
  test('is the event log from the admission to the result', async () => {
    const events = await collect(
      server.functions.streamFunction({ task: 'count', input: words, executionMode: ExecutionMode.STREAM }),
    );
    const result = expectWholeLog(events);
    expect(statesOf(events)).toEqual(['pending.queued', 'running.attempting']);
    expect(result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      mode: ExecutionMode.STREAM,
      isAsync: false,
      exitCode: 0,
    });
    expect(text(result.output)).toBe(counted);
    expect(text(outputOf(events))).toBe(counted);
  });

  test('needs no mode', async () => {
    const events = await collect(server.functions.streamFunction({ task: 'count', input: words }));
    expect(expectWholeLog(events).mode).toBe(ExecutionMode.STREAM);
  });

  test('brings output while the function runs', async () => {
    const stream = server.functions.streamFunction({ task: 'ticker', args: ['1000', '100'] });
    const chunks: string[] = [];
    let executionId = '';
    for await (const { event, executionId: id } of stream) {
      executionId = id;
      if (event.case === 'chunk') chunks.push(text(event.value.data));
      if (chunks.length === 2) break;
    }
    expect(chunks).toEqual(['tick 1\n', 'tick 2\n']);
    expect(await statusOf(executionId)).toBe(ExecutionStatus.RUNNING);
    await server.functions.cancelExecution({ executionId });
  });
});

describe('the mode of a request', () => {
  test('cannot be STREAM on InvokeFunction, which names StreamFunction', async () => {
    const refused = await refusal(
      server.functions.invokeFunction({ task: 'count', executionMode: ExecutionMode.STREAM }),
    );
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', domain: 'spear' });
    expect(refused.message).toContain('StreamFunction');
    expect(refused.fields).toHaveProperty('execution_mode', expect.stringContaining('StreamFunction'));
  });

  test('is refused where it is unknown, with the list of known ones', async () => {
    for (const executionMode of [4, 99, -1] as number[] as ExecutionMode[]) {
      const refused = await refusal(server.functions.invokeFunction({ task: 'count', executionMode }));
      expect(refused.code).toBe('INVALID_ARGUMENT');
      for (const word of [String(executionMode), 'SYNC', 'ASYNC', 'STREAM']) {
        expect(refused.fields.execution_mode).toContain(word);
      }
    }
  });

  test('is refused by StreamFunction where it is neither STREAM nor none', async () => {
    for (const executionMode of [ExecutionMode.SYNC, ExecutionMode.ASYNC, 99 as number as ExecutionMode]) {
      const refused = await refusal(server.functions.streamFunction({ task: 'count', executionMode }));
      expect(refused.code).toBe('INVALID_ARGUMENT');
      expect(refused.fields).toHaveProperty('execution_mode', expect.stringContaining('STREAM'));
    }
  });

  test('that is refused starts nothing', async () => {
    const before = await executionsOf('count');
    await refusal(server.functions.invokeFunction({ task: 'count', executionMode: 3 }));
    await refusal(server.functions.streamFunction({ task: 'count', executionMode: 1 }));
    expect(await executionsOf('count')).toEqual(before);
  });
});

describe('the log', () => {
  test.each([
    ['sync', ExecutionMode.SYNC],
    ['async', ExecutionMode.ASYNC],
  ] as const)('of a %s execution has the same grammar as that of a stream', async (_name, executionMode) => {
    const { executionId } = await server.functions.invokeFunction({
      task: 'ticker',
      args: ['3', '20'],
      executionMode,
    });
    const events = await collect(server.functions.watchExecution({ executionId }));
    const result = expectWholeLog(events);
    expect(result).toMatchObject({ mode: executionMode, status: ExecutionStatus.COMPLETED });
    expect(statesOf(events)).toEqual(['pending.queued', 'running.attempting']);
    expect(text(outputOf(events))).toBe('tick 1\ntick 2\ntick 3\n');
    expect(events.map((event) => event.attempt)).toEqual([0, ...events.slice(1).map(() => 1)]);
  });

  test('of an execution that fails ends with the result that a sync caller got', async () => {
    const { executionId, result } = await server.functions.invokeFunction({ task: 'exit' });
    const events = await collect(server.functions.watchExecution({ executionId }));
    expect({ ...expectWholeLog(events), timestamp: undefined }).toEqual({ ...result, timestamp: undefined });
  });

  test('has positions that increase over all executions of the node', async () => {
    const one = await collect(server.functions.streamFunction({ task: 'count', input: words }));
    const two = await collect(server.functions.streamFunction({ task: 'count', input: words }));
    const last = one.at(-1)?.position ?? 0n;
    for (const event of two) expect(event.position).toBeGreaterThan(last);
  });
});

describe('an execution', () => {
  test('that was started async is watched and waited for from other connections, during and after', async () => {
    const [starter, watcher, waiter] = [
      await line(server.grpcAddress),
      await line(server.grpcAddress),
      await line(server.grpcAddress),
    ];
    const { executionId } = await starter.functions.invokeFunction({
      task: 'ticker',
      args: ['5', '40'],
      executionMode: ExecutionMode.ASYNC,
    });
    const [live, waited] = await Promise.all([
      collect(watcher.functions.watchExecution({ executionId })),
      waiter.functions.waitExecution({ executionId }),
    ]);
    const result = expectWholeLog(live);
    expect(waited.result).toEqual({ ...result, timestamp: waited.result?.timestamp });
    const after = await collect(starter.functions.watchExecution({ executionId }));
    expect(withoutViewTime(after)).toEqual(withoutViewTime(live));
  });

  test('that was started sync is watched from another connection while its caller waits', async () => {
    const known = await executionsOf('ticker');
    const other = await line(server.grpcAddress);
    const call = server.functions.invokeFunction({ task: 'ticker', args: ['5', '60'] });
    const executionId = await newExecutionOf('ticker', known);
    const live = await collect(other.functions.watchExecution({ executionId }));
    const response = await call;
    expect(response.executionId).toBe(executionId);
    expect(expectWholeLog(live)).toEqual({ ...response.result, timestamp: expect.anything() });
  });

  test('that was started as a stream is waited for and read from another connection', async () => {
    const other = await line(server.grpcAddress);
    const stream = server.functions.streamFunction({ task: 'ticker', args: ['5', '40'] });
    const events: StreamExecutionResult[] = [];
    let waited: Promise<unknown> | undefined;
    for await (const event of stream) {
      events.push(event);
      waited ??= other.functions.waitExecution({ executionId: event.executionId });
    }
    const result = expectWholeLog(events);
    expect(await waited).toMatchObject({ result: { ...result, timestamp: expect.anything() } });
    const read = await other.functions.getExecutionStatus({ executionId: result.executionId });
    expect(read.result).toMatchObject({ mode: ExecutionMode.STREAM, isCompleted: true });
    expect(text(read.result?.output)).toBe('');
  });

  test('is watched from a sequence number on, without a gap or a repeat', async () => {
    const { executionId } = await server.functions.invokeFunction({ task: 'ticker', args: ['4', '15'] });
    const all = await collect(server.functions.watchExecution({ executionId }));
    for (let from = 0; from <= all.length; from++) {
      const rest = await collect(
        server.functions.watchExecution({ executionId, fromSequence: BigInt(from) }),
      );
      expect(withoutViewTime(rest)).toEqual(withoutViewTime(all.slice(Math.max(0, from - 1))));
    }
  });

  test('that has ended has nothing after its last event, which is no error', async () => {
    const { executionId, lastSequence } = await server.functions.invokeFunction({
      task: 'count',
      input: words,
    });
    const events = await collect(
      server.functions.watchExecution({ executionId, fromSequence: lastSequence + 1n }),
    );
    expect(events).toEqual([]);
  });

  test('that runs is watched from its next event, which is waited for', async () => {
    const executionId = await looping();
    await expect.poll(() => statusOf(executionId)).toBe(ExecutionStatus.RUNNING);
    const seen = await firstOf(server.functions.watchExecution({ executionId }), 3);
    const next = collect(server.functions.watchExecution({ executionId, fromSequence: 4n }));
    await server.functions.cancelExecution({ executionId });
    const rest = await next;
    expect(expectWholeLog([...seen, ...rest]).status).toBe(ExecutionStatus.CANCELLED);
  });

  test.each([
    ['just beyond its end', 2n],
    ['far beyond its end', 1_000_000n],
    ['at the largest number there is', 2n ** 64n - 1n],
  ])('cannot be watched from %s: OUT_OF_RANGE tells the last sequence', async (_name, ahead) => {
    const { executionId, lastSequence } = await server.functions.invokeFunction({
      task: 'count',
      input: words,
    });
    const fromSequence = ahead > 2n ** 63n ? ahead : lastSequence + ahead;
    const refused = await refusal(server.functions.watchExecution({ executionId, fromSequence }));
    expect(refused).toMatchObject({ code: 'OUT_OF_RANGE', reason: 'SEQUENCE_BEYOND_LOG' });
    expect(refused.metadata).toMatchObject({ last_sequence: String(lastSequence) });
  });

  test('is told apart from one that never was', async () => {
    const executionId = 'exec_00000000000000000000000000';
    for (const call of [
      () => server.functions.getExecutionStatus({ executionId }),
      () => server.functions.waitExecution({ executionId }),
      () => server.functions.watchExecution({ executionId }),
      () => server.functions.cancelExecution({ executionId }),
    ]) {
      const refused = await refusal(call());
      expect(refused).toMatchObject({ code: 'NOT_FOUND', reason: 'EXECUTION_NOT_FOUND' });
      expect(refused.message).toContain(executionId);
    }
  });
});

describe('a wait budget', () => {
  test('that ends first gives the state now and what is needed to go on with Watch and Wait', async () => {
    const response = await server.functions.invokeFunction({
      task: 'ticker',
      args: ['12', '50'],
      waitBudget: { nanos: 200_000_000 },
    });
    const { executionId, lastSequence } = response;
    expect(response).toMatchObject({ success: true, statusEndpoint: `/status/${executionId}` });
    expect(response.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(response.result).toMatchObject({
      status: ExecutionStatus.RUNNING,
      state: 'running.attempting',
      mode: ExecutionMode.SYNC,
      isAsync: false,
      isCompleted: false,
      attempt: 1,
      allowedEvents: ['cancel'],
    });
    expect(response.result?.completedAt).toBeUndefined();
    const rest = await collect(
      server.functions.watchExecution({ executionId, fromSequence: lastSequence + 1n }),
    );
    expect(rest[0]?.sequence).toBe(lastSequence + 1n);
    const before = text(response.result?.output);
    expect(before).toMatch(/^tick 1\n/);
    expect(before + text(outputOf(rest))).toBe(
      Array.from({ length: 12 }, (_, i) => `tick ${i + 1}\n`).join(''),
    );
    const waited = await server.functions.waitExecution({ executionId });
    expect(waited.result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(waited.lastSequence).toBe(rest.at(-1)?.sequence);
  });

  test('of WaitExecution that ends first is an answer too', async () => {
    const executionId = await looping();
    const waited = await server.functions.waitExecution({ executionId, waitBudget: { nanos: 50_000_000 } });
    expect(waited).toMatchObject({ statusEndpoint: `/status/${executionId}` });
    expect(waited.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(waited.result).toMatchObject({ isCompleted: false, isAsync: true });
  });

  test('is kept by a gRPC deadline: the answer comes before it, and the execution goes on', async () => {
    const response = await server.functions.invokeFunction(
      { task: 'loop', timeouts: { total: { seconds: 60n } } },
      { deadline: Date.now() + 2500 },
    );
    const { executionId } = response;
    expect(response.success).toBe(true);
    expect(response.result?.status).toBe(ExecutionStatus.RUNNING);
    expect(response.statusEndpoint).toBe(`/status/${executionId}`);
    const waited = await server.functions.waitExecution({ executionId }, { deadline: Date.now() + 2500 });
    expect(waited.result?.status).toBe(ExecutionStatus.RUNNING);
    await server.functions.cancelExecution({ executionId });
    expect((await server.functions.waitExecution({ executionId })).result?.errorCode).toBe(
      ErrorCode.CANCELLED,
    );
  });

  test('has no use for less than 20 ms: the call is refused and nothing is started', async () => {
    const before = await executionsOf('count');
    const answer = await callWithTimeout(server.grpcAddress, { task: 'count' }, '15m');
    expect(answer).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_TOO_NEAR' });
    expect(await executionsOf('count')).toEqual(before);
  });
});

describe('a caller that vanishes', () => {
  test.each(['sync', 'stream'] as const)('in the middle of a %s call stops nothing', async (mode) => {
    const known = await executionsOf('ticker');
    const caller = await line(server.grpcAddress);
    const request = { task: 'ticker', args: ['4', '60'] };
    const call =
      mode === 'sync'
        ? caller.functions.invokeFunction(request)
        : collect(caller.functions.streamFunction(request));
    const lost = call.then(
      () => 'answered',
      () => 'lost',
    );
    const executionId = await newExecutionOf('ticker', known);
    caller.cut();
    expect(await lost).toBe('lost');
    const { result } = await server.functions.waitExecution({ executionId });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(text(result?.output)).toBe('tick 1\ntick 2\ntick 3\ntick 4\n');
  });

  test.each(['sync', 'stream'] as const)(
    'in the middle of a %s call cancels what it started with cancel_on_disconnect',
    async (mode) => {
      const known = await executionsOf('loop');
      const caller = await line(server.grpcAddress);
      const request = { task: 'loop', cancelOnDisconnect: true };
      const call =
        mode === 'sync'
          ? caller.functions.invokeFunction(request)
          : collect(caller.functions.streamFunction(request));
      const lost = call.catch(() => 'lost');
      const executionId = await newExecutionOf('loop', known);
      await expect.poll(() => listed('loop', executionId)).toMatchObject({ state: 'running.attempting' });
      caller.cut();
      expect(await lost).toBe('lost');
      await expect
        .poll(() => listed('loop', executionId), { timeout: 10_000 })
        .toMatchObject({
          status: ExecutionStatus.CANCELLED,
          errorCode: ErrorCode.CANCELLED,
          errorOrigin: ErrorOrigin.POLICY,
        });
    },
  );

  test('and asked for cancel_on_disconnect cancels nothing that somebody else still watches', async () => {
    const known = await executionsOf('ticker');
    const caller = await line(server.grpcAddress);
    const lost = caller.functions
      .invokeFunction({ task: 'ticker', args: ['6', '60'], cancelOnDisconnect: true })
      .catch(() => 'lost');
    const executionId = await newExecutionOf('ticker', known);
    const watching = server.functions.watchExecution({ executionId });
    const events: StreamExecutionResult[] = [];
    for await (const event of watching) {
      if (events.push(event) === 1) caller.cut();
    }
    expect(await lost).toBe('lost');
    expect(expectWholeLog(events).status).toBe(ExecutionStatus.COMPLETED);
  });

  test('and only watched cancels nothing', async () => {
    const known = await executionsOf('ticker');
    const call = server.functions.invokeFunction({
      task: 'ticker',
      args: ['6', '60'],
      cancelOnDisconnect: true,
    });
    const executionId = await newExecutionOf('ticker', known);
    const watcher = await line(server.grpcAddress);
    await firstOf(watcher.functions.watchExecution({ executionId }), 2);
    watcher.cut();
    expect((await call).result?.status).toBe(ExecutionStatus.COMPLETED);
  });
});

describe('an invocation id', () => {
  const basis = () => ({
    task: 'typed',
    functionName: 'add',
    parameters: { a: number(1), b: number(2) },
    contentType: 'text/plain',
    invocationId: randomUUID(),
  });

  test('that comes again joins the execution, whatever the mode, timeouts, budgets and metadata', async () => {
    const request = { ...basis(), task: 'ticker', functionName: '', parameters: {}, args: ['3', '60'] };
    const first = await server.functions.invokeFunction({ ...request, executionMode: ExecutionMode.ASYNC });
    expect(first).toMatchObject({ joined: false, result: { requestId: request.invocationId } });
    const { executionId } = first;
    const again = await server.functions.invokeFunction({ ...request, executionMode: ExecutionMode.ASYNC });
    expect(again).toMatchObject({ joined: true, executionId, success: true });
    const sync = await server.functions.invokeFunction({
      ...request,
      executionMode: ExecutionMode.SYNC,
      metadata: { other: 'labels' },
      timeouts: { total: { seconds: 100n } },
      waitBudget: { seconds: 30n },
    });
    expect(sync).toMatchObject({ joined: true, executionId, statusEndpoint: '' });
    expect(sync.result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      mode: ExecutionMode.ASYNC,
      isAsync: true,
      metadata: {},
    });
    const events = await collect(server.functions.streamFunction(request));
    expect(expectWholeLog(events).executionId).toBe(executionId);
    const late = await server.functions.invokeFunction({ ...request, executionMode: ExecutionMode.ASYNC });
    expect(late).toMatchObject({ joined: true, executionId, statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(late.result).toMatchObject({ status: ExecutionStatus.COMPLETED, isCompleted: true });
  });

  test('joins by the meaning of the parameters, not by their order', async () => {
    const point = { x: number(1), y: number(2) };
    const turned = { y: number(2), x: number(1) };
    const struct = (fields: typeof point) => ({ kind: { case: 'structValue' as const, value: { fields } } });
    const request = { ...basis(), functionName: 'translate' };
    const by = list([1, 1]);
    const first = await server.functions.invokeFunction({
      ...request,
      parameters: { p: struct(point), by },
    });
    const second = await server.functions.invokeFunction({
      ...request,
      parameters: { by, p: struct(turned) },
    });
    expect(second).toMatchObject({ joined: true, executionId: first.executionId });
  });

  test('joins where the function is named in full the first time and short the second', async () => {
    const request = basis();
    const first = await server.functions.invokeFunction({
      ...request,
      functionName: 'spear:examples/calc@0.1.0#add',
    });
    const second = await server.functions.invokeFunction(request);
    expect(second).toMatchObject({ joined: true, executionId: first.executionId });
  });

  test.each([
    ['task', { task: 'count', functionName: '', parameters: {} }],
    ['function', { functionName: 'divide' }],
    ['parameter', { parameters: { a: { kind: { case: 'numberValue' as const, value: 9 } }, b: number(2) } }],
    ['input', { input: words }],
    ['content type', { contentType: 'text/html' }],
    ['argument', { args: ['x'] }],
    ['environment', { environment: { A: '1' } }],
  ])('with another %s is ALREADY_EXISTS, naming the other execution', async (_what, change) => {
    const request = basis();
    const { executionId } = await server.functions.invokeFunction(request);
    const calls = [
      () => server.functions.invokeFunction({ ...request, ...change }),
      () => server.functions.streamFunction({ ...request, ...change }),
    ];
    for (const call of calls) {
      const refused = await refusal(call());
      expect(refused).toMatchObject({ code: 'ALREADY_EXISTS', metadata: { execution_id: executionId } });
      expect(refused.message).toContain(executionId);
    }
  });

  test('that comes many times at once runs once', async () => {
    const request = { ...basis(), task: 'ticker', functionName: '', parameters: {}, args: ['2', '50'] };
    const known = await executionsOf('ticker');
    const responses = await Promise.all(
      Array.from({ length: 40 }, () => server.functions.invokeFunction(request)),
    );
    expect(new Set(responses.map((response) => response.executionId)).size).toBe(1);
    expect(responses.filter((response) => !response.joined)).toHaveLength(1);
    for (const { result } of responses) expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(await executionsOf('ticker')).toHaveLength(known.length + 1);
  });
});

function number(value: number) {
  return { kind: { case: 'numberValue' as const, value } };
}

function list(values: readonly (number | string)[]) {
  const items = values.map((value) =>
    typeof value === 'number' ? number(value) : { kind: { case: 'stringValue' as const, value } },
  );
  return { kind: { case: 'listValue' as const, value: { values: items } } };
}

/** Events as every observer sees them: a result says when it was looked at. */
function withoutViewTime(events: readonly StreamExecutionResult[]) {
  return events.map((event) => ({
    sequence: event.sequence,
    position: event.position,
    time: timeOf(event),
    status: event.status,
    attempt: event.attempt,
    body: event.event.case === 'result' ? { ...event.event.value, timestamp: undefined } : event.event,
  }));
}
