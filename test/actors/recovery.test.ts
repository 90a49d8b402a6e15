import { expect, test } from 'vitest';
import { endInterrupted } from '../../src/actors/recovery.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import { createMemoryStore } from '../../src/stores/memory/store.ts';
import { executionId, recordOf, shortLog, transition } from '../stores/samples.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { noRetry, taskWith } from '../support/samples.ts';
import { sequences, storedLog, upTo } from './log-bench.ts';
import { supervisorBench } from './supervisor-bench.ts';

test('what a crashed node left unfinished, in any state, ends INTERRUPTED with the next sequence number', async () => {
  const bench = supervisorBench({ slots: 2 });
  const task = taskWith({ retry: { ...noRetry, maxAttempts: 2 } });
  const backingOff = await bench.admit({ mode: 'async', task });
  bench.runtime.call(0).fail('TRAP');
  await settle();
  const done = await bench.admit({ mode: 'async' });
  bench.runtime.call(1).complete();
  await settle();
  const waiting = await bench.admit({ mode: 'async', startAfterMs: 60_000 });
  const running = await bench.admit({ mode: 'async' });
  await bench.admit({ mode: 'async' });
  const queued = await bench.admit({ mode: 'async' });
  bench.runtime.stopsAfterMs = Number.POSITIVE_INFINITY;
  // The node crashes here: nobody tells the supervisor. Another one starts on what is in the store.
  const clock = new FakeClock();
  clock.jump(60_000);
  const before = new Map<string, ExecutionRecord>();
  for (const { executionId: id } of [backingOff, waiting, running, queued])
    before.set(id, await bench.record(id));
  const untouched = await bench.record(done.executionId);

  expect(await endInterrupted(bench.store, clock)).toBe(5);
  for (const [id, was] of before) {
    const record = await bench.record(id);
    expect(record).toMatchObject({
      status: 'failed',
      state: 'failed',
      attempt: was.attempt,
      lastSequence: was.lastSequence + 1,
      completedAt: clock.now(),
      outcome: { code: 'INTERRUPTED', message: expect.stringContaining(was.state) },
    });
    const events = await storedLog(bench.store, id);
    expect(sequences(events)).toEqual(upTo(record.lastSequence));
    expect(events.at(-1)).toMatchObject({ kind: 'result', status: 'failed', attempt: was.attempt });
    expect(events.filter((event) => event.kind === 'result')).toHaveLength(1);
  }
  expect(await bench.record(done.executionId)).toEqual(untouched);
  expect(await bench.store.unfinished('', 10)).toEqual([]);
  expect(await bench.store.executions({ statuses: ['failed'], limit: 10 })).toHaveLength(5);
});

test('a second recovery finds nothing', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const id = executionId(1);
  await store.commit([
    {
      executionId: id,
      expectedLastSequence: 0,
      events: shortLog().slice(0, 2),
      record: recordOf(id, 'running', { lastSequence: 2 }),
    },
  ]);
  expect(await endInterrupted(store, clock)).toBe(1);
  expect(await endInterrupted(store, clock)).toBe(0);
  expect(await storedLog(store, id)).toHaveLength(3);
});

test('more of them than a page are all ended', async () => {
  const store = createMemoryStore();
  const count = 1203;
  await store.commit(
    upTo(count).map((number) => ({
      executionId: executionId(number),
      expectedLastSequence: 0,
      events: [transition(1, '', 'pending.queued')],
      record: recordOf(executionId(number), 'pending', { lastSequence: 1, attempt: 0 }),
    })),
  );
  expect(await endInterrupted(store, new FakeClock())).toBe(count);
  expect(await store.unfinished('', 10)).toEqual([]);
});

test('the result is not earlier than what stands before it, also where the clock was set back', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const id = executionId(1);
  const start = clock.now();
  const later = { ...transition(2, 'pending.queued', 'running.attempting'), time: start + 90_000 };
  await store.commit([
    {
      executionId: id,
      expectedLastSequence: 0,
      events: [transition(1, '', 'pending.queued'), later],
      record: recordOf(id, 'running', { lastSequence: 2, createdAt: start, startedAt: start + 1 }),
    },
  ]);
  clock.jump(-3_600_000);
  await endInterrupted(store, clock);
  const times = (await storedLog(store, id)).map((event) => event.time);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('a store that cannot be read or written stops the recovery with its error', async () => {
  const store = createMemoryStore();
  store.setFault(new Error('disk gone'));
  await expect(endInterrupted(store, new FakeClock())).rejects.toThrow('disk gone');
});
