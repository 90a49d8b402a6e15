/** The chart under random events: any order, any instants. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ActorRefFrom, createActor } from 'xstate';
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts';
import { type executionMachine, machineFor, statePath } from '../../src/machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../src/machines/execution-context.ts';
import { begin, inputWith, send, t0 } from './chart.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];
/** What a runtime reports; the rest is the chart's own to say. */
const runtimeCodes = codes.filter((code) => code !== 'CANCELLED' && !code.endsWith('_TIMEOUT'));

const ms = fc.integer({ min: 1, max: 5000 });
const input: fc.Arbitrary<ExecutionInput> = fc
  .record(
    {
      totalMs: ms,
      graceMs: ms,
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
    },
    { requiredKeys: ['totalMs', 'graceMs', 'retry'] },
  )
  .map(inputWith);

type Draft = (at: number) => ExecutionEvent;

const random = fc.double({ min: 0, max: 1, noNaN: true });
const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Draft>((at) => ({ type: 'dispatch', at })) },
  { weight: 5, arbitrary: fc.constant<Draft>((at) => ({ type: 'alarm', at })) },
  fc.string().map<Draft>((reason) => (at) => ({ type: 'cancel', at, reason })),
  fc.constant<Draft>((at) => ({ type: 'interrupt', at, message: 'bye' })),
  fc.constant<Draft>((at) => ({ type: 'limit', at, cause: { code: 'OUTPUT_LIMIT', message: 'much' } })),
  random.map<Draft>((r) => (at) => ({
    type: 'attemptEnded',
    at,
    random: r,
    end: { kind: 'completed', exitCode: 0 },
  })),
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

const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 800 }), draft), { maxLength: 40 }).map((steps) => {
  let at = t0;
  return steps.map(([delta, make]) => {
    at += delta;
    return make(at);
  });
});

test('whatever comes, it ends at most once, counts attempts upward one by one, and never throws', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(input, events, (more, sequence) => {
      let step = begin(more);
      let ended: string | undefined;
      for (const event of sequence) {
        const before = step;
        step = send(step, event);
        seen.add(step.state);
        expect(step.snapshot.status).not.toBe('error');
        const started = step.snapshot.context.attempt - before.snapshot.context.attempt;
        expect(started === 0 || (started === 1 && event.type === 'dispatch')).toBe(true);
        expect(step.snapshot.context.attempt).toBeLessThanOrEqual(more.retry.maxAttempts);
        if (ended !== undefined) {
          expect(step.snapshot).toBe(before.snapshot);
          expect(step.effects).toEqual([]);
        }
        if (step.snapshot.status === 'done') {
          ended = step.state;
          expect(step.snapshot.context.outcome?.status).toBe(step.state);
        } else {
          expect(step.snapshot.context.outcome).toBeNull();
        }
      }
    }),
    { numRuns: 1000 },
  );
  // The generator comes everywhere, or the above says little.
  expect(seen.size).toBe(9);
});

test('a persisted execution that went through JSON goes on as the one that it was made from', () => {
  fc.assert(
    fc.property(input, events, fc.nat({ max: 40 }), (more, sequence, cut) => {
      const effects: string[] = [];
      const machine = machineFor(more).provide({
        actions: {
          armAlarm: (_, { at }) => void effects.push(`armAlarm ${at}`),
          requestSlot: () => void effects.push('requestSlot'),
          releaseSlot: () => void effects.push('releaseSlot'),
          startAttempt: () => void effects.push('startAttempt'),
          stopAttempt: () => void effects.push('stopAttempt'),
        },
      });
      const first = createActor(machine, { input: more }).start();
      feed(first, sequence.slice(0, cut));
      const text = JSON.stringify(first.getPersistedSnapshot());
      effects.length = 0;
      feed(first, sequence.slice(cut));
      const expected = effects.splice(0);

      const restored = createActor(machine, { snapshot: JSON.parse(text), input: more }).start();
      expect(effects).toEqual([]);
      feed(restored, sequence.slice(cut));
      expect(effects).toEqual(expected);
      expect(statePath(restored.getSnapshot())).toBe(statePath(first.getSnapshot()));
      expect(restored.getSnapshot().context).toEqual(first.getSnapshot().context);
      expect(restored.getSnapshot().status).toBe(first.getSnapshot().status);
    }),
    { numRuns: 300 },
  );
});

/** XState warns of what is sent to an actor that is over, so nothing is. */
function feed(actor: ActorRefFrom<typeof executionMachine>, sequence: readonly ExecutionEvent[]): void {
  for (const event of sequence) if (actor.getSnapshot().status === 'active') actor.send(event);
}
