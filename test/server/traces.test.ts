/** Spans of executions, as a receiver of the OpenTelemetry protocol gets them. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { attemptSpan, executionSpan } from '../../src/domain/trace.ts';
import {
  ErrorCode,
  ExecutionMode,
  InvokeFunctionRequestSchema,
  InvokeFunctionResponseSchema,
} from '../../src/server/gen/spearlet/function_pb.js';
import {
  attributesIn,
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../support/otlp-receiver.ts';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { frame, rawCall } from './raw.ts';
import { dataFolder, spawn } from './spawned.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${parentId}-01`;
let receiver: OtlpReceiver;
let server: LocalServer;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  server = await startServer({ otlpEndpoint: receiver.endpoint, traceSample: '0' });
  await server.register('env', 'misbehaving/env.wasm');
  await server.register('trap', 'misbehaving/trap.wasm', {
    retry: { maxAttempts: 3, initial: { nanos: 1_000_000 }, on: [ErrorCode.TRAP] },
  });
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
});

/** Runs it over HTTP, and says its id and its output. */
async function run(task: string, headers: Readonly<Record<string, string>> = { traceparent }) {
  const answer = await fetch(`http://${server.httpAddress}/tasks/${task}`, { method: 'POST', headers });
  const executionId = answer.headers.get('spear-execution-id') ?? '';
  return { executionId, output: await answer.text() };
}

function spansOf(from: OtlpReceiver, executionId: string): ReceivedSpan[] {
  return from.spans.filter(
    ({ attributes }) => attributesIn(attributes)['spear.execution.id'] === executionId,
  );
}

async function spansSentOf(executionId: string): Promise<ReceivedSpan[]> {
  await expect.poll(() => spansOf(receiver, executionId).length).toBeGreaterThan(0);
  return spansOf(receiver, executionId);
}

describe('an execution of a sampled trace', () => {
  it('has its span below the caller, and gives the function the span of its attempt', async () => {
    const { executionId, output } = await run('env', { traceparent, tracestate: 'a=b' });
    const spans = await spansSentOf(executionId);
    expect(spans.map(({ name }) => name)).toEqual(['env', 'queue', 'attempt 1']);
    const [whole, queue, attempt] = spans;
    expect(whole).toMatchObject({
      ...{ traceId, parentSpanId: parentId, spanId: executionSpan(executionId), traceState: 'a=b', kind: 2 },
      flags: 0x301,
    });
    expect(whole?.status).toBeUndefined();
    expect(attributesIn(whole?.attributes)).toMatchObject({
      ...{ 'faas.name': 'env', 'faas.invocation_id': executionId, 'faas.trigger': 'http' },
      ...{ 'spear.tenant': 'default', 'spear.execution.status': 'completed', 'spear.execution.attempts': 1 },
    });
    for (const child of [queue, attempt])
      expect(child).toMatchObject({ traceId, parentSpanId: whole?.spanId });
    expect(output).toContain(`env TRACEPARENT=00-${traceId}-${attempt?.spanId}-01\n`);
    expect(output).toContain('env TRACESTATE=a=b\n');
    expect(receiver.resource).toMatchObject({ 'service.name': 'spear' });
  });

  it('over gRPC is the same, and its status says which trace', async () => {
    const request = create(InvokeFunctionRequestSchema, { task: 'env' });
    const answer = await rawCall(
      server.grpcAddress,
      '/spearlet.FunctionService/InvokeFunction',
      frame(toBinary(InvokeFunctionRequestSchema, request)),
      { authorization: `Bearer ${adminToken(server.dataDir)}`, traceparent },
    );
    const { executionId, result } = fromBinary(InvokeFunctionResponseSchema, answer.bytes.subarray(5));
    expect(result?.traceId).toBe(traceId);
    const [whole] = await spansSentOf(executionId);
    expect(whole).toMatchObject({ traceId, parentSpanId: parentId });
  });

  it('has a span for each attempt, and an error with its code', async () => {
    const { executionId } = await run('trap');
    const spans = await spansSentOf(executionId);
    expect(spans.map(({ name }) => name)).toEqual(['trap', 'queue', 'attempt 1', 'attempt 2', 'attempt 3']);
    const [whole, , ...attempts] = spans;
    expect(whole?.status).toMatchObject({ code: 2, message: expect.stringMatching(/^TRAP: /) });
    expect(attributesIn(whole?.attributes)).toMatchObject({ 'error.type': 'TRAP' });
    expect(whole?.events?.map(({ name }) => name)).toEqual(['retry', 'retry']);
    expect(attempts.map(({ spanId }) => spanId)).toEqual(
      [1, 2, 3].map((each) => attemptSpan(executionId, each)),
    );
    for (const each of attempts)
      expect(attributesIn(each.attributes)).toMatchObject({ 'error.type': 'TRAP' });
  });

  it('shows what was done to it', async () => {
    await server.register('loop', 'misbehaving/loop.wasm', { onInterrupt: 1 });
    const answer = await fetch(`http://${server.httpAddress}/tasks/loop`, {
      method: 'POST',
      headers: { traceparent, prefer: 'respond-async' },
    });
    const executionId = answer.headers.get('spear-execution-id') ?? '';
    await server.functions.suspendExecution({ executionId });
    await server.functions.resumeExecution({ executionId });
    await server.functions.cancelExecution({ executionId, reason: 'enough' });
    const [whole] = await spansSentOf(executionId);
    const names = whole?.events?.map(({ name }) => name) ?? [];
    expect(names.filter((name) => ['suspend', 'resume', 'cancel'].includes(name))).toEqual(
      expect.arrayContaining(['suspend', 'resume']),
    );
    expect(attributesIn(whole?.attributes)).toMatchObject({
      ...{ 'spear.execution.status': 'cancelled', 'faas.trigger': 'other' },
    });
  });
});

