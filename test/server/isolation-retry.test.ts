import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf, statesOf, timeOf } from './grammar.ts';
import { server, text, withMeasuredServer } from './isolation.ts';

withMeasuredServer();

describe('a retry', () => {
  test('comes after its delay, and all of it is in the log', async () => {
    await server.register('retried', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 3, initial: { nanos: 60_000_000 }, factor: 3, jitter: 0 },
    });
    const events = await collect(server.functions.streamFunction({ task: 'retried', args: ['3'] }));
    const result = expectWholeLog(events);
    expect(result).toMatchObject({ attempt: 3, exitCode: 3, errorCode: ErrorCode.FUNCTION_EXIT });
    expect(statesOf(events)).toEqual([
      'pending.queued',
      'running.attempting',
      'running.backingOff',
      'running.attempting',
      'running.backingOff',
      'running.attempting',
    ]);
    expect(text(outputOf(events))).toBe('bye\nbye\nbye\n');
    for (const attempt of [1, 2, 3]) {
      expect(text(outputOf(events.filter((event) => event.attempt === attempt)))).toBe('bye\n');
    }
    expect(text(result.output)).toBe('bye\n');
  });

  test('is not made for a code that the policy does not name', async () => {
    await server.register('selective', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 3, initial: { nanos: 1 }, on: [ErrorCode.TRAP] },
    });
    const { result } = await server.functions.invokeFunction({ task: 'selective' });
    expect(result).toMatchObject({ attempt: 1, errorCode: ErrorCode.FUNCTION_EXIT });
  });

  test('follows an attempt that timed out and is gone', async () => {
    await server.register('again', 'misbehaving/loop.wasm', {
      retry: { maxAttempts: 2, initial: { nanos: 1_000_000 } },
      timeouts: { attempt: { nanos: 200_000_000 } },
    });
    const events = await collect(server.functions.streamFunction({ task: 'again' }));
    expect(expectWholeLog(events)).toMatchObject({
      status: ExecutionStatus.TIMED_OUT,
      errorCode: ErrorCode.ATTEMPT_TIMEOUT,
      attempt: 2,
    });
    expect(statesOf(events)).toEqual([
      'pending.queued',
      'running.attempting',
      'running.stopping',
      'running.backingOff',
      'running.attempting',
      'running.stopping',
    ]);
  });
});

describe('a start delay', () => {
  test('is waited for in pending.waiting, and counts as queue time', async () => {
    const events = await collect(
      server.functions.streamFunction({ task: 'exit', args: ['0'], startAfter: { nanos: 300_000_000 } }),
    );
    const result = expectWholeLog(events);
    expect(statesOf(events)).toEqual(['pending.waiting', 'pending.queued', 'running.attempting']);
    expect(result.status).toBe(ExecutionStatus.COMPLETED);
    expect(result.queueTimeMs).toBeGreaterThanOrEqual(298n);
    // The delay counts from the admission, not from when its event was written; a time is rounded to a millisecond.
    const [, queued = 0] = events.map(timeOf) as number[];
    const admitted = timestampMs(result.createdAt ?? timestampFromMs(0));
    expect(queued - admitted).toBeGreaterThanOrEqual(298);
  });
});
