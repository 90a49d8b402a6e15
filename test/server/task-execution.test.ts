import { describe, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { server, withServer } from './local.ts';

withServer({ slots: '2' });

describe('an execution', () => {
  test('keeps the revision of its admission', async () => {
    await server.register('busy', 'misbehaving/loop.wasm');
    const blockers = await Promise.all(
      [1, 2].map(() => server.functions.invokeFunction({ task: 'busy', executionMode: ExecutionMode.ASYNC })),
    );
    const echo = (word: string) => server.register('revised', 'misbehaving/env.wasm', { args: [word] });
    await echo('old-word');
    const waiting = await server.functions.invokeFunction({
      task: 'revised',
      executionMode: ExecutionMode.ASYNC,
    });
    expect(waiting.result?.status).toBe(ExecutionStatus.PENDING);
    const next = await echo('new-word');
    expect(next.revision).toBe(2);
    for (const { executionId } of blockers) await server.functions.cancelExecution({ executionId });
    const { result } = await server.functions.waitExecution({ executionId: waiting.executionId });
    expect(result?.taskRevision).toBe(1);
    expect(Buffer.from(result?.output ?? []).toString()).toContain('old-word');
    const after = await server.functions.invokeFunction({ task: 'revised' });
    expect(after.result?.taskRevision).toBe(2);
    expect(Buffer.from(after.result?.output ?? []).toString()).toContain('new-word');
  });

  test('is listed by task, status and time, newest first and page by page', async () => {
    const { taskId } = await server.register('listed', 'misbehaving/exit.wasm');
    const ids: string[] = [];
    for (const code of ['0', '1', '0', '2', '0']) {
      ids.unshift((await server.functions.invokeFunction({ task: 'listed', args: [code] })).executionId);
    }
    const list = async (request: Parameters<typeof server.functions.listExecutions>[0]) => {
      const { executions } = await server.functions.listExecutions({ task: 'listed', ...request } as never);
      return executions.map((execution) => execution.executionId);
    };
    expect(await list({})).toEqual(ids);
    expect(await list({ task: taskId })).toEqual(ids);
    expect(await list({ statuses: [ExecutionStatus.FAILED] })).toEqual([ids[1], ids[3]]);
    expect(await list({ statuses: [ExecutionStatus.FAILED, ExecutionStatus.COMPLETED] })).toEqual(ids);
    expect(await list({ statuses: [ExecutionStatus.RUNNING] })).toEqual([]);
    const { result } = await server.functions.getExecutionStatus({ executionId: ids[2] ?? '' });
    const at = result?.createdAt;
    if (at === undefined) throw new Error('no time');
    const after = await list({ createdAfter: at });
    const before = await list({ createdBefore: at });
    expect(after).toEqual(expect.arrayContaining(ids.slice(0, 2)));
    expect(after).not.toContain(ids[4]);
    expect(before).toContain(ids[4]);
    expect(before).not.toContain(ids[0]);
    const paged: string[] = [];
    let pageToken = '';
    do {
      const page = await server.functions.listExecutions({ task: 'listed', pageSize: 2, pageToken });
      paged.push(...page.executions.map((execution) => execution.executionId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(paged).toEqual(ids);
  });
});