it('what is not sampled has no spans, and its exemplar is of a trace that has', async () => {
  const unsampled = await run('env', { traceparent: `00-${traceId}-${parentId}-00` });
  expect(unsampled.output).toContain(`env TRACEPARENT=00-${traceId}-${parentId}-00\n`);
  const none = await run('env', {});
  expect(none.output).not.toContain('TRACEPARENT');
  const { executionId } = await run('env');
  await spansSentOf(executionId);
  expect(spansOf(receiver, unsampled.executionId)).toEqual([]);
  expect(spansOf(receiver, none.executionId)).toEqual([]);
  const metrics = await fetch(`http://${server.httpAddress}/metrics`, {
    headers: { authorization: `Bearer ${adminToken(server.dataDir)}` },
  });
  const text = await metrics.text();
  expect(text).toMatch(
    new RegExp(`spear_execution_run_seconds_bucket\\{.*\\} \\d+ # \\{trace_id="${traceId}"\\}`),
  );
  expect(text).toMatch(/spear_spans_exported_total [1-9]/);
});

it('a node that is killed before its spans were taken sends them after its restart, with the same ids', async () => {
  const other = await startOtlpReceiver();
  onTestFinished(() => other.close());
  // It has them, and does not say so.
  other.answer = () => {};
  const dataDir = await dataFolder();
  const flags = { otlpEndpoint: other.endpoint, traceSample: '1' };
  const one = await spawn(dataDir, flags);
  await one.register('env', 'misbehaving/env.wasm');
  const executionIds: string[] = [];
  for (let index = 0; index < 5; index++) {
    const mode = index % 2 === 0 ? ExecutionMode.SYNC : ExecutionMode.ASYNC;
    const { executionId } = await one.functions.invokeFunction({ task: 'env', executionMode: mode });
    await one.functions.waitExecution({ executionId });
    executionIds.push(executionId);
  }
  await one.end('SIGKILL');
  other.answer = undefined;
  const two = await spawn(dataDir, flags);
  const { executionId } = await two.functions.invokeFunction({ task: 'env' });
  executionIds.push(executionId);
  await expect
    .poll(() => executionIds.map((id) => spansOf(other, id).length))
    .toEqual(executionIds.map(() => 3));
  for (const id of executionIds) expect(spansOf(other, id)[0]).toMatchObject({ spanId: executionSpan(id) });
  await two.end('SIGKILL');
});

it('a receiver that is down delays no call, and its spans are taken when it is back', async () => {
  const { answer } = receiver;
  receiver.answer = (response) => void response.writeHead(503, { 'retry-after': '1' }).end();
  onTestFinished(() => {
    receiver.answer = answer;
  });
  const before = receiver.requests.length;
  const first = await run('env');
  await expect.poll(() => receiver.requests.length).toBeGreaterThan(before);
  const second = await run('env');
  expect([spansOf(receiver, first.executionId), spansOf(receiver, second.executionId)]).toEqual([[], []]);
  receiver.answer = undefined;
  expect(await spansSentOf(first.executionId)).toHaveLength(3);
  expect(await spansSentOf(second.executionId)).toHaveLength(3);
});
