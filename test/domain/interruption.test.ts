import { describe, expect, test } from 'vitest';
import {
  defaultInterruptPolicy,
  defaultTimers,
  interruptPolicyOf,
  maxRecoveriesOf,
  mayReattach,
  mayRerun,
  timersOf,
} from '../../src/domain/interruption.ts';
import type { InterruptPolicy, RuntimeKind } from '../../src/domain/task.ts';

describe('what a task does not say about a lost attempt', () => {
  test.each<[RuntimeKind, InterruptPolicy]>([
    ['wasm', 'rerun'],
    ['docker', 'reattachOrRerun'],
    ['process', 'fail'],
  ])('%s: %s', (runtime, policy) => {
    expect(defaultInterruptPolicy(runtime)).toBe(policy);
    expect(interruptPolicyOf({ runtime })).toBe(policy);
  });

  test('three of them are survived', () => {
    expect(maxRecoveriesOf({})).toBe(3);
  });
});

describe('what it says', () => {
  test.each<RuntimeKind>(['wasm', 'docker', 'process'])('%s: holds', (runtime) => {
    expect(interruptPolicyOf({ runtime, onInterrupt: 'reattachOrFail' })).toBe('reattachOrFail');
  });

  test('none may be survived: zero is said, not left out', () => {
    expect(maxRecoveriesOf({ maxRecoveries: 0 })).toBe(0);
  });

  test('of one timer leaves the others at their defaults', () => {
    expect(timersOf({ timers: { queue: 'anew' } })).toEqual({ ...defaultTimers, queue: 'anew' });
    expect(timersOf({})).toEqual({
      start: 'remaining',
      queue: 'remaining',
      attempt: 'anew',
      total: 'absolute',
    });
  });
});

test.each<[InterruptPolicy, boolean, boolean]>([
  ['rerun', true, false],
  ['fail', false, false],
  ['reattachOrRerun', true, true],
  ['reattachOrFail', false, true],
])('%s: may run again %s, may be followed again %s', (policy, rerun, reattach) => {
  expect(mayRerun(policy)).toBe(rerun);
  expect(mayReattach(policy)).toBe(reattach);
});
