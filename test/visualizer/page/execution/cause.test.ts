import { expect, it } from 'vitest';
import { causeOf } from '../../../../src/visualizer/page/execution/log/cause.ts';
import type { Step } from '../../../../src/visualizer/page/execution/log/step.ts';

/** Steps of one execution, each as where it leads and the code it gives. */
function steps(...ways: readonly (readonly [to: string, reasonCode?: string])[]): Step[] {
  return ways.map(([to, reasonCode = ''], number) => ({
    number,
    sequence: (number + 1) * 10,
    time: 0,
    attempt: 1,
    status: 'running',
    from: ways[number - 1]?.[0] ?? '',
    to,
    eventType: '',
    reasonCode,
    isFinal: !to.includes('.'),
    patch: () => ({}),
  }));
}

it('is where it began to be stopped for what it ended of', () => {
  expect(
    causeOf(
      steps(
        ['running.attempting'],
        ['running.stopping', 'ATTEMPT_TIMEOUT'],
        ['running.stopping', 'ATTEMPT_TIMEOUT'],
        ['timedOut', 'ATTEMPT_TIMEOUT'],
      ),
    ),
  ).toBe(20);
});

it('is the end itself where the stop had another reason, or an earlier attempt was stopped', () => {
  const stopping = ['running.stopping', 'ATTEMPT_TIMEOUT'] as const;
  expect(causeOf(steps(['running.attempting'], stopping, ['failed', 'KILL_UNCONFIRMED']))).toBe(30);
  const earlier = steps(
    stopping,
    ['running.backingOff', 'ATTEMPT_TIMEOUT'],
    ['running.attempting'],
    ['failed', 'TRAP'],
  );
  expect(causeOf(earlier)).toBe(40);
});

it('is nothing of what goes on', () => {
  expect(causeOf(steps(['running.attempting']))).toBeUndefined();
  expect(causeOf([])).toBeUndefined();
});
