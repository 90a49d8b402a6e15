import { describe, expect, it } from 'vitest';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import { wholeNode } from '../../src/domain/scope.ts';
import { ActivityLog, type LoadOfTask } from '../../src/observers/node/activity/activity.ts';
import { FakeClock } from '../support/fake-clock.ts';

function made() {
  const clock = new FakeClock();
  const load: LoadOfTask[] = [];
  let cpuMs = 0;
  const log = new ActivityLog({ clock, load: () => load, usage: () => ({ cpuMs, memoryBytes: 1000 }) });
  const work = (ms: number) => {
    cpuMs += ms;
  };
  const end = (taskName: string, executionTimeMs: number, more: Partial<ExecutionRecord> = {}) =>
    log.committed(
      { taskName, status: 'completed', executionTimeMs, ...more } as ExecutionRecord,
      [{ kind: 'result' }] as never,
    );
  return { clock, load, log, end, work };
}

describe('activity', () => {
  it('has an entry for each step that is over, with what ended in it', async () => {
    const { clock, log, end, work } = made();
    for (let ms = 1; ms <= 100; ms += 1) end('a', ms);
    end('a', 5, { status: 'failed' });
    work(2500);
    await clock.advance(5000);
    end('a', 1000);
    await clock.advance(10_000);
    const { total, node, nextStep, firstStep } = log.view(wholeNode, 0, false);
    expect(nextStep - firstStep).toBe(3);
    expect(total.completed).toEqual([100, 1, 0]);
    expect(total.failed).toEqual([1, 0, 0]);
    expect(node.processors).toEqual([0.5, 0, 0]);
    expect(total.p50Ms[2]).toBe(-1);
    expect(Math.abs((total.p50Ms[0] ?? 0) / 50 - 1)).toBeLessThan(0.08);
    expect(Math.abs((total.p99Ms[0] ?? 0) / 99 - 1)).toBeLessThan(0.08);
    expect(log.view(wholeNode, nextStep - 1, false).total.completed).toEqual([0]);
    expect(log.view(wholeNode, nextStep, false).total.completed).toEqual([]);
    log.close();
  });

  it('tells of what is in scope alone, and of tasks by themselves', async () => {
    const { clock, load, log, end } = made();
    end('a', 1);
    end('b', 1);
    end('a', 1, { tenant: 'other' });
    load.push(
      { tenant: 'default', task: 'a', running: 1, waiting: 0 },
      { tenant: 'default', task: 'a', running: 1, waiting: 2 },
      { tenant: 'default', task: '', running: 0, waiting: 7 },
      { tenant: 'other', task: 'a', running: 0, waiting: 5 },
    );
    await clock.advance(5000);
    const seen = (scope: Parameters<ActivityLog['view']>[0]) => {
      const { total } = log.view(scope, 0, false);
      return [total.completed[0], total.running[0], total.waiting[0]];
    };
    expect(seen(wholeNode)).toEqual([3, 2, 14]);
    expect(seen({ tenant: 'default' })).toEqual([2, 2, 9]);
    expect(seen({ tenant: 'other' })).toEqual([1, 0, 5]);
    expect(seen({ tenant: 'default', tasks: ['b*'] })).toEqual([1, 0, 0]);
    expect(seen({ tenant: 'default', tasks: [], execution: 'exec_1' })).toEqual([0, 0, 0]);
    const { tasks } = log.view({ tenant: 'default' }, 0, true);
    expect(tasks.map(({ task, activity }) => [task, activity.completed[0]])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    log.close();
  });

  it('is bounded, whatever there is, and forgets what is old', async () => {
    const { clock, log, end } = made();
    for (let n = 0; n < 3000; n += 1) end(`task-${n}`, 1, { tenant: `tenant-${n % 2000}` });
    await clock.advance(5000);
    const before = log.view(wholeNode, 0, true);
    expect(before.total.completed).toEqual([3000]);
    expect(before.tasks).toHaveLength(100);
    expect(log.view({ tenant: 'tenant-600' }, 0, false).total.completed).toEqual([2]);
    // In one with those of all tenants that are one too many: nobody is told of others.
    expect(log.view({ tenant: 'tenant-1999' }, 0, false).total.completed).toEqual([0]);
    await clock.advance(700_000);
    const after = log.view(wholeNode, 0, true);
    expect(after.total.completed).toEqual(Array(120).fill(0));
    expect(after.tasks).toEqual([]);
    log.close();
  });

  it('counts nothing that has its history elsewhere', async () => {
    const { clock, log, end } = made();
    end('a', 1, { restoredAt: 5 });
    await clock.advance(5000);
    expect(log.view(wholeNode, 0, false).total.completed).toEqual([0]);
    log.close();
  });
});
