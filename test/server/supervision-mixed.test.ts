/** A container, a process and a component under one supervisor. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  RestartPolicy,
  SupervisionEndReason,
  SupervisionStrategy,
} from '../../src/server/gen/spearlet/batch_pb.js';
import { ErrorCode } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine } from '../support/needs.ts';
import { type LocalServer, startServer } from '../support/server.ts';

describeWhere([await dockerEngine()], 'a container, a process and a component', () => {
  let server: LocalServer;

  beforeAll(async () => {
    await makeTestImage();
    server = await startServer({
      ...{ allowHostAccess: true, slots: '4' },
      dockerHost: 'unix:///var/run/docker.sock',
    });
    await server.tasks.registerTask({
      definition: {
        name: 'container',
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: testImage } },
        args: ['/bin/sh', '-c', 'while true; do sleep 0.1; done'],
      },
    });
    await server.tasks.registerTask({
      definition: {
        name: 'process',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/sh' } },
        args: ['-c', 'sleep 1; exit 4'],
      },
    });
    await server.register('component', 'misbehaving/loop.wasm');
  });

  afterAll(async () => {
    const { bugs } = server;
    await server.stop();
    expect(bugs).toEqual([]);
  });

  test('begin again together when one ends, and end together when it does so too often', async () => {
    const { batch, executionIds } = await server.batches.invokeBatch({
      members: [
        { name: 'container', invocation: { task: 'container' } },
        { name: 'process', invocation: { task: 'process' }, restart: RestartPolicy.TRANSIENT },
        { name: 'component', invocation: { task: 'component' } },
      ],
      supervision: {
        ...{ strategy: SupervisionStrategy.ONE_FOR_ALL, intensity: 1, within: { seconds: 3600n } },
        backoff: { nanos: 1_000_000 },
      },
    });
    const batchId = batch?.batchId ?? '';
    const ended = (await server.batches.waitBatch({ batchId })).batch;
    expect(ended).toMatchObject({
      ...{ isCompleted: true, cancelled: 2, failed: 1 },
      supervision: { restarts: 1n, endReason: SupervisionEndReason.INTENSITY },
    });
    const { members } = await server.batches.listBatchMembers({ batchId });
    for (const [index, { executionId, restarts }] of members.entries()) {
      expect(restarts).toBe(1);
      const last = (await server.functions.getExecutionStatus({ executionId })).result;
      expect(last?.originExecutionId).toBe(executionIds[index]);
      const first = await server.functions.getExecutionStatus({ executionId: executionIds[index] ?? '' });
      const wanted = index === 1 ? ErrorCode.FUNCTION_EXIT : ErrorCode.CANCELLED;
      expect([first.result?.errorCode, last?.errorCode]).toEqual([wanted, wanted]);
    }
    expect(
      (await server.instances.listInstances({})).instances.filter(({ executionId }) => executionId !== ''),
    ).toEqual([]);
  });
});
