import { describe, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf, statesOf } from './grammar.ts';
import { server } from './local.ts';
import { counted, statusOf, text, withFunctions, words } from './modes.ts';

withFunctions();

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
    // Ticks that a busy machine brings at once come as one chunk.
    expect(chunks.join('')).toMatch(/^tick 1\ntick 2\n(tick \d+\n)*$/);
    expect(await statusOf(executionId)).toBe(ExecutionStatus.RUNNING);
    await server.functions.cancelExecution({ executionId });
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
