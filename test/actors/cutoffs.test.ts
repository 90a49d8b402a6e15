/** What becomes of attempts that were ended because their node was cut off from the store, on a supervisor. */
import { expect, test } from 'vitest';
import type { Cutoffs } from '../../src/domain/cutoffs.ts';
import type { ErrorCode } from '../../src/domain/errors.ts';
import type { TaskDefinition } from '../../src/domain/task.ts';
import { settle } from '../support/fake-clock.ts';
import { supervisorBench } from './supervisor-bench.ts';

/** All that ran is ended once; the node hears of it when it asks. */
function cutOffOnce() {
  let times = 0;
  let heard = 0;
  const cutoffs: Cutoffs = {
    get times() {
      return heard;
    },
    async known() {
      heard = times;
      return heard;
    },
  };
  return {
    bench: supervisorBench({ cutoffs }),
    endAll() {
      times += 1;
    },
  };
}

const isOnce: Partial<TaskDefinition> = { runtime: 'process', onInterrupt: 'fail' };

test.each([
  ['SIGNALED', 137],
  ['FUNCTION_EXIT', 137],
  ['INSTANCE_LOST', undefined],
  ['RUNTIME_UNAVAILABLE', undefined],
  ['START_FAILED', undefined],
] as const)('one that ends with %s then is lost, and no try', async (code, exitCode) => {
  const { bench, endAll } = cutOffOnce();
  const again = await bench.start({ runtime: 'process', onInterrupt: 'rerun' });
  const once = await bench.start(isOnce);
  endAll();
  for (const call of bench.process.calls.slice(0, 2))
    call.fail(code as ErrorCode, 'killed', exitCode === undefined ? {} : { exitCode });
  await settle();
  await bench.clock.advance(0);
  expect(await bench.record(once.executionId)).toMatchObject({
    status: 'failed',
    outcome: { code: 'INTERRUPTED', message: expect.stringContaining('longer than --partition-grace') },
  });
  expect(await bench.record(again.executionId)).toMatchObject({
    ...{ state: 'running.attempting', attempt: 2, recoveries: 1 },
  });
  // The next one began after that: it fails by itself.
  bench.process.calls.at(-1)?.fail(code as ErrorCode, 'again', exitCode === undefined ? {} : { exitCode });
  await settle();
  expect(await bench.record(again.executionId)).toMatchObject({ status: 'failed', outcome: { code } });
  await bench.leavesNothing();
});

test.each([
  ['FUNCTION_EXIT', 1],
  ['SIGNALED', 139],
  ['MEMORY_LIMIT', 137],
  ['CPU_LIMIT', 137],
] as const)('one that ended with %s and %i had ended by itself', async (code, exitCode) => {
  const { bench, endAll } = cutOffOnce();
  const { executionId } = await bench.start(isOnce);
  endAll();
  bench.process.calls.at(-1)?.fail(code as ErrorCode, 'by itself', { exitCode });
  await settle();
  expect(await bench.record(executionId)).toMatchObject({ status: 'failed', outcome: { code } });
  await bench.leavesNothing();
});

test('one that was being cancelled is cancelled', async () => {
  const { bench, endAll } = cutOffOnce();
  bench.process.stopsAfterMs = Number.POSITIVE_INFINITY;
  const { executionId } = await bench.start(isOnce);
  await bench.supervisor.cancel(executionId, 'enough');
  endAll();
  bench.process.calls.at(-1)?.fail('INSTANCE_LOST');
  await settle();
  expect(await bench.record(executionId)).toMatchObject({ status: 'cancelled' });
  await bench.leavesNothing();
});

test('a task of which attempts are lost so is not quarantined', async () => {
  const { bench, endAll } = cutOffOnce();
  const restartIntensity = { failures: 1, withinMs: 60_000 };
  const { executionId } = await bench.start({ runtime: 'process', onInterrupt: 'rerun', restartIntensity });
  for (let time = 0; time < 3; time++) {
    endAll();
    bench.process.calls.at(-1)?.fail('SIGNALED', 'killed', { exitCode: 137 });
    await settle();
    await bench.clock.advance(0);
  }
  expect(await bench.record(executionId)).toMatchObject({ state: 'running.attempting', recoveries: 3 });
  await bench.cancelAll();
  await bench.leavesNothing();
});
