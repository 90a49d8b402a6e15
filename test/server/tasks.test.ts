import { durationMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ErrorCode, ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy, RuntimeKind, type Task } from '../../src/server/gen/spearlet/task_pb.js';
import { example, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '2' });
});

afterAll(async () => {
  const { bugs } = server;
  await server.stop();
  expect(bugs).toEqual([]);
});

const cat = 'misbehaving/cat.wasm';

async function names(): Promise<(string | undefined)[]> {
  const { tasks } = await server.tasks.listTasks({});
  return tasks.map((task) => task.definition?.name);
}

describe('a registration', () => {
  test('answers with the task: an id, revision 1 and the definition with its defaults', async () => {
    const content = await example(cat);
    const { task, changed } = await server.tasks.registerTask({
      definition: {
        name: 'cat',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content', value: content } },
        description: 'copies',
        args: ['a'],
        environment: { B: '2', A: '1' },
        timeouts: { total: { seconds: 9n } },
      },
    });
    expect(changed).toBe(true);
    expect(task).toMatchObject({
      taskId: expect.stringMatching(/^task_[0-9a-z]{26}$/),
      revision: 1,
      wit: '',
      functions: [{ name: '', callable: true, reason: '', parameters: [], result: '' }],
      definition: {
        name: 'cat',
        runtime: RuntimeKind.WASM,
        description: 'copies',
        args: ['a'],
        environment: { A: '1', B: '2' },
        allowNetwork: false,
        instancePolicy: InstancePolicy.FRESH,
        artifact: {
          source: { case: undefined },
          sizeBytes: BigInt(content.byteLength),
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        limits: { memory: 134_217_728n, maxOutputBytes: 67_108_864n, maxOutputEvents: 100_000n },
        retry: { maxAttempts: 1, factor: 2, jitter: 0.1, on: [] },
      },
    });
    const { grace, retry, timeouts } = task?.definition ?? {};
    expect(grace && durationMs(grace)).toBe(5000);
    expect(retry?.initial && durationMs(retry.initial)).toBe(200);
    expect(retry?.max && durationMs(retry.max)).toBe(30_000);
    expect(timeouts?.total && durationMs(timeouts.total)).toBe(9000);
    expect(timeouts?.queue).toBeUndefined();
    expect(task?.createdAt).toEqual(task?.updatedAt);
  });

  test('of an equal definition is the same task and revision', async () => {
    const request = async (environment: Record<string, string>) => ({
      definition: {
        name: 'equal',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content' as const, value: await example(cat) } },
        environment,
      },
    });
    const first = await server.tasks.registerTask(await request({ A: '1', B: '2' }));
    const second = await server.tasks.registerTask(await request({ B: '2', A: '1' }));
    expect(second.changed).toBe(false);
    expect(second.task).toEqual(first.task);
  });

  test('of a changed definition is the next revision under the same id', async () => {
    const first = await server.register('changing', cat);
    const second = await server.register('changing', cat, { args: ['new'] });
    const third = await server.register('changing', 'misbehaving/exit.wasm', { args: ['new'] });
    expect([first.revision, second.revision, third.revision]).toEqual([1, 2, 3]);
    expect(new Set([first.taskId, second.taskId, third.taskId]).size).toBe(1);
    expect(third.createdAt).toEqual(first.createdAt);
    const times = [first, second, third].map(({ updatedAt }) => (updatedAt ? timestampMs(updatedAt) : 0));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const { task } = await server.tasks.getTask({ task: 'changing' });
    expect(task).toEqual(third);
  });

  test('with if_absent is ALREADY_EXISTS where the name is taken, and changes nothing', async () => {
    const before = await server.register('taken', cat);
    const refused = await refusal(
      server.tasks.registerTask({
        ifAbsent: true,
        definition: {
          name: 'taken',
          runtime: RuntimeKind.WASM,
          artifact: { source: { case: 'content', value: await example(cat) } },
          args: ['other'],
        },
      }),
    );
    expect(refused).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'TASK_EXISTS',
      metadata: { task_id: before.taskId },
    });
    expect(refused.message).toContain('taken');
    expect((await server.tasks.getTask({ task: 'taken' })).task).toEqual(before);
  });

  test('of one new name many times at once makes one task', async () => {
    const tasks = await Promise.all(
      Array.from({ length: 8 }, (_, i) => server.register('race', cat, { args: [String(i)] })),
    );
    expect(new Set(tasks.map((task) => task.taskId)).size).toBe(1);
    expect(Math.max(...tasks.map((task) => task.revision))).toBe(8);
  });
});

