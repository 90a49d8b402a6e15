import { expect, test } from 'vitest';
import { getNextTransitions, initialTransition, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { type NodeEvent, nodeMachine } from '../../src/machines/node.ts';

const types = ['started', 'recovered', 'drain', 'drained', 'failed'] as const;
const events: NodeEvent[] = types.map((type) => ({ type }));

function after(...sequence: readonly NodeEvent['type'][]): unknown {
  let [snapshot] = initialTransition(nodeMachine);
  for (const type of sequence) [snapshot] = transition(nodeMachine, snapshot, { type });
  return snapshot.value;
}

test('a node starts, recovers, serves, drains and stops, in this order', () => {
  expect(after()).toBe('starting');
  expect(after('started')).toBe('recovering');
  expect(after('started', 'recovered')).toBe('serving');
  expect(after('started', 'recovered', 'drain')).toBe('draining');
  expect(after('started', 'recovered', 'drain', 'drained')).toBe('stopped');
});

test('it does not serve before it has recovered', () => {
  expect(after('recovered')).toBe('starting');
  expect(after('recovered', 'started')).toBe('recovering');
});

test('a start that fails stops it, and so does a recovery that fails', () => {
  expect(after('failed')).toBe('stopped');
  expect(after('started', 'failed')).toBe('stopped');
});

test('a drain that is asked for while it recovers is not lost, and a second one changes nothing', () => {
  expect(after('started', 'drain')).toBe('draining');
  expect(after('started', 'recovered', 'drain', 'drain', 'recovered')).toBe('draining');
});

test('every state is reached, and the last is not left', () => {
  const paths = getShortestPaths(nodeMachine, { events });
  expect(paths.map((path) => String(path.state.value)).sort()).toEqual(
    Object.keys(nodeMachine.states).sort(),
  );
  for (const { state } of paths) {
    expect(getNextTransitions(state).length === 0).toBe(state.value === 'stopped');
    expect(state.status).toBe(state.value === 'stopped' ? 'done' : 'active');
  }
});
