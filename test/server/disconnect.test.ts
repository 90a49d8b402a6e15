import { describe, expect, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { line } from './line.ts';
import { server } from './local.ts';
import { executionsOf, firstOf, listed, newExecutionOf, text, withFunctions } from './modes.ts';

withFunctions();

describe('a caller that vanishes', () => {
  test.each(['sync', 'stream'] as const)('in the middle of a %s call stops nothing', async (mode) => {
    const known = await executionsOf('ticker');
    const caller = await line(server.grpcAddress);
    // Long enough to be found and left in its middle, however busy the machine is.
    const request = { task: 'ticker', args: ['4', '500'] };
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
        .poll(() => listed('loop', executionId))
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
      .invokeFunction({ task: 'ticker', args: ['6', '400'], cancelOnDisconnect: true })
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
