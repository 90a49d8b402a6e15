import { expect, test } from 'vitest';
import { transitionWords } from '../../src/domain/transition-words.ts';

test.each([
  ['lost', 'running.backingOff', 'attempt 2 was lost with its node; it runs again'],
  ['lost', 'running.suspended', 'attempt 2 was lost with its node; it runs again once it is resumed'],
  ['reattached', 'running.attempting', 'the node was started again, and goes on with attempt 2 as it ran'],
  ['restored', 'pending.queued', 'it came with a snapshot, and goes on here'],
  ['detach', 'running.stopping', 'it is moved, and goes on where its snapshot is restored'],
  ['dispatch', 'running.attempting', ''],
])('%s to %s is told in words', (eventType, to, words) => {
  expect(transitionWords({ eventType, to, attempt: 2 })).toBe(words);
});
