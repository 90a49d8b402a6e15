import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import type { InstanceEvent } from '../../src/domain/instance.ts';
import { instanceMachine } from '../../src/machines/instance.ts';

const bind: InstanceEvent = { type: 'bind', executionId: 'exec_1', attempt: 1 };
const stop: InstanceEvent = { type: 'stop', reason: 'used' };
const stuck: InstanceEvent = { type: 'stuck', reason: 'no answer' };
const ready: InstanceEvent = { type: 'ready' };
const release: InstanceEvent = { type: 'release' };
const gone: InstanceEvent = { type: 'gone' };

function reached(...events: readonly InstanceEvent[]) {
  let [snapshot] = initialTransition(instanceMachine);
  for (const event of events) [snapshot] = transition(instanceMachine, snapshot, event);
  return snapshot;
}

describe('the instance chart', () => {
  it.each([
    ['starting', []],
    ['idle', [ready]],
    ['busy', [bind]],
    ['busy', [ready, bind]],
    ['idle', [ready, bind, release]],
    ['stopping', [ready, stop]],
    ['stopping', [bind, stop]],
    ['broken', [bind, stop, stuck]],
    ['stopped', [bind, stop, gone]],
    ['stopped', [bind, stop, stuck, gone]],
    ['stopped', [gone]],
  ] as const)('is %s after %j', (state, events) => {
    expect(reached(...events).value).toBe(state);
  });

  it('never makes an instance idle again that was told to stop', () => {
    for (const later of [ready, release, bind]) expect(reached(bind, stop, later).value).toBe('stopping');
    for (const later of [ready, release, bind])
      expect(reached(bind, stop, stuck, later).value).toBe('broken');
  });

  it('counts the attempts that it serves and keeps the last one', () => {
    const second: InstanceEvent = { type: 'bind', executionId: 'exec_2', attempt: 3 };
    expect(reached(ready, bind, release, second, stop).context).toEqual({
      executionId: 'exec_2',
      attempt: 3,
      uses: 2,
      reason: 'used',
    });
  });

  it('has no state that cannot be reached', () => {
    const paths = getShortestPaths(instanceMachine, {
      events: [ready, bind, release, stop, stuck, gone],
      // Uses count up without end.
      serializeState: ({ value }) => JSON.stringify(value) as never,
    });
    expect(new Set(paths.map(({ state }) => state.value))).toEqual(
      new Set(['starting', 'idle', 'busy', 'stopping', 'stopped', 'broken']),
    );
  });
});
