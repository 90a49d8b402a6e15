/** The response's shape per mode, as the seed documents describe it. */
import { describe, expect, test } from 'vitest';
import {
  type ExecutionMode,
  type ExecutionRecord,
  executionStatuses,
  isTerminal,
  type Outcome,
} from '../../src/domain/execution.ts';
import { asyncResponse, type ExecutionResponse, noOutput, syncResponse } from '../../src/domain/response.ts';
import { recordOf } from '../stores/samples.ts';

const id = 'exec_00000000000000000000000001';
const modes: readonly ExecutionMode[] = ['sync', 'async', 'stream'];
const output = { stdout: new Uint8Array([1]), stderr: new Uint8Array([2]), truncated: false };
const now = 1_750_000_001_000;

function outcomeOf(status: ExecutionRecord['status']): Outcome | undefined {
  switch (status) {
    case 'completed':
      return { status, exitCode: 0 };
    case 'failed':
      return { status, code: 'TRAP', message: 'unreachable' };
    case 'timedOut':
      return { status, code: 'TOTAL_TIMEOUT', message: 'too long' };
    case 'cancelled':
      return { status, code: 'CANCELLED', message: 'cancelled' };
    default:
      return undefined;
  }
}

function record(status: ExecutionRecord['status'], mode: ExecutionMode = 'sync'): ExecutionRecord {
  const outcome = outcomeOf(status);
  return recordOf(id, status, { mode, ...(outcome !== undefined && { outcome, completedAt: now }) });
}

describe('for a caller that waited', () => {
  test('completed: the whole result, no status endpoint, nothing to wait for', () => {
    expect(syncResponse(record('completed'), output, 777, now)).toEqual({
      success: true,
      message: 'completed',
      record: record('completed'),
      mode: 'sync',
      status: 'completed',
      isAsync: false,
      isCompleted: true,
      output,
      statusEndpoint: '',
      estimatedCompletionMs: 0,
      timestamp: now,
    } satisfies ExecutionResponse);
  });

  test.each(['failed', 'timedOut', 'cancelled'] as const)(
    '%s: not a success, completed, and the message says why',
    (status) => {
      const response = syncResponse(record(status), output, 777, now);
      expect(response).toMatchObject({
        success: false,
        isCompleted: true,
        statusEndpoint: '',
        estimatedCompletionMs: 0,
      });
      const outcome = outcomeOf(status);
      expect(response.message).toBe(
        outcome?.status !== 'completed' ? `${outcome?.code}: ${outcome?.message}` : '',
      );
    },
  );

  test('its budget over before the outcome: where the execution is, where to ask, and the estimate', () => {
    expect(syncResponse(record('running'), noOutput, 777, now)).toMatchObject({
      success: true,
      status: 'running',
      isAsync: false,
      isCompleted: false,
      statusEndpoint: `/status/${id}`,
      estimatedCompletionMs: 777,
    });
  });
});

describe('for a caller that does not wait', () => {
  test('accepted: pending, no output, no end, the endpoint and the estimate', () => {
    const response = asyncResponse(record('pending', 'async'), 5000, now);
    expect(response).toMatchObject({
      success: true,
      status: 'pending',
      mode: 'async',
      isAsync: true,
      isCompleted: false,
      output: noOutput,
      statusEndpoint: `/status/${id}`,
      estimatedCompletionMs: 5000,
      timestamp: now,
    });
    expect(response.record.completedAt).toBeUndefined();
    expect(response.message).toContain('accepted');
  });

  test('it hears of its acceptance, also where the execution has gone on meanwhile', () => {
    for (const status of executionStatuses) {
      const response = asyncResponse(record(status, 'async'), 5000, now);
      expect(response).toMatchObject({ status: 'pending', isCompleted: false, estimatedCompletionMs: 5000 });
      expect(response.record).toMatchObject({ status: 'pending', attempt: 0, lastSequence: 1 });
      expect(response.record.startedAt).toBeUndefined();
      expect(response.record.completedAt).toBeUndefined();
      expect(response.record.outcome).toBeUndefined();
    }
  });

  test('one with a start delay waits for its start time', () => {
    const delayed = { ...record('pending', 'async'), deadlines: { total: now + 2, startAt: now + 1 } };
    expect(asyncResponse(delayed, 1, now).message).toContain('start time');
    expect(asyncResponse(delayed, 1, now).record.state).toBe('pending.waiting');
  });
});

test('in every status and mode the parts of a response agree with each other', () => {
  for (const status of executionStatuses) {
    for (const mode of modes) {
      for (const [response, told] of [
        [syncResponse(record(status, mode), output, 777, now), status],
        [asyncResponse(record(status, mode), 777, now), 'pending'],
      ] as const) {
        expect(response.status).toBe(told);
        expect(response.mode).toBe(mode);
        expect(response.success).toBe(!['failed', 'timedOut', 'cancelled'].includes(told));
        expect(response.isCompleted).toBe(isTerminal(told));
        expect(response.isAsync).toBe(mode === 'async');
        expect(response.statusEndpoint === '').toBe(response.isCompleted);
        expect(response.estimatedCompletionMs === 0).toBe(response.isCompleted);
        expect(response.message).not.toBe('');
      }
    }
  }
});

test('the constructors make one shape, whatever the runtime and the mode', () => {
  const keys = (response: ExecutionResponse): string[] => Object.keys(response).sort();
  const expected = keys(syncResponse(record('completed'), output, 0, now));
  for (const status of executionStatuses) {
    expect(keys(syncResponse(record(status), output, 1, now))).toEqual(expected);
    expect(keys(asyncResponse(record(status, 'async'), 1, now))).toEqual(expected);
  }
});

test('the message tells people what it waits for', () => {
  const message = (state: string, status: 'pending' | 'running'): string =>
    syncResponse({ ...record(status), state, attempt: 2 }, noOutput, 1, now).message;
  expect(message('pending.waiting', 'pending')).toContain('start time');
  expect(message('pending.queued', 'pending')).toContain('slot');
  expect(message('running.attempting', 'running')).toContain('attempt 2');
  expect(message('running.stopping', 'running')).toContain('stopped');
});
