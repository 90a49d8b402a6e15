/** Retries of a task are a share of its load, so that an outage is not made worse by them. */
import { describe, expect, test } from 'vitest';
import type { RetryPolicy } from '../../src/domain/task.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry, taskWith } from '../support/samples.ts';
import { story, supervisorBench } from './supervisor-bench.ts';

const policy: RetryPolicy = { ...noRetry, maxAttempts: 5, initialMs: 1, budget: 0.1 };

function taskOf(more: Partial<RetryPolicy> = {}) {
  return { ...taskWith({ retry: { ...policy, ...more } }), taskId: 'task_budget' };
}

describe('a retry budget', () => {
  test('lets ten retries through, then a tenth of the first attempts, and says why it lets no more', async () => {
    const bench = supervisorBench({ slots: 100 });
    const task = taskOf();
    const before = 30;
    for (let n = 0; n < before; n++) await bench.admit({ mode: 'async', task });
    for (let round = 0; round < 6; round++) {
      for (const call of bench.runtime.calls) if (!call.over) call.fail('TRAP');
      await bench.clock.advance(20);
    }
    expect(bench.runtime.calls).toHaveLength(before + 10 + 3);
    const failed = await bench.store.executions({ statuses: ['failed'], limit: 100 });
    expect(failed).toHaveLength(before);
    const messages = failed.map(({ outcome }) => (outcome?.status === 'failed' ? outcome.message : ''));
    expect(
      messages.every((message) => message.endsWith('the retries of its task are used up, retry.budget)')),
    ).toBe(true);
    await bench.leavesNothing();
  });

  test('is of one task alone, and bounds no task that has none', async () => {
    const bench = supervisorBench({ slots: 100 });
    for (let n = 0; n < 12; n++) await bench.admit({ mode: 'async', task: taskOf({ budget: 0 }) });
    for (const call of bench.runtime.calls) call.fail('TRAP');
    await bench.clock.advance(20);
    expect(bench.runtime.calls).toHaveLength(22);
    for (const call of bench.runtime.calls) if (!call.over) call.complete();
    await settle();
    const { budget: _budget, ...unbounded } = policy;
    const other = { ...taskWith({ retry: unbounded }), taskId: 'task_other' };
    for (let n = 0; n < 12; n++) await bench.admit({ mode: 'async', task: other });
    for (const call of bench.runtime.calls) if (!call.over) call.fail('TRAP');
    await bench.clock.advance(20);
    expect(bench.runtime.calls).toHaveLength(22 + 24);
    for (const call of bench.runtime.calls) if (!call.over) call.complete();
    await bench.leavesNothing();
  });

  test('holds what it does not let try again, where the task says so, and a resume tries it again', async () => {
    const bench = supervisorBench({ slots: 100 });
    const task = taskOf({ budget: 0, onExhausted: 'hold' });
    const ids: string[] = [];
    for (let n = 0; n < 11; n++) ids.push((await bench.admit({ mode: 'async', task })).executionId);
    for (const call of bench.runtime.calls) call.fail('TRAP');
    await bench.clock.advance(20);
    const held = ids[10] ?? '';
    expect(await bench.record(held)).toMatchObject({ state: 'running.suspended', attempt: 1 });
    expect((await bench.log(held)).at(-1)).toMatchObject({ reasonCode: 'RETRY_BUDGET' });
    expect((await bench.supervisor.explain(held)).summary).toBe(
      "It is held as its task's retries are used up (retry.budget), until somebody resumes it.",
    );
    await bench.supervisor.resume(held);
    await bench.clock.advance(20);
    for (const call of bench.runtime.calls) if (!call.over) call.complete();
    await settle();
    expect(story(await bench.log(held))).toEqual([
      '>pending.queued',
      'pending.queued>running.attempting',
      'running.attempting>running.suspended',
      'running.suspended>running.backingOff',
      'running.backingOff>running.attempting',
      'result',
    ]);
    expect(await bench.record(held)).toMatchObject({ status: 'completed', attempt: 2 });
    await bench.leavesNothing();
  });
});
