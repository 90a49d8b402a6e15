/** What is refused at once, so that nobody waits for what will come too late. */
import { describe, expect, test } from 'vitest';
import { Durations } from '../../src/domain/durations.ts';
import { settle } from '../support/fake-clock.ts';
import { requestWith, taskWith } from '../support/samples.ts';
import { type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const overload = { targetMs: 100, intervalMs: 1000 };

/** Lets what runs end, one after the other, every 50 ms, until so many have. */
async function work(bench: SupervisorBench, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await bench.clock.advance(50);
    bench.runtime.calls.find((call) => !call.over)?.complete();
    await settle();
  }
}

describe('a node that is overloaded', () => {
  test('refuses what is normal and low, takes what is high, and takes all again when it has caught up', async () => {
    const bench = supervisorBench({ slots: 1, overload });
    const low = { mode: 'async', priority: 'low' } as const;
    for (let n = 0; n < 60; n++) await bench.admit({ mode: 'async' });
    await work(bench, 10);
    await bench.admit({ mode: 'async' });
    await work(bench, 30);
    const refused = { reason: 'OVERLOADED', quota: 'queue-target-ms', kind: 'resource_exhausted' };
    await expect(bench.supervisor.admit(requestWith({ mode: 'async' }))).rejects.toMatchObject(refused);
    await expect(bench.supervisor.admit(requestWith(low))).rejects.toMatchObject(refused);
    await bench.admit({ mode: 'async', priority: 'high' });
    await work(bench, 22);
    expect(bench.supervisor.load).toMatchObject({ running: 0, pending: 0 });
    await bench.admit({ mode: 'async' });
    await bench.admit(low);
    await work(bench, 2);
    await bench.leavesNothing();
  });

  test('refuses nobody for a burst', async () => {
    const bench = supervisorBench({ slots: 1, overload });
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < 15; n++) await bench.admit({ mode: 'async' });
      await work(bench, 15);
      await bench.clock.advance(300);
    }
    await bench.leavesNothing();
  });
});

describe('refuse_if_late', () => {
  test('counts those that wait before it for the same value of a key, with slots to spare', async () => {
    const bench = supervisorBench({ slots: 8, durations: new Durations() });
    const keyed = { task: taskWith({ concurrency: [{ key: 'task', limit: 1 }] }), mode: 'async' } as const;
    for (let n = 0; n < 3; n++) {
      await bench.admit(keyed);
      await bench.clock.advance(200);
      bench.runtime.call(n).complete();
      await settle();
    }
    const late = { ...keyed, timeouts: { totalMs: 700 }, refuseIfLate: true } as const;
    for (let n = 0; n < 3; n++) await bench.admit(late);
    await expect(bench.supervisor.admit(requestWith(late))).rejects.toMatchObject({
      reason: 'WOULD_BE_LATE',
      metadata: { likely_ms: '800', total_ms: '700' },
    });
    for (let n = 3; n < 6; n++) {
      bench.runtime.call(n).complete();
      await settle();
    }
    await bench.leavesNothing();
  });

  const timeouts = { totalMs: 500 };
  const late = { mode: 'async', timeouts, refuseIfLate: true } as const;

  test('refuses what would likely not be over in time, and takes what would', async () => {
    const bench = supervisorBench({ slots: 1, durations: new Durations() });
    for (let n = 0; n < 5; n++) {
      await bench.admit({ mode: 'async' });
      await bench.clock.advance(200);
      bench.runtime.call(n).complete();
      await settle();
    }
    await bench.admit(late);
    await bench.admit(late);
    await expect(bench.supervisor.admit(requestWith(late))).rejects.toMatchObject({
      kind: 'deadline_exceeded',
      reason: 'WOULD_BE_LATE',
      metadata: { likely_ms: '600', total_ms: '500' },
    });
    await bench.admit({ mode: 'async', timeouts });
    expect(bench.supervisor.load).toMatchObject({ running: 1, pending: 2 });
    for (let n = 5; n < 8; n++) {
      bench.runtime.call(n).complete();
      await settle();
    }
    await bench.leavesNothing();
  });
});
