import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { untilAborted } from '../../src/actors/until-aborted.ts';

const never = new Promise<string>(() => {});

test('a wait ends as the promise does, and leaves no listener on the signal', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve('done'), signal, 'aborted')).toBe('done');
  await expect(untilAborted(Promise.reject(new Error('lost')), signal, 'aborted')).rejects.toThrow('lost');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('an abort ends the wait for what never comes, before it began or later', async () => {
  const controller = new AbortController();
  const waiting = untilAborted(never, controller.signal, 'aborted');
  controller.abort();
  expect(await waiting).toBe('aborted');
  expect(await untilAborted(never, controller.signal, 'aborted')).toBe('aborted');
});

test('what fails after the abort is nobody’s unhandled rejection', async () => {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<string>();
  const waiting = untilAborted(promise, controller.signal, 'aborted');
  controller.abort();
  expect(await waiting).toBe('aborted');
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  reject(new Error('too late'));
  // Node tells of it after the microtasks.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listener);
  expect(unhandled).toEqual([]);
});
