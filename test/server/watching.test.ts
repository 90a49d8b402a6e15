import { describe, expect, test } from 'vitest';
import {
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { line } from './line.ts';
import { server } from './local.ts';
import {
  executionsOf,
  firstOf,
  looping,
  newExecutionOf,
  statusOf,
  text,
  withFunctions,
  withoutViewTime,
  words,
} from './modes.ts';
import { refusal } from './refusal.ts';

withFunctions();

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
