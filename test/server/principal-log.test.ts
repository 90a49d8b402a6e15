/** Who did what is in the log of the execution, over restarts and moves. */
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';

async function started(): Promise<LocalServer> {
  const server = await startServer();
  onTestFinished(() => server.stop());
  await server.register('loop', 'misbehaving/loop.wasm', { onInterrupt: 1 });
  return server;
}

async function caller(server: LocalServer, name: string, role: Role) {
  const { secret } = await server.connection.service(AccessService).createToken({ name, role });
  const connection = connect(server.grpcAddress, { token: secret });
  onTestFinished(() => connection.close());
  return {
    functions: connection.service(FunctionService),
    snapshots: connection.service(SnapshotService),
  };
}

/** Each event that somebody asked for, and by whom. */
async function told(server: LocalServer, executionId: string): Promise<string[]> {
  const events = await collect(server.functions.watchExecution({ executionId }));
  return events
    .filter(({ principal }) => principal !== '')
    .map(
      ({ event, principal }) =>
        `${event.case === 'transition' ? event.value.eventType : event.case} ${principal}`,
    );
}

test('each event that a caller caused says who it was, and no other does', async () => {
  const server = await started();
  const ci = await caller(server, 'ci', Role.INVOKE);
  const ops = await caller(server, 'ops', Role.INVOKE);
  const { executionId } = await ci.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  await ops.functions.suspendExecution({ executionId });
  await ci.functions.resumeExecution({ executionId });
  await ops.functions.cancelExecution({ executionId, reason: 'enough' });
  expect(await told(server, executionId)).toEqual([
    'admit token ci',
    'suspend token ops',
    'resume token ci',
    'cancel token ops',
  ]);
});

test('an execution that ends while it waits says who ended it', async () => {
  const server = await started();
  const ci = await caller(server, 'ci', Role.INVOKE);
  const { executionId } = await ci.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
    startAfter: { seconds: 60n },
  });
  await server.functions.cancelExecution({ executionId });
  expect(await told(server, executionId)).toEqual(['admit token ci', "result the administrator's token"]);
});

test('a snapshot carries who did what, and who restores it is told from then on', async () => {
  const [here, there] = [await started(), await started()];
  const ci = await caller(here, 'ci', Role.OPERATE);
  const { executionId } = await ci.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  const parts = await collect(ci.snapshots.snapshotExecution({ executionId, detach: true }));
  const mover = await caller(there, 'mover', Role.OPERATE);
  await mover.snapshots.restoreExecution(
    (async function* () {
      yield { step: { case: 'options' as const, value: { hold: true } } };
      for (const { step } of parts) if (step.case === 'data') yield { step };
    })(),
  );
  await there.functions.cancelExecution({ executionId });
  expect(await told(there, executionId)).toEqual([
    'admit token ci',
    'restored token mover',
    "result the administrator's token",
  ]);
  expect(await told(here, executionId)).toContain('detach token ci');
});
