/** Generated executions, and generated things that happen to them: any order, any instants. */
import fc from 'fast-check';
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts';
import type { InterruptPolicy, TimerPolicy } from '../../src/domain/task.ts';
import type { ExecutionEvent, ExecutionInput } from '../../src/machines/execution-context.ts';
import { inputWith, t0 } from './chart.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];
/** What a runtime reports; the rest is the chart's own to say. */
const runtimeCodes = codes.filter((code) => code !== 'CANCELLED' && !code.endsWith('_TIMEOUT'));

const ms = fc.integer({ min: 1, max: 5000 });
const policy = fc.constantFrom<TimerPolicy>('absolute', 'remaining', 'anew');

export const input: fc.Arbitrary<ExecutionInput> = fc
  .record(
    {
      totalMs: fc.integer({ min: 1, max: 20_000 }),
      graceMs: ms,
      isBlocked: fc.constant(true as const),
      startAt: fc.integer({ min: t0, max: t0 + 6000 }),
      queueMs: ms,
      attemptMs: ms,
      retry: fc.record({
        maxAttempts: fc.integer({ min: 1, max: 4 }),
        initialMs: fc.integer({ min: 0, max: 500 }),
        factor: fc.integer({ min: 1, max: 3 }),
        maxMs: fc.integer({ min: 500, max: 1000 }),
        jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        on: fc.subarray(runtimeCodes),
      }),
      recovery: fc.record({
        onInterrupt: fc.constantFrom<InterruptPolicy>('rerun', 'fail', 'reattachOrRerun', 'reattachOrFail'),
        maxRecoveries: fc.integer({ min: 0, max: 3 }),
      }),
      timers: fc.record({ start: policy, queue: policy, attempt: policy, total: policy }),
    },
    { requiredKeys: ['totalMs', 'graceMs', 'retry', 'recovery'] },
  )
  .map(inputWith);

type Draft = (at: number) => ExecutionEvent;

const random = fc.double({ min: 0, max: 1, noNaN: true });
const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Draft>((at) => ({ type: 'dispatch', at })) },
  { weight: 8, arbitrary: fc.constant<Draft>((at) => ({ type: 'alarm', at })) },
  fc.string().map<Draft>((reason) => (at) => ({ type: 'cancel', at, reason })),
  fc.constant<Draft>((at) => ({ type: 'detach', at })),
  fc.constant<Draft>((at) => ({ type: 'cached', at, outcome: { status: 'completed', output: '1' } })),
  { weight: 3, arbitrary: fc.constant<Draft>((at) => ({ type: 'suspend', at })) },
  { weight: 3, arbitrary: fc.constant<Draft>((at) => ({ type: 'resume', at })) },
  { weight: 2, arbitrary: fc.constant<Draft>((at) => ({ type: 'paused', at })) },
  fc.constant<Draft>((at) => ({ type: 'reattached', at })),
  { weight: 2, arbitrary: fc.constant<Draft>((at) => ({ type: 'lost', at, message: 'gone' })) },
  fc.tuple(fc.integer({ min: -500, max: 1000 }), fc.boolean()).map<Draft>(([age, hold]) => (at) => ({
    type: 'restored',
    at,
    takenAt: at - age,
    hold,
  })),
  { weight: 3, arbitrary: fc.constant<Draft>((at) => ({ type: 'unblocked', at })) },
  fc.constant<Draft>((at) => ({
    type: 'unblocked',
    at,
    failed: { code: 'DEPENDENCY_FAILED', message: 'it depends on exec_1' },
  })),
  fc.constant<Draft>((at) => ({ type: 'limit', at, cause: { code: 'OUTPUT_LIMIT', message: 'much' } })),
  {
    weight: 2,
    arbitrary: random.map<Draft>((r) => (at) => ({
      type: 'attemptEnded',
      at,
      random: r,
      end: { kind: 'completed', exitCode: 0 },
    })),
  },
  random.map<Draft>((r) => (at) => ({
    type: 'attemptEnded',
    at,
    random: r,
    end: { kind: 'stopped', rung: 'ask' },
  })),
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...runtimeCodes), random).map<Draft>(([code, r]) => (at) => ({
      type: 'attemptEnded',
      at,
      random: r,
      end: { kind: 'failed', code, message: 'm', exitCode: 1 },
    })),
  },
);

export const events = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 800 }), draft), { minLength: 3, maxLength: 40 })
  .map((steps) => {
    let at = t0;
    return steps.map(([delta, make]) => {
      at += delta;
      return make(at);
    });
  });
