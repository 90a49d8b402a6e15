import { toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ExecutionResultSchema } from '../../src/server/gen/spearlet/function_pb.js';
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

test('a stored exit code of more than 32 bits is sent, and spoils no list that it is in', () => {
  const outcome = {
    status: 'failed',
    code: 'FUNCTION_EXIT',
    message: 'the function exited with code 4294967295',
    exitCode: 4294967295,
  } as const;
  const result = recordToWire(recordOf(id, 'failed', { outcome }), now);
  expect(result.exitCode).toBe(255);
  expect(toBinary(ExecutionResultSchema, result).length).toBeGreaterThan(0);
});
