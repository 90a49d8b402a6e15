/** The recovery of a node as a whole: its order, its size, its failures. */
import { describe, expect, test } from 'vitest';
import { executionId, recordOf } from '../stores/samples.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { noRetry, taskWith } from '../support/samples.ts';
import { upTo } from './log-bench.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

describe('a recovery', () => {
  test('dispatches nothing before it is durable what was lost', async () => {
    const before = supervisorBench();
    await before.start();
    const after = crash(before);
    after.watched.hold();
    const recovering = after.supervisor.recover();
    await after.clock.advance(1000);
    expect(await isSettled(recovering)).toBe(false);
    expect(after.runtime.calls).toHaveLength(0);
    after.watched.release();
    await recovering;
    await settle();
    expect(after.runtime.calls).toHaveLength(1);
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });

  test('that a drain meets dispatches nothing either', async () => {
    const before = supervisorBench({ slots: 0 });
    await before.start();
    const after = crash(before);
    const recovering = after.supervisor.recover();
    after.supervisor.stopAccepting();
    await recovering;
    await after.clock.advance(1000);
    expect(after.runtime.calls).toHaveLength(0);
    await after.supervisor.leave();
    after.supervisor.close();
  });

  test('of more than a page takes up all of them, oldest first', async () => {
    const store = createMemoryStore();
    const count = 1203;
    const task = taskWith();
    await store.saveRevision(task);
    const contextPatch = JSON.stringify({
      ...{ attempt: 0, totalMs: 300_000, totalDeadline: 1_750_000_300_000, graceMs: 1000 },
      ...{ retry: noRetry, lost: 0, recoveries: 0, recovery: { onInterrupt: 'rerun', maxRecoveries: 3 } },
    });
    await store.commit(
      upTo(count).map((number) => ({
        executionId: executionId(number),
        expectedLastSequence: 0,
        events: [
          {
            ...{ kind: 'transition', from: '', to: 'pending.queued', eventType: 'admit', reasonCode: '' },
            ...{
              contextPatch,
              chartVersion: 2,
              sequence: 1,
              time: 1_750_000_000_000,
              status: 'pending',
              attempt: 0,
            },
          } as never,
        ],
        record: recordOf(executionId(number), 'pending', { lastSequence: 1, attempt: 0 }),
      })),
    );
    const bench = supervisorBench({ slots: 1 }, { store, clocks: { wall: 1_750_000_000_000 } });
    bench.runtime.script = (call) => call.complete();
    expect(await bench.supervisor.recover()).toEqual({ revived: count, incompatible: 0 });
    await bench.clock.advance(100);
    expect(bench.runtime.calls.map(({ attempt }) => attempt.executionId)).toEqual(
      upTo(count).map(executionId),
    );
    expect(await store.unfinished('', 10)).toEqual([]);
    await bench.leavesNothing();
  });

  test('a store that cannot be read stops it with its error', async () => {
    const before = supervisorBench();
    await before.start();
    const after = crash(before);
    after.store.setFault(new Error('disk gone'));
    await expect(after.supervisor.recover()).rejects.toThrow('disk gone');
    after.supervisor.close();
  });
});
