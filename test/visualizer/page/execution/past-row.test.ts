import { expect, test } from 'vitest';
import { lifetimeOf } from '../../../../src/visualizer/page/execution/log/lifetime.ts';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import { pastRow } from '../../../../src/visualizer/page/execution/log/past-row.ts';
import { failedAfterRetries, recovered } from './recordings.ts';

test('a record of the past knows nothing of what came later', () => {
  for (const run of [failedAfterRetries(), recovered()]) {
    const index = new LogIndex(run.log());
    index.catchUp();
    const row = run.row();
    for (let sequence = 1; sequence < index.log.lastSequence; sequence += 1) {
      const standing = index.standingAt(sequence);
      const past = pastRow(row, standing, index);
      expect(past).toMatchObject({
        status: standing.status,
        state: standing.state,
        attempt: standing.attempt,
        outputBytes: standing.outputBytes,
        completedAt: undefined,
        exitCode: undefined,
        errorCode: '',
        errorMessage: '',
        resourceUse: undefined,
        seenAt: standing.time,
      });
      expect(past.startedAt ?? 0).toBeLessThanOrEqual(standing.time);
      expect(past.startedAt === undefined).toBe(standing.attempt === 0);
      expect(past.recoveries).toBe(standing.context.recoveries ?? 0);
      expect(past.queueTimeMs + past.executionTimeMs).toBeLessThanOrEqual(standing.time - row.createdAt);
      if (standing.attempt < row.attempt) expect(past.instanceId).toBe('');
    }
  }
});

test('an execution lasts from its call to its end, however late its first event was written', () => {
  const run = failedAfterRetries();
  const log = run.log();
  const first = log.first?.time as number;
  const row = { ...run.row(), createdAt: first - 8, completedAt: first + 26 };
  expect(lifetimeOf(log, row)).toEqual({ from: first - 8, to: first + 26 });
});
