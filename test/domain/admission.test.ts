import { expect, test } from 'vitest';
import { admissionRule } from '../../src/domain/admission.ts';

const load = { running: 0, slots: 2, pending: 0, queueLimit: 3 };

test('a free slot that nobody waits for is taken at once', () => {
  expect(admissionRule(load)).toBe('run');
  expect(admissionRule({ ...load, running: 1 })).toBe('run');
});

test('without a free slot it is queued, up to the limit', () => {
  for (const pending of [0, 1, 2]) expect(admissionRule({ ...load, running: 2, pending })).toBe('queue');
  expect(admissionRule({ ...load, running: 2, pending: 3 })).toBe('refuse');
  expect(admissionRule({ ...load, running: 2, pending: 4 })).toBe('refuse');
});

test('who waits already goes first, a free slot or not', () => {
  expect(admissionRule({ ...load, running: 1, pending: 1 })).toBe('queue');
});

test('with no queue it runs at once or not at all', () => {
  expect(admissionRule({ ...load, queueLimit: 0 })).toBe('run');
  expect(admissionRule({ ...load, queueLimit: 0, running: 2 })).toBe('refuse');
});
