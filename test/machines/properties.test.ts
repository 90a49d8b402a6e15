/** The chart under random events. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ActorRefFrom, createActor } from 'xstate';
import { type executionMachine, machineFor, statePath } from '../../src/machines/execution.ts';
import type { ExecutionEvent } from '../../src/machines/execution-context.ts';
import { events, input } from './arbitrary.ts';
import { begin, type Step } from './chart.ts';
import { hasAttempt } from './graph.ts';
import { Ledger } from './ledger.ts';

test('whatever comes, it ends at most once, has one slot while an attempt runs, counts attempts one by one, and never throws', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(input, events, (more, sequence) => {
      const ledger = new Ledger(begin(more));
      let ended: string | undefined;
      for (const event of sequence) {
        const before = ledger.step;
        if (isImpossible(event, before)) continue;
        const step = ledger.send(event);
        seen.add(step.state);
        expect(step.snapshot.status).not.toBe('error');
        const started = step.snapshot.context.attempt - before.snapshot.context.attempt;
        expect(started === 0 || (started === 1 && event.type === 'dispatch')).toBe(true);
        const { attempt, lost, recoveries } = step.snapshot.context;
        expect(attempt - lost).toBeLessThanOrEqual(more.retry.maxAttempts);
        expect(recoveries).toBeLessThanOrEqual(Math.min(lost, more.recovery.maxRecoveries));
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
  expect(seen.size).toBe(12);
});

/** The supervisor gives a slot to who waits for one, and speaks of an attempt where there is one. */
function isImpossible(event: ExecutionEvent, { snapshot, state }: Step): boolean {
  if (event.type === 'dispatch') return state === 'running.backingOff' && snapshot.context.retryAt !== null;
  return (event.type === 'attemptEnded' || event.type === 'lost') && !hasAttempt(snapshot);
}

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
          takeSlot: () => void effects.push('takeSlot'),
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
