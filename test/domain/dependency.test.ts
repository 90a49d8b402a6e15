import { expect, test } from 'vitest';
import {
  type Dependency,
  dependencyEnd,
  dependencyFailure,
  failsDependant,
  isReleased,
  isUnmet,
} from '../../src/domain/dependency.ts';

const executionId = 'exec_1';
const failed = {
  status: 'failed',
  outcome: { status: 'failed', code: 'TRAP', message: 'unreachable' },
} as const;

test('one that was moved has not ended here, whatever its status', () => {
  expect(dependencyEnd({ status: 'running' })).toBeUndefined();
  expect(dependencyEnd({ status: 'completed', outcome: { status: 'completed' } })).toBe('completed');
  expect(dependencyEnd(failed)).toBe('failed');
  expect(dependencyEnd({ status: 'cancelled' })).toBe('failed');
  const outcome = { status: 'failed', code: 'MOVED', message: '' } as const;
  expect(dependencyEnd({ status: 'failed', outcome })).toBe('moved');
});

test('who runs anyway never fails for a dependency, and any other exactly where that is unmet', () => {
  for (const end of ['completed', 'failed', 'moved'] as const) {
    for (const condition of [undefined, 'ended'] as const) {
      const dependency: Dependency = { executionId, ...(condition && { condition }) };
      expect(failsDependant(dependency, end)).toBe(isUnmet(dependency, end));
      expect(failsDependant({ ...dependency, onFailure: 'runAnyway' }, end)).toBe(false);
    }
    expect(isUnmet({ executionId } as Dependency, end)).toBe(end !== 'completed');
    expect(isUnmet({ condition: 'ended' }, end)).toBe(end === 'moved');
  }
});

test('one that is to fail waits for none of the others', () => {
  expect(isReleased({ open: 1 })).toBe(false);
  expect(isReleased({ open: 0 })).toBe(true);
  expect(isReleased({ open: 3, failedBy: executionId })).toBe(true);
});

test('a failure names the dependency, what it had to become and what became of it', () => {
  expect(dependencyFailure({ executionId, name: 'first' }, failed)).toBe(
    'it depends on first (exec_1) to complete, which ended failed with TRAP: unreachable',
  );
  expect(dependencyFailure({ executionId, condition: 'ended' }, undefined)).toBe(
    'it depends on exec_1 to end here, which it did not',
  );
});
