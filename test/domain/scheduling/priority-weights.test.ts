import { expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config.ts';
import { type Priority, priorities } from '../../../src/domain/scheduling/priority.ts';
import { RunOrder } from '../../../src/domain/scheduling/run-order.ts';

const weightsOf = (text: string) => resolveConfig({ priorityWeights: text }, {}).priorityWeights;

test('slots go to priorities by the weights that the operator names, and by the usual ones else', () => {
  expect(weightsOf('high=8,urgent=100')).toEqual({ low: 1, normal: 4, high: 8, urgent: 100 });
  expect(resolveConfig({}, {}).priorityWeights).toEqual({ low: 1, normal: 4, high: 16, urgent: 64 });
  const order = new RunOrder(weightsOf('low=1,normal=1,high=2,urgent=4'));
  const had: Record<Priority, number> = { low: 0, normal: 0, high: 0, urgent: 0 };
  for (let n = 0; n < 2000; n++) {
    for (const priority of priorities)
      order.add(`${priority} ${n}`, { tenant: 'a', priority, fairnessKey: '' });
  }
  for (let n = 0; n < 800; n++) {
    const id = order.take(() => 10) ?? '';
    had[id.split(' ')[0] as Priority] += 1;
    order.end(id, 10);
  }
  expect(had).toEqual({ low: 100, normal: 100, high: 200, urgent: 400 });
});

test.each([
  [
    'urgnt=1',
    /--priority-weights: has "urgnt=1"; allowed is PRIORITY=WEIGHT, with low, normal, high, urgent/,
  ],
  ['low=0', /has "low=0"; allowed is .* 1 to 10000/],
  ['low=1.5', /has "low=1.5"/],
  ['urgent=10001', /has "urgent=10001"/],
  ['low=1,low=2', /has low again/],
  ['normal=20', /gives normal 20 and high 16; allowed is no less for the higher one/],
])('%s is refused', (text, words) => {
  expect(() => weightsOf(text)).toThrow(words);
});
