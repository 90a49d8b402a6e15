/** The chart along generated paths: whatever order things come in, what it promises holds. */

import { describe, expect, test } from 'vitest';
import { getNextTransitions } from 'xstate';
import { callerEvents, type ExecutionStatus } from '../../src/domain/execution.ts';
import { defaultTimers } from '../../src/domain/interruption.ts';
import { type ExecutionSnapshot, executionMachine, statePath } from '../../src/machines/execution.ts';
import { begin, type Step, send } from './chart.ts';
import {
  everyTransition,
  type Fork,
  inputs,
  leavesOf,
  serialize,
  shortestPaths,
  simplePaths,
  treeOf,
} from './graph.ts';
import { Ledger } from './ledger.ts';

describe.each(Object.entries(inputs))('every shortest path %s', (_, more) => {
  const paths = shortestPaths(more);

  test('there are paths, and each ends at a state of its own', () => {
    expect(paths.length).toBeGreaterThan(8);
    expect(new Set(paths.map((path) => serialize(path.state))).size).toBe(paths.length);
  });

  test('a final state is never left', () => {
    const ends = paths.filter((path) => path.state.status === 'done');
    expect(ends.length).toBeGreaterThanOrEqual(3);
    for (const { state } of ends) {
      expect(getNextTransitions(state)).toEqual([]);
      expect(state.context.outcome?.status).toBe(statePath(state));
    }
  });

  test('an outcome stands in final states alone', () => {
    for (const { state } of paths) expect(state.context.outcome !== null).toBe(state.status === 'done');
  });

  test('time stands still where it is held or suspended, on its way there, and in the ends of such alone', () => {
    for (const { state } of paths) {
      const path = statePath(state);
      const held = path === 'pending.held' || path === 'running.suspended';
      if (held) expect(state.context.heldSince, path).not.toBeNull();
      else if (state.status !== 'done' && path !== 'running.stopping') {
        expect(state.context.heldSince, path).toBeNull();
      }
      if (!held && state.status !== 'done') expect(state.context.pausedAttempt, path).toBeNull();
    }
  });
});

test('every state of the chart is reached', () => {
  const reached = new Set<string>();
  for (const more of Object.values(inputs)) {
    for (const path of shortestPaths(more)) reached.add(statePath(path.state));
  }
  const leaves = leavesOf(executionMachine);
  expect(leaves).toHaveLength(12);
  expect([...reached].sort()).toEqual(leaves.sort());
});

test('a caller may send in each state what callerEvents lists, and nothing else', () => {
  const seen = new Set<string>();
  for (const more of Object.values(inputs)) {
    for (const { state } of shortestPaths(more)) {
      const path = statePath(state);
      const status = path.split('.')[0] as ExecutionStatus;
      expect(fromCallers(state), path).toEqual([...callerEvents({ status, state: path })].sort());
      seen.add(path);
    }
  }
  expect(seen.size).toBe(12);
});

/** While an attempt is being stopped to be held that can be taken back; for any other it means nothing. */
const onlyWhileStoppedToBeHeld = ['resume', 'suspend'];
const ours = [
  'cached',
  'dispatch',
  'alarm',
  'attemptEnded',
  'limit',
  'detach',
  'paused',
  'reattached',
  'lost',
  'restored',
  'unblocked',
  '',
];

function fromCallers(state: ExecutionSnapshot): string[] {
  const events = new Set(getNextTransitions(state).map((transition) => transition.eventType));
  const stopping = statePath(state) === 'running.stopping';
  return [...events]
    .filter((event) => !ours.includes(event) && !(stopping && onlyWhileStoppedToBeHeld.includes(event)))
    .sort();
}

describe.each(Object.entries(inputs))(
  'along every transition, and every way without a hold, %s',
  (_, more) => {
    const walks = [...everyTransition(more), ...simplePaths(more)];
    const tree = treeOf(walks);

    test('it has a slot exactly while an attempt runs, waits for one exactly once, and starts nothing without', () => {
      expect(walks.length).toBeGreaterThan(200);
      const walk = (ledger: Ledger, forks: readonly Fork[]): void => {
        for (const { event, next } of forks) {
          const own = ledger.copy();
          own.send(event);
          walk(own, next);
        }
      };
      walk(new Ledger(begin(more)), tree);
    });

    test('an alarm is armed in every state that is not final, at the nearest of the deadlines that count there', () => {
      const walk = (before: Step, alarm: number | undefined, forks: readonly Fork[]): void => {
        for (const { event, next } of forks) {
          let armed = alarm;
          if (event.type === 'alarm') {
            if (armed === undefined || event.at < armed) {
              walk(before, armed, next);
              continue;
            }
            armed = undefined;
          }
          const step = send(before, event);
          armed = armedBy(step.effects) ?? armed;
          if (step.snapshot.status !== 'done') {
            expect(allowedAlarms(step.snapshot), `${step.state} after ${event.type}`).toContain(armed);
          }
          walk(step, armed, next);
        }
      };
      const first = begin(more);
      walk(first, armedBy(first.effects), tree);
    });
  },
);

function armedBy(effects: readonly string[]): number | undefined {
  const last = effects.findLast((effect) => effect.startsWith('armAlarm '));
  return last === undefined ? undefined : Number(last.slice('armAlarm '.length));
}

function allowedAlarms(snapshot: ExecutionSnapshot): number[] {
  const { context } = snapshot;
  const ofState: Readonly<Record<string, number | null>> = {
    'pending.waiting': context.startAt,
    'pending.queued': context.queueDeadline,
    'running.attempting': context.attemptDeadline,
    'running.backingOff': context.retryAt,
    'running.stopping': context.stopDeadline,
  };
  const state = statePath(snapshot);
  const own = ofState[state] ?? Number.POSITIVE_INFINITY;
  const counts = context.heldSince === null || (context.options.timers ?? defaultTimers).total === 'absolute';
  const nearest = counts ? Math.min(own, context.totalDeadline) : own;
  // Once the total deadline has rung, what counts in `stopping` is the end of the grace.
  return state === 'running.stopping' ? [own, nearest] : [nearest];
}
