import { expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({}, async () => {
  await server.register('ticker', 'ticker/ticker.wasm');
});

/** What retention does to everything that has ended, as if there were no room, or it were that old. */
async function retained(limits: { readonly maxBytes: number; readonly endedBefore: number }): Promise<void> {
  const always = { now: 0, unusedForMs: Number.MAX_SAFE_INTEGER };
  for (let more = true; more; ) ({ more } = await server.node.store.retain({ ...always, ...limits }));
}

const plenty = Number.MAX_SAFE_INTEGER;

/** An execution of which only the result is left. */
async function shortened(invocationId: string): Promise<string> {
  const request = { task: 'ticker', args: ['5'], invocationId };
  const { executionId } = await server.functions.invokeFunction(request);
  await retained({ maxBytes: plenty, endedBefore: 0 });
  // The first step beyond the size takes logs alone.
  const step = { now: 0, unusedForMs: plenty, endedBefore: 0, maxBytes: 1 };
  expect((await server.node.store.retain(step)).deletedLogs).toBeGreaterThan(0);
  return executionId;
}

test('of a log that is no longer kept a reader hears which event is the oldest, and can go on from there', async () => {
  const executionId = await shortened('one');
  for (const fromSequence of [0n, 1n, 2n]) {
    expect(await refusal(server.functions.watchExecution({ executionId, fromSequence }))).toMatchObject({
      code: 'OUT_OF_RANGE',
      reason: 'SEQUENCE_GONE',
    });
  }
  const { metadata } = await refusal(server.functions.watchExecution({ executionId }));
  const oldest = BigInt(metadata.oldest_sequence ?? '');
  const events = await collect(server.functions.watchExecution({ executionId, fromSequence: oldest }));
  expect(events).toMatchObject([{ sequence: oldest, isFinal: true }]);
  const final = events[0]?.event;
  expect(final?.case === 'result' && final.value).toMatchObject({
    status: ExecutionStatus.COMPLETED,
    outputTruncated: true,
  });
});

test('its status has no output and says that it is cut; its record, key and result are there', async () => {
  const executionId = await shortened('two');
  const { result } = await server.functions.getExecutionStatus({ executionId, includeOutput: true });
  expect(result).toMatchObject({
    status: ExecutionStatus.COMPLETED,
    outputTruncated: true,
    outputBytes: 40n,
  });
  expect(result?.output.byteLength).toBe(0);
  expect(result?.oldestSequence).toBeGreaterThan(1n);
  const again = { task: 'ticker', args: ['5'], invocationId: 'two' };
  expect(await server.functions.invokeFunction(again)).toMatchObject({ joined: true, executionId });
});

test('one that is no longer kept is not found, and its invocation id is free', async () => {
  const request = { task: 'ticker', args: ['1'], invocationId: 'three' };
  const { executionId } = await server.functions.invokeFunction(request);
  await retained({ maxBytes: plenty, endedBefore: plenty });
  expect(await refusal(server.functions.getExecutionStatus({ executionId }))).toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(await refusal(server.functions.watchExecution({ executionId }))).toMatchObject({
    code: 'NOT_FOUND',
  });
  const other = await server.functions.invokeFunction({ ...request, args: ['2'] });
  expect(other).toMatchObject({ joined: false, success: true });
  expect(other.executionId).not.toBe(executionId);
});

test('what runs is kept, whole, while everything else goes', async () => {
  const request = { task: 'ticker', args: ['10', '100'], executionMode: ExecutionMode.ASYNC };
  const { executionId } = await server.functions.invokeFunction(request);
  const watched = collect(server.functions.watchExecution({ executionId }));
  await retained({ maxBytes: 1, endedBefore: plenty });
  const events = await watched;
  expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)?.isFinal).toBe(true);
});
