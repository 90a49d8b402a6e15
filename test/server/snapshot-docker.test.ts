import { expect, test } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { describeWhere, dockerEngine } from '../support/needs.ts';
import type { LocalServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf } from './grammar.ts';
import { refusal } from './refusal.ts';
import { another, begin, restore, take, untilSequence } from './snapshots.ts';

const engine = { dockerHost: 'unix:///var/run/docker.sock' } as const;

async function registered(server: LocalServer, network = false): Promise<void> {
  await server.tasks.registerTask({
    definition: {
      name: 'count',
      runtime: RuntimeKind.DOCKER,
      artifact: { source: { case: 'image', value: testImage } },
      args: ['sh', '-c', 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done'],
      allowNetwork: network,
    },
  });
}

describeWhere([await dockerEngine()], 'a running container', () => {
  test('is left behind by a move, and another runs where it is restored', async () => {
    await makeTestImage();
    const source = await another(engine);
    await registered(source);
    const executionId = await begin(source, { task: 'count' });
    await untilSequence(source, executionId, 3n);
    const { summary, document } = await take(source, executionId, { detach: true });
    expect(summary.notCarried).toEqual([
      expect.stringContaining('the container of attempt 1'),
      expect.stringContaining(`its image ${testImage}`),
    ]);
    const left = await source.functions.getExecutionStatus({ executionId });
    expect(left.result?.errorCode).toBe(ErrorCode.MOVED);
    // The one engine has the image for both.
    const target = await another(engine);
    await restore(target, document);
    const { result } = await target.functions.waitExecution({ executionId });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 2, recoveries: 0 });
    const events = await collect(target.functions.watchExecution({ executionId }));
    expectWholeLog(events);
    expect(outputOf(events.filter(({ attempt }) => attempt === 2)).toString()).toBe('1\n2\n3\n4\n5\n6\n');
  });

  test('needs the policy for its network, and an engine that answers', async () => {
    await makeTestImage();
    const source = await another(engine);
    await registered(source, true);
    const executionId = await begin(source, { task: 'count', startAfter: { seconds: 3600n } });
    const { document } = await take(source, executionId, { detach: true });
    const strict = await refusal(restore(await another(engine), document));
    expect(strict).toMatchObject({ code: 'PERMISSION_DENIED', metadata: { wanted: 'network' } });
    const without = await refusal(restore(await another({ restoreAllow: 'network' }), document));
    expect(without).toMatchObject({ code: 'UNAVAILABLE', reason: 'RUNTIME_UNAVAILABLE' });
    const open = await restore(await another({ ...engine, restoreAllow: 'network' }), document);
    expect(open.result?.state).toBe('pending.waiting');
  });
});
