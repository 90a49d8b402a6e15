/** Snapshots that earlier versions wrote, as they wrote them. A file here is never edited; each version adds one. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { another, restore } from './snapshots.ts';

test('version 1, of an execution that was queued, goes on', async () => {
  const document = await readFile(new URL('stored/version-1.snapshot', import.meta.url));
  const target = await another();
  const { result, originExecutionId } = await restore(target, document, {
    environment: { OF_TASK: 'x', OF_CALL: 'y' },
  });
  expect(result).toMatchObject({ metadata: { a: 'b' }, requestId: 'stored', taskName: 'cat' });
  const ended = await target.functions.waitExecution({ executionId: originExecutionId });
  expect(ended.result?.status).toBe(ExecutionStatus.COMPLETED);
  const events = await collect(target.functions.watchExecution({ executionId: originExecutionId }));
  expectWholeLog(events);
  expect(outputOf(events).toString()).toBe('from version 1\n');
});
