import { describe, expect, test } from 'vitest';
import { confirmMs } from '../../src/machines/ending.ts';
import {
  alarm,
  begin,
  cancel,
  completed,
  detach,
  dispatch,
  expectEnd,
  limit,
  send,
  stopped,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

describe('attempting', () => {
  const running = send(begin({ attemptMs: 700, retry: twoAttempts }), dispatch(t0));

  test('a completed attempt completes the execution and gives the slot back', () => {
    const end = send(running, completed(t0 + 5, { exitCode: 0, output: '"x"' }));
    expect(end.state).toBe('completed');
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toEqual({ status: 'completed', exitCode: 0, output: '"x"' });
  });

  test('a failure without attempts left fails it with the code, the exit code and the output', () => {
    const only = send(begin(), dispatch(t0));
    const end = send(only, {
      type: 'attemptEnded',
      at: t0 + 5,
      random: 0,
      end: { kind: 'failed', code: 'FUNCTION_EXIT', message: 'exit 7', exitCode: 7, output: '1' },
    });
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toEqual({
      status: 'failed',
      code: 'FUNCTION_EXIT',
      message: 'exit 7',
      exitCode: 7,
      output: '1',
    });
  });

  test('a failure with a code that is not retryable is not retried, attempts left or not', () => {
    const end = send(running, {
      type: 'attemptEnded',
      at: t0 + 5,
      random: 0,
      end: { kind: 'failed', code: 'MEMORY_LIMIT', message: 'too much' },
    });
    expectEnd(end, 'failed', 'MEMORY_LIMIT');
  });

  test('a retryable failure with attempts left gives the slot back and backs off', () => {
    const step = send(running, trapped(t0 + 5));
    expect(step.state).toBe('running.backingOff');
    expect([...step.effects].sort()).toEqual([`armAlarm ${t0 + 205}`, 'releaseSlot']);
    expect(step.snapshot.context).toMatchObject({ attempt: 1, attemptDeadline: null, retryAt: t0 + 205 });
  });

  test('a retry whose delay would outlast the total deadline is not made, and its error is kept', () => {
    expectEnd(send(running, trapped(totalDeadline - 200)), 'failed', 'TRAP');
    expect(send(running, trapped(totalDeadline - 201)).state).toBe('running.backingOff');
  });

  test('an instance that was stopped by nobody of ours is INSTANCE_LOST', () => {
    expectEnd(send(begin(), dispatch(t0), stopped(t0 + 5)), 'failed', 'INSTANCE_LOST');
  });

  test('the attempt timeout stops it, and the alarm now stands at the end of the grace', () => {
    expect(send(running, alarm(t0 + 699)).snapshot).toBe(running.snapshot);
    const stopping = send(begin({ totalMs: 60_000, attemptMs: 700 }), dispatch(t0), alarm(t0 + 700));
    expect(stopping.state).toBe('running.stopping');
    expect(stopping.effects).toEqual([`armAlarm ${t0 + 800 + confirmMs}`, 'stopAttempt']);
    expect(stopping.snapshot.context.cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT' });
  });

  test('the total timeout wins a tie with the attempt timeout', () => {
    const tie = send(begin({ attemptMs: 10_000 }), dispatch(t0), alarm(totalDeadline));
    expect(tie.snapshot.context.cause).toMatchObject({ code: 'TOTAL_TIMEOUT' });
  });

  test.each([
    ['a cancel', cancel(t0 + 1), 'CANCELLED'],
    ['an output limit', limit(t0 + 1), 'OUTPUT_LIMIT'],
    ['a move to another node', detach(t0 + 1), 'MOVED'],
  ] as const)('%s asks the attempt to stop, and does not end the execution yet', (_, event, code) => {
    const stopping = send(begin({ totalMs: 60_000 }), dispatch(t0), event);
    expect(stopping.state).toBe('running.stopping');
    expect(stopping.effects).toEqual([`armAlarm ${t0 + 101 + confirmMs}`, 'stopAttempt']);
    expect(stopping.snapshot.context).toMatchObject({ cause: { code }, outcome: null });
  });
});
