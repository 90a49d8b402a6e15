/** Deadlines neither ring early nor late, whatever happens to the clocks of the machine (I7). */
import { describe, expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { noRetry } from '../support/samples.ts';
import { restart, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const hourMs = 3_600_000;
const steps = [hourMs, -hourMs, 20 * 365 * 24 * hourMs];
const timeouts = { totalMs: 60_000 };
const options = { slots: 0 };

/** An execution that was admitted just now, and waits. */
async function waiting(bench: SupervisorBench): Promise<string> {
  const { executionId } = await bench.start({}, { timeouts });
  return executionId;
}

/** It ends by its total timeout after `ms` from now, and not before. */
async function expectEndIn(bench: SupervisorBench, executionId: string, ms: number): Promise<void> {
  await bench.clock.advance(ms - 1);
  expect((await bench.record(executionId)).status).toBe('pending');
  await bench.clock.advance(1);
  expect(await bench.record(executionId)).toMatchObject({ outcome: { code: 'TOTAL_TIMEOUT' } });
}

describe.for(steps)('a wall clock that is set by %i ms', (stepMs) => {
  test('while the node runs, before and after an admission: both end at their time', async () => {
    const bench = supervisorBench(options);
    const first = await waiting(bench);
    bench.clock.jump(stepMs);
    await bench.clock.advance(1000);
    bench.time.look();
    const second = await waiting(bench);
    await expectEndIn(bench, first, 59_000);
    await expectEndIn(bench, second, 1000);
    await bench.leavesNothing();
  });

  test('before an admission, and the node crashes and starts again: it ends at its time', async () => {
    const before = supervisorBench(options);
    // The record is of before the step, as where the crash comes before anybody has seen that.
    const record = before.time.record();
    before.clock.jump(stepMs);
    const executionId = await waiting(before);
    await before.clock.advance(5000);
    const after = restart(before, { ...options, downMs: 10_000, record });
    await after.supervisor.recover();
    await expectEndIn(after, executionId, 45_000);
    await after.leavesNothing();
  });

  test('while the node is down: what was admitted before it ends at its time, and so does what comes after', async () => {
    const before = supervisorBench(options);
    const first = await waiting(before);
    const after = restart(before, { ...options, downMs: 10_000, stepMs });
    await after.supervisor.recover();
    const second = await waiting(after);
    await expectEndIn(after, first, 50_000);
    await expectEndIn(after, second, 10_000);
    await after.leavesNothing();
  });

  test('and the machine is started anew later: the time in between counts', async () => {
    const before = supervisorBench(options);
    const executionId = await waiting(before);
    before.clock.jump(stepMs);
    await before.clock.advance(1000);
    const after = restart(before, { ...options, downMs: 20_000, reboot: true });
    await after.supervisor.recover();
    await expectEndIn(after, executionId, 39_000);
    await after.leavesNothing();
  });

  test('between two crashes: a deadline is moved by none of it', async () => {
    let bench = supervisorBench(options);
    const executionId = await waiting(bench);
    for (const by of [stepMs, -stepMs, stepMs]) {
      await bench.clock.advance(5000);
      bench.clock.jump(by);
      await bench.clock.advance(5000);
      bench = restart(bench, { ...options, downMs: 5000, stepMs: -2 * by });
      await bench.supervisor.recover();
    }
    await expectEndIn(bench, executionId, 15_000);
    await bench.leavesNothing();
  });
});

test('a wall clock that is behind after the machine was started anew: no deadline is later than what was left', async () => {
  const before = supervisorBench(options);
  const executionId = await waiting(before);
  await before.clock.advance(20_000);
  const after = restart(before, { ...options, stepMs: -50 * 365 * 24 * hourMs, reboot: true });
  await after.supervisor.recover();
  await expectEndIn(after, executionId, 40_000);
  await after.leavesNothing();
});

describe('a machine that sleeps', () => {
  test('while the node runs: what is left is less by that, and what came due ends when it is seen', async () => {
    const bench = supervisorBench(options);
    const first = await waiting(bench);
    await bench.clock.advance(30_000);
    const second = await waiting(bench);
    bench.clock.sleep(45_000);
    bench.time.look();
    await bench.clock.advance(0);
    expect(await bench.record(first)).toMatchObject({ outcome: { code: 'TOTAL_TIMEOUT' } });
    await expectEndIn(bench, second, 15_000);
    await bench.leavesNothing();
  });

  test('while the node is down: the time counts', async () => {
    const before = supervisorBench(options);
    const executionId = await waiting(before);
    before.clock.sleep(25_000);
    const after = restart(before, { ...options, downMs: 5000, stepMs: -hourMs });
    await after.supervisor.recover();
    await expectEndIn(after, executionId, 30_000);
    await after.leavesNothing();
  });
});

test.for(steps)(
  'a start time and a retry are due at their time, with the clock set by %i ms while the node is down',
  async (stepMs) => {
    const before = supervisorBench({ slots: 2 });
    const retry = { ...noRetry, maxAttempts: 2, initialMs: 25_000 };
    const failing = await before.start({ retry }, { timeouts });
    before.runtime.call(0).fail('TRAP');
    await settle();
    const late = await before.start({}, { timeouts, startAfterMs: 30_000 });
    const after = restart(before, { downMs: 10_000, stepMs });
    await after.supervisor.recover();
    await after.clock.advance(14_999);
    expect((await after.record(failing.executionId)).state).toBe('running.backingOff');
    await after.clock.advance(1);
    expect((await after.record(failing.executionId)).state).toBe('running.attempting');
    await after.clock.advance(4999);
    expect((await after.record(late.executionId)).state).toBe('pending.waiting');
    await after.clock.advance(1);
    expect((await after.record(late.executionId)).state).toBe('running.attempting');
    for (const call of after.runtime.calls) call.complete();
    await after.leavesNothing();
  },
);

test.for(steps)(
  'what an execution took and how long it waited are told by the time that passed, set by %i ms',
  async (stepMs) => {
    const before = supervisorBench({ slots: 1 });
    const { executionId } = await before.start({}, { timeouts });
    await before.clock.advance(2000);
    const after = restart(before, { downMs: 3000, stepMs });
    await after.supervisor.recover();
    await after.clock.advance(1000);
    after.runtime.call(0).complete();
    await settle();
    expect(await after.record(executionId)).toMatchObject({ status: 'completed', executionTimeMs: 6000 });
    await after.leavesNothing();
  },
);

test.for(steps)('so they are of one that cannot go on here, set by %i ms', async (stepMs) => {
  const before = supervisorBench(options);
  const executionId = await waiting(before);
  await before.clock.advance(2000);
  const after = restart(before, { ...options, downMs: 3000, stepMs });
  after.store.taskRevision = async () => undefined;
  await after.supervisor.recover();
  expect(await after.record(executionId)).toMatchObject({
    outcome: { code: 'SNAPSHOT_INCOMPATIBLE' },
    queueTimeMs: 5000,
  });
  await after.leavesNothing();
});

test.for(steps)(
  'ids sort as the executions came, with the clock set by %i ms while the node is down',
  async (stepMs) => {
    const before = supervisorBench(options);
    const first = await waiting(before);
    const after = restart(before, { ...options, downMs: 10, stepMs });
    await after.supervisor.recover();
    const second = await waiting(after);
    expect([second, first].toSorted()).toEqual([first, second]);
    await after.cancelAll();
    await after.leavesNothing();
  },
);

test.for(steps)(
  'an explanation tells instants of the wall clock as it is, and durations as they are, set by %i ms',
  async (stepMs) => {
    const bench = supervisorBench(options);
    const executionId = await waiting(bench);
    await bench.clock.advance(1000);
    bench.clock.jump(stepMs);
    bench.time.look();
    const explanation = await bench.supervisor.explain(executionId);
    expect(explanation.endsAt).toBe(bench.clock.now() + 59_000);
    expect(explanation.details).toContain('in pending.queued for 1 s');
    await bench.cancelAll();
    await bench.leavesNothing();
  },
);