describe('GetTask', () => {
  test('finds a task by its name and by its id', async () => {
    const task = await server.register('found', cat);
    expect((await server.tasks.getTask({ task: 'found' })).task).toEqual(task);
    expect((await server.tasks.getTask({ task: task.taskId })).task).toEqual(task);
  });

  test('lists the functions of a component with their signatures in WIT', async () => {
    await server.register('typed', 'typed/typed.wasm');
    const { task } = await server.tasks.getTask({ task: 'typed' });
    const calc = 'spear:examples/calc@0.1.0#';
    expect(signatures(task)).toMatchObject({
      ping: { parameters: [], result: 'string', callable: true, reason: '' },
      [`${calc}add`]: {
        parameters: [
          { name: 'a', type: 's32' },
          { name: 'b', type: 's32' },
        ],
        result: 's32',
      },
      [`${calc}divide`]: { result: 'result<s32, string>' },
      [`${calc}half`]: { parameters: [{ name: 'n', type: 'option<u32>' }], result: 'option<u32>' },
      [`${calc}translate`]: {
        parameters: [
          { name: 'p', type: expect.stringContaining('point') },
          { name: 'by', type: 'tuple<f64, f64>' },
        ],
        result: expect.stringContaining('point'),
      },
      [`${calc}transpose`]: { parameters: [{ name: 'matrix', type: 'list<list<u32>>' }] },
      [`${calc}nested`]: { result: 'option<option<u8>>' },
      [`${calc}ensure`]: { result: 'result' },
      [`${calc}count`]: { parameters: [], result: 'u32' },
      [`${calc}origin`]: { callable: true },
      'spear:examples/trouble@0.1.0#origin': { callable: true },
      'spear:examples/trouble@0.1.0#crash': { parameters: [], result: '' },
    });
    expect(Object.keys(signatures(task))).not.toContain('');
    for (const word of ['record point', 'variant shape', 'flags permissions', 'enum color', 'add: func(']) {
      expect(task?.wit).toContain(word);
    }
  });

  function signatures(task: Task | undefined) {
    return Object.fromEntries((task?.functions ?? []).map((signature) => [signature.name, signature]));
  }
});

describe('ListTasks', () => {
  test('gives all tasks by name, page by page, without their bytes', async () => {
    for (const name of ['page-c', 'page-a', 'page-e', 'page-b', 'page-d']) await server.register(name, cat);
    const all = await names();
    expect(all).toEqual([...all].sort());
    expect(all).toEqual(expect.arrayContaining(['page-a', 'page-b', 'page-c', 'page-d', 'page-e']));
    const paged: (string | undefined)[] = [];
    let pageToken = '';
    do {
      const page = await server.tasks.listTasks({ pageSize: 2, pageToken });
      expect(page.tasks.length).toBeLessThanOrEqual(2);
      for (const { definition } of page.tasks) {
        paged.push(definition?.name);
        expect(definition?.artifact?.source.case).toBeUndefined();
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    expect(paged).toEqual(all);
  });
});

describe('DeleteTask', () => {
  test('ends new invocations, and the name is free at once', async () => {
    const old = await server.register('gone', cat);
    expect(await server.tasks.deleteTask({ task: 'gone' })).toMatchObject({
      taskId: old.taskId,
      cancelledExecutions: 0,
    });
    for (const task of ['gone', old.taskId]) {
      for (const call of [
        () => server.functions.invokeFunction({ task }),
        () => server.tasks.getTask({ task }),
        () => server.tasks.deleteTask({ task }),
      ]) {
        expect((await refusal(call())).code).toBe('NOT_FOUND');
      }
    }
    expect(await names()).not.toContain('gone');
    const next = await server.register('gone', cat);
    expect(next.taskId).not.toBe(old.taskId);
    expect(next.revision).toBe(1);
  });

  test('leaves alone what was admitted: it runs to its end and stays listed by the id', async () => {
    const { taskId } = await server.register('leaving', 'ticker/ticker.wasm');
    const started = [];
    for (let count = 0; count < 4; count++) {
      started.push(
        await server.functions.invokeFunction({
          task: 'leaving',
          args: ['3', '40'],
          executionMode: ExecutionMode.ASYNC,
        }),
      );
    }
    expect(await server.tasks.deleteTask({ task: taskId })).toMatchObject({ cancelledExecutions: 0 });
    for (const { executionId } of started) {
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, taskName: 'leaving', taskId });
    }
    const { executions } = await server.functions.listExecutions({ task: taskId });
    expect(executions).toHaveLength(4);
  });

  test('with cancel_executions ends what runs and what waits', async () => {
    const { taskId } = await server.register('stopped', 'misbehaving/loop.wasm');
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      const { executionId } = await server.functions.invokeFunction({
        task: 'stopped',
        executionMode: ExecutionMode.ASYNC,
        ...(count === 4 && { startAfter: { seconds: 100n } }),
      });
      ids.push(executionId);
    }
    expect(await server.tasks.deleteTask({ task: 'stopped', cancelExecutions: true })).toEqual(
      expect.objectContaining({ taskId, cancelledExecutions: 5 }),
    );
    for (const executionId of ids) {
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result).toMatchObject({
        status: ExecutionStatus.CANCELLED,
        errorCode: ErrorCode.CANCELLED,
        errorMessage: expect.stringContaining('deleted'),
      });
    }
  });
});

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
