import { expect, test } from 'vitest';
import { recordToWire } from '../../src/server/wire/execution.ts';
import { recordOf } from '../stores/samples.ts';

const id = 'exec_00000000000000000000000001';
const now = 1_750_000_001_000;

test('a record that was never interrupted, restored or shortened says so', () => {
  expect(recordToWire(recordOf(id, 'running'), now)).toMatchObject({
    recoveries: 0,
    oldestSequence: 1n,
    originExecutionId: '',
  });
});

test('recoveries, the first event that is left and the origin are told', () => {
  const record = recordOf(id, 'completed', {
    recoveries: 2,
    oldestSequence: 9,
    originId: 'exec_00000000000000000000000002',
  });
  expect(recordToWire(record, now)).toMatchObject({
    recoveries: 2,
    oldestSequence: 9n,
    originExecutionId: 'exec_00000000000000000000000002',
  });
});

test.each([
  ['pending', 'pending.queued', ['cancel', 'suspend']],
  ['pending', 'pending.held', ['cancel', 'resume']],
  ['running', 'running.attempting', ['cancel', 'suspend']],
  ['running', 'running.suspended', ['cancel', 'resume']],
  ['running', 'running.stopping', ['cancel']],
  ['completed', 'completed', []],
] as const)('%s in %s: a caller can send %j', (status, state, events) => {
  expect(recordToWire(recordOf(id, status, { state }), now).allowedEvents).toEqual(events);
});
