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
      const logState = index.stateAt(sequence);
      const past = pastRow(row, logState, index);
      expect(past).toMatchObject({
        status: logState.status,
        state: logState.state,
        attempt: logState.attempt,
        outputBytes: logState.outputBytes,
        completedAt: undefined,
        exitCode: undefined,
        errorCode: '',
        errorMessage: '',
        resourceUse: undefined,
        seenAt: logState.time,
      });
      expect(past.startedAt ?? 0).toBeLessThanOrEqual(logState.time);
      expect(past.startedAt === undefined).toBe(logState.attempt === 0);
      expect(past.recoveries).toBe(logState.context.recoveries ?? 0);
      expect(past.queueTimeMs + past.executionTimeMs).toBeLessThanOrEqual(logState.time - row.createdAt);
      if (logState.attempt < row.attempt) expect(past.instanceId).toBe('');
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
