/** The chart along generated paths: whatever order things come in, what it promises holds. */

import { describe, expect, test } from 'vitest';
import { getNextTransitions } from 'xstate';
import { getShortestPaths, getSimplePaths } from 'xstate/graph';
import { callerEvents, type ExecutionStatus, executionStatuses } from '../../src/domain/execution.ts';
import {
  type ExecutionSnapshot,
  executionMachine,
  machineFor,
  statePath,
} from '../../src/machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../src/machines/execution-context.ts';
import {
  alarm,
  begin,
  cancel,
  completed,
  dispatch,
  inputWith,
  interrupt,
  limit,
  send,
  stopped,
  t0,
  trapped,
  twoAttempts,
} from './chart.ts';

const inputs: Readonly<Record<string, Partial<ExecutionInput>>> = {
  'with everything set': { startAt: t0 + 50, queueMs: 300, attemptMs: 700, retry: twoAttempts },
  'with nothing set': {},
  'with a total timeout nearer than everything else': {
    totalMs: 400,
    startAt: t0 + 350,
    queueMs: 300,
    attemptMs: 700,
    graceMs: 500,
    retry: { ...twoAttempts, initialMs: 10 },
  },
};

/** The chart's state as far as it decides what comes next; instants only as set or not, so that there are few. */
function serialize(snapshot: ExecutionSnapshot): string {
  const { context } = snapshot;
  return JSON.stringify([
    statePath(snapshot),
    context.attempt,
    context.retryAt === null,
    context.cause?.code ?? '',
    context.outcome?.status ?? '',
  ]);
}

/** What could happen next, with the supervisor's word that a slot comes only to who asked for one. */
function possible(snapshot: ExecutionSnapshot): ExecutionEvent[] {
  const { context } = snapshot;
  const state = statePath(snapshot);
  const began = context.stoppingSince ?? t0 + 60 + 1000 * context.attempt;
  const soon = Math.min(began, context.totalDeadline - 1);
  const events: ExecutionEvent[] = [cancel(soon), interrupt(soon), alarm(soon), alarm(context.totalDeadline)];
  for (const at of [
    context.startAt,
    context.queueDeadline,
    context.attemptDeadline,
    context.retryAt,
    context.stopDeadline,
  ]) {
    if (at !== null) events.push(alarm(at));
  }
  if (state === 'pending.queued' || (state === 'running.backingOff' && context.retryAt === null)) {
    events.push(dispatch(soon));
  }
  if (state === 'running.attempting' || state === 'running.stopping') {
    events.push(completed(soon), trapped(soon), stopped(soon), limit(soon));
  }
  return events;
}

type PathSteps = readonly { readonly event: { readonly type: string } }[];

/** The events of a path; the graph puts XState's own first event before them. */
function eventsOf(steps: PathSteps): ExecutionEvent[] {
  return steps
    .map((step) => step.event as ExecutionEvent)
    .filter((event) => !event.type.startsWith('xstate.'));
}

function traversal(more: Partial<ExecutionInput>) {
  return { input: inputWith(more), events: possible, serializeState: serialize };
}

describe.each(Object.entries(inputs))('every shortest path %s', (_, more) => {
  const paths = getShortestPaths(machineFor(inputWith(more)), traversal(more));

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
});

test('every state of the chart is reached', () => {
  const reached = new Set<string>();
  for (const more of Object.values(inputs)) {
    for (const path of getShortestPaths(machineFor(inputWith(more)), traversal(more)))
      reached.add(statePath(path.state));
  }
  const leaves: string[] = [];
  const walk = (node: { key: string; path: string[]; states: object }): void => {
    const inner = Object.values(node.states) as (typeof node)[];
    if (inner.length === 0) leaves.push(node.path.join('.'));
    for (const child of inner) walk(child);
  };
  walk(executionMachine.root);
  expect(leaves).toHaveLength(9);
  expect([...reached].sort()).toEqual(leaves.sort());
});

test('a caller may send in each status what callerEvents lists, and nothing else', () => {
  const ours = ['dispatch', 'alarm', 'attemptEnded', 'limit', 'interrupt', ''];
  const accepted = new Map<ExecutionStatus, Set<string>>(
    executionStatuses.map((status) => [status, new Set()]),
  );
  for (const more of Object.values(inputs)) {
    for (const { state } of getShortestPaths(machineFor(inputWith(more)), traversal(more))) {
      const status = statePath(state).split('.')[0] as ExecutionStatus;
      const events = getNextTransitions(state).map((transition) => transition.eventType);
      const fromCallers = [...new Set(events)].filter((event) => !ours.includes(event));
      expect(fromCallers, statePath(state)).toEqual(callerEvents(status));
      for (const event of fromCallers) accepted.get(status)?.add(event);
    }
  }
  for (const status of executionStatuses)
    expect([...(accepted.get(status) ?? [])]).toEqual(callerEvents(status));
});

describe.each(Object.entries(inputs))('every simple path %s', (_, more) => {
  const paths = getSimplePaths(machineFor(inputWith(more)), traversal(more));

  test('takes no slot without giving it back exactly once, and starts nothing without one', () => {
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) {
      let step = begin(more);
      let asked = step.effects.filter((effect) => effect === 'requestSlot').length;
      let held = 0;
      let running = false;
      for (const event of eventsOf(path.steps)) {
        if (event.type === 'dispatch') {
          expect(asked, 'a slot came to who had asked once').toBe(1);
          asked = 0;
          held = 1;
        }
        if (event.type === 'attemptEnded') running = false;
        step = send(step, event);
        for (const effect of step.effects) {
          if (effect === 'requestSlot') {
            asked++;
            expect(held).toBe(0);
          } else if (effect === 'startAttempt') {
            expect(held).toBe(1);
            expect(running).toBe(false);
            running = true;
          } else if (effect === 'stopAttempt') {
            expect(running).toBe(true);
          } else if (effect === 'releaseSlot') {
            held--;
            expect(held).toBe(0);
          }
        }
        expect(held).toBe(step.state === 'running.attempting' || step.state === 'running.stopping' ? 1 : 0);
        expect(asked).toBeLessThanOrEqual(1);
      }
    }
  });

  test('has an alarm armed in every state that is not final, at the nearest of the deadlines that count there', () => {
    for (const path of paths) {
      let step = begin(more);
      let armed = armedBy(step.effects);
      for (const event of eventsOf(path.steps)) {
        if (event.type === 'alarm') {
          if (armed === undefined || event.at < armed) continue;
          armed = undefined;
        }
        step = send(step, event);
        armed = armedBy(step.effects) ?? armed;
        if (step.snapshot.status === 'done') continue;
        const { context } = step.snapshot;
        const ofState: Readonly<Record<string, number | null>> = {
          'pending.waiting': context.startAt,
          'pending.queued': context.queueDeadline,
          'running.attempting': context.attemptDeadline,
          'running.backingOff': context.retryAt,
          'running.stopping': context.stopDeadline,
        };
        const own = ofState[step.state] ?? Number.POSITIVE_INFINITY;
        // Once the total deadline has rung, what counts in `stopping` is the end of the grace.
        const allowed =
          step.state === 'running.stopping'
            ? [own, context.totalDeadline]
            : [Math.min(own, context.totalDeadline)];
        expect(allowed, `${step.state} after ${event.type}`).toContain(armed);
      }
    }
  });
});

function armedBy(effects: readonly string[]): number | undefined {
  const last = effects.findLast((effect) => effect.startsWith('armAlarm '));
  return last === undefined ? undefined : Number(last.slice('armAlarm '.length));
}
