import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InstanceState } from '../../src/server/gen/spearlet/instance_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { describeWhere, root } from '../support/needs.ts';
import { type LocalServer, startServer } from '../support/server.ts';

describeWhere([root()], 'the instances of a node', () => {
  let server: LocalServer;

  beforeAll(async () => {
    server = await startServer({ allowHostAccess: true });
  });

  afterAll(() => server?.stop());

  const states = async (task: string) =>
    (await server.instances.listInstances({ task })).instances.map(({ state }) => InstanceState[state]);
  const pool = async (task: string) => (await server.instances.listInstances({ task })).pools[0];

  async function registerCat(name: string, more = {}): Promise<string> {
    const { task } = await server.tasks.registerTask({
      definition: {
        name,
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/cat' } },
        warm: { startAhead: true },
        ...more,
      },
    });
    return task?.taskId ?? '';
  }

  test('show the warm one of a task, its use, and the one that replaces it', async () => {
    const taskId = await registerCat('cat');
    await expect.poll(() => states('cat')).toEqual(['IDLE']);
    const [warm] = (await server.instances.listInstances({ task: 'cat' })).instances;
    expect(warm).toMatchObject({
      runtime: RuntimeKind.PROCESS,
      taskId,
      taskName: 'cat',
      taskRevision: 1,
      uses: 0n,
      startedAhead: true,
    });

    const { result } = await server.functions.invokeFunction({ task: 'cat', input: Buffer.from('hello') });
    expect(Buffer.from(result?.output ?? []).toString()).toBe('hello');
    expect(result?.instanceId).toBe(warm?.instanceId);
    await expect.poll(() => states('cat')).toEqual(['IDLE']);
    const [next] = (await server.instances.listInstances({ task: 'cat' })).instances;
    expect(next?.instanceId).not.toBe(warm?.instanceId);
    expect(await pool('cat')).toMatchObject({
      policy: { min: 1, max: 1, maxUses: 1, startAhead: true },
      idle: 1,
      busy: 0,
      warmHits: 1n,
      coldStarts: 0n,
    });
  });

  test('are not kept of a revision that was replaced, nor of a task that was deleted', async () => {
    await registerCat('changing');
    await expect.poll(() => states('changing')).toEqual(['IDLE']);
    await registerCat('changing', { description: 'another' });
    const revisions = async () =>
      (await server.instances.listInstances({ task: 'changing' })).instances.map((one) => one.taskRevision);
    await expect.poll(revisions).toEqual([2]);
    const { taskId } = await server.tasks.deleteTask({ task: 'changing' });
    await expect.poll(() => states(taskId)).toEqual([]);
    expect(await pool(taskId)).toBeUndefined();
  });

  test('are busy while an execution runs, and say which', async () => {
    await registerCat('sleeper', {
      artifact: { source: { case: 'path', value: '/bin/sh' } },
      args: ['-c', 'echo started; exec sleep 60'],
      warm: undefined,
    });
    const { executionId } = await server.functions.invokeFunction({
      task: 'sleeper',
      executionMode: ExecutionMode.ASYNC,
    });
    await expect.poll(() => states('sleeper')).toEqual(['BUSY']);
    const { instances } = await server.instances.listInstances({ task: 'sleeper' });
    expect(instances).toMatchObject([{ executionId, attempt: 1, uses: 1n, startedAhead: false }]);
    // What has not started yet needs no signal.
    const outputBytes = async () =>
      (await server.functions.getExecutionStatus({ executionId })).result?.outputBytes;
    await expect.poll(outputBytes).toBeGreaterThan(0n);
    await server.functions.cancelExecution({ executionId });
    const { result } = await server.functions.waitExecution({ executionId });
    expect(result).toMatchObject({
      status: ExecutionStatus.CANCELLED,
      termination: { rung: 'term' },
      instanceId: instances[0]?.instanceId,
    });
    await expect.poll(() => states('sleeper')).toEqual([]);
  });

  test('of a program that does not wait for its input are thrown away, and its executions get new ones', async () => {
    await registerCat('hasty', { artifact: { source: { case: 'path', value: '/bin/true' } } });
    const spoiled = async () => (await pool('hasty'))?.spoiled ?? 0n;
    await expect.poll(spoiled).toBeGreaterThan(0n);
    const { result } = await server.functions.invokeFunction({ task: 'hasty' });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, exitCode: 0 });
  });

  test('of WebAssembly are worker threads that serve every task', async () => {
    await server.register('count', 'wordcount/wordcount.wasm');
    const { result } = await server.functions.invokeFunction({ task: 'count' });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    const { instances } = await server.instances.listInstances({});
    const threads = instances.filter(({ runtime }) => runtime === RuntimeKind.WASM);
    expect(threads.length).toBeGreaterThan(0);
    expect(threads.some(({ uses }) => uses > 0n)).toBe(true);
  });

  test('of a task that is not there are not found', async () => {
    await expect(server.instances.listInstances({ task: 'nobody' })).rejects.toThrow(/no task "nobody"/);
  });
});
