/** What an older program stored and could not tell: one record never breaks a list, a status or a watch. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { executionId } from '../stores/samples.ts';
import { collect } from './collect.ts';
import { dataFolder, spawn } from './spawned.ts';

test('an exit code that no int32 can be is told as its low byte, and lists and watches that have it work', async () => {
  const dataDir = await dataFolder();
  const packed = fileURLToPath(new URL('../stores/stored/version-2.db.gz', import.meta.url));
  await writeFile(join(dataDir, 'spear.db'), gunzipSync(await readFile(packed)));
  const server = await spawn(dataDir);
  const poisoned = { executionId: executionId(3) };
  const expected = { status: ExecutionStatus.FAILED, errorCode: ErrorCode.FUNCTION_EXIT, exitCode: 255 };
  const { executions } = await server.functions.listExecutions({});
  expect(executions.map((one) => one.executionId)).toEqual([5, 3, 2, 1].map(executionId));
  expect(executions[1]).toMatchObject(expected);
  expect((await server.functions.getExecutionStatus(poisoned)).result).toMatchObject(expected);
  expect((await server.functions.waitExecution(poisoned)).result).toMatchObject(expected);
  const events = await collect(server.functions.watchExecution(poisoned));
  expect(events.at(-1)?.event).toMatchObject({ case: 'result', value: expected });
  const answer = await fetch(`http://${server.httpAddress}/api/FunctionService/ListExecutions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain(executionId(3));
});
