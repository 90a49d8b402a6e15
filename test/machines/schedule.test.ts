import { expect, test } from 'vitest';
import { firstScheduleState, nextScheduleState } from '../../src/machines/schedule.ts';

test.each([
  ['active.waiting', 'due', 'active.firing'],
  ['active.firing', 'fired', 'active.waiting'],
  ['active.firing', 'skipped', 'active.waiting'],
  ['active.firing', 'refused', 'active.waiting'],
  ['active.firing', 'postponed', 'active.retrying'],
  ['active.retrying', 'due', 'active.firing'],
  ['active.retrying', 'pause', 'paused'],
  ['active.waiting', 'exhausted', 'ended'],
  ['paused', 'resume', 'active.waiting'],
  ['paused', 'pause', undefined],
  ['paused', 'due', undefined],
  ['ended', 'update', 'active.waiting'],
  ['ended', 'pause', undefined],
] as const)('in %s, %s leads to %s', (state, event, to) => {
  expect(nextScheduleState(state, event)).toBe(to);
});

test('a new schedule waits', () => {
  expect(firstScheduleState).toBe('active.waiting');
});
