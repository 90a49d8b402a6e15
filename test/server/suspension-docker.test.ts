import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine } from '../support/needs.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';

const execute = promisify(execFile);
const ticks = 60;
const script = `n=0; while [ $n -lt ${ticks} ]; do n=$((n + 1)); echo "tick $n"; sleep 0.1; done`;

describeWhere([await dockerEngine()], 'a running container', () => {
  let server: LocalServer;

  beforeAll(async () => {
    await makeTestImage();
    server = await startServer({ allowHostAccess: true, dockerHost: 'unix:///var/run/docker.sock' });
    await server.tasks.registerTask({
      definition: {
        name: 'ticks',
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: testImage } },
        args: ['/bin/sh', '-c', script],
      },
    });
  });

  afterAll(async () => {
    const { bugs } = server;
    await server.stop();
    expect(bugs).toEqual([]);
  });

  /** An execution whose container has begun to write. */
  async function ticking(): Promise<string> {
    const { executionId } = await server.functions.invokeFunction({
      task: 'ticks',
      executionMode: ExecutionMode.ASYNC,
    });
    for await (const { event } of server.functions.watchExecution({ executionId })) {
      if (event.case === 'chunk') break;
    }
    return executionId;
  }

  async function resultOf(executionId: string) {
    return (await server.functions.getExecutionStatus({ executionId })).result;
  }

  async function pausedContainers(instanceId = ''): Promise<number> {
    const filters = [`label=spear.instance=${instanceId}`, 'status=paused'];
    const { stdout } = await execute('docker', [
      'ps',
      '-q',
      ...filters.flatMap((text) => ['--filter', text]),
    ]);
    return stdout.split('\n').filter((line) => line !== '').length;
  }

  test('is paused while it is held, and goes on where it was: the same attempt, all of its output once', async () => {
    const executionId = await ticking();
    const held = { status: ExecutionStatus.RUNNING, state: 'running.suspended' };
    expect(await server.functions.suspendExecution({ executionId })).toMatchObject({
      changed: true,
      ...held,
    });
    expect(await server.functions.suspendExecution({ executionId })).toMatchObject({
      changed: false,
      ...held,
    });
    const result = await resultOf(executionId);
    expect(result).toMatchObject({ ...held, attempt: 1, allowedEvents: ['cancel', 'resume'] });
    expect(await pausedContainers(result?.instanceId)).toBe(1);
    expect((await server.functions.resumeExecution({ executionId })).changed).toBe(true);
    const log = await collect(server.functions.watchExecution({ executionId }));
    expect(expectWholeLog(log)).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      attempt: 1,
      recoveries: 0,
    });
    const whole = Array.from({ length: ticks }, (_, index) => `tick ${index + 1}\n`).join('');
    expect(outputOf(log).toString()).toBe(whole);
  });

  test('that is held is gone once it is cancelled', async () => {
    const executionId = await ticking();
    await server.functions.suspendExecution({ executionId });
    const instanceId = (await resultOf(executionId))?.instanceId;
    await server.functions.cancelExecution({ executionId });
    const { result } = await server.functions.waitExecution({ executionId });
    expect(result?.status).toBe(ExecutionStatus.CANCELLED);
    const all = ['ps', '-aq', '--filter', `label=spear.instance=${instanceId}`];
    expect((await execute('docker', all)).stdout).toBe('');
  });
});
