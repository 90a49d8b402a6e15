/** Real nodes on one real PostgreSQL: any of them answers for any execution. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect as connectChannel } from '../../../src/client/channel.ts';
import { connect } from '../../../src/client/main.ts';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import {
  ErrorCode,
  ExecutionMode,
  ExecutionStatus,
  FunctionService,
  type StreamExecutionResult,
} from '../../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../../src/server/gen/spearlet/node_pb.js';
import { SnapshotService } from '../../../src/server/gen/spearlet/snapshot_pb.js';
import { RuntimeKind, TaskService } from '../../../src/server/gen/spearlet/task_pb.js';
import { describeWhere } from '../../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../../support/postgres.ts';
import { adminToken, type ChildServer, example } from '../../support/server.ts';
import { collect } from '../collect.ts';
import { expectWholeLog, outputOf } from '../grammar.ts';
import { refusal } from '../refusal.ts';
import { start, untilState } from '../spawned.ts';
import { clusterOf } from './cluster-nodes.ts';

async function tickerDefinition() {
  const value = await example('ticker/ticker.wasm');
  const artifact = { source: { case: 'content' as const, value } };
  return { name: 'ticker', runtime: RuntimeKind.WASM, artifact };
}

describeWhere([postgres()], 'nodes of one cluster', () => {
  let engine: PostgresServer;
  let one: ChildServer;
  let two: ChildServer;
  beforeAll(async () => {
    engine = await startPostgres();
  });
  afterAll(() => engine.remove());

  async function pair(): Promise<void> {
    const cluster = await clusterOf((await engine.database()).url);
    [one, two] = [await cluster.start('one'), await cluster.start('two')];
    await one.register('ticker', 'ticker/ticker.wasm');
  }

  test('a call for an execution of another node is answered as at home', async () => {
    await pair();
    const id = await start(two, { task: 'ticker', args: ['1000', '20'] });
    await untilState(one, id, 'running.attempting');
    const seen: StreamExecutionResult[] = [];
    const watched = (async () => {
      for await (const event of one.functions.watchExecution({ executionId: id })) seen.push(event);
    })();
    await expect.poll(() => outputOf(seen).toString()).toContain('tick 3\n');
    const waited = await one.functions.waitExecution({ executionId: id, waitBudget: { nanos: 1e6 } });
    expect(waited.result?.status).toBe(ExecutionStatus.RUNNING);
    const explained = await one.nodes.explainExecution({ executionId: id });
    expect(explained).toMatchObject({
      state: 'running.attempting',
      summary: expect.stringContaining('Attempt 1 has been running'),
    });
    const waiting = one.functions.waitExecution({ executionId: id });
    const cancelled = await one.functions.cancelExecution({ executionId: id, reason: 'enough' });
    expect(cancelled.changed).toBe(true);
    expect((await waiting).result).toMatchObject({
      status: ExecutionStatus.CANCELLED,
      errorCode: ErrorCode.CANCELLED,
    });
    await watched;
    expectWholeLog(seen);
    const stored = await collect(two.functions.watchExecution({ executionId: id }));
    expect(stored.map(({ sequence, event }) => [sequence, event.case])).toEqual(
      seen.map(({ sequence, event }) => [sequence, event.case]),
    );
    expect([...one.output, ...two.output].filter((line) => line.includes('"msg":"bug'))).toEqual([]);
  });

  test('what waits on one node is held, let go on and moved away by another', async () => {
    await pair();
    const later = { task: 'ticker', args: ['1'], startAfter: { seconds: 1000n } };
    const id = await start(two, later);
    expect(await one.functions.suspendExecution({ executionId: id })).toMatchObject({
      changed: true,
      state: 'pending.held',
    });
    expect(await one.functions.resumeExecution({ executionId: id })).toMatchObject({ changed: true });
    const document = await collect(one.snapshots.snapshotExecution({ executionId: id, detach: true }));
    expect(document).not.toHaveLength(0);
    expect(await two.functions.getExecutionStatus({ executionId: id })).toMatchObject({
      result: { errorCode: ErrorCode.MOVED },
    });
    const ended = one.functions.suspendExecution({ executionId: id });
    expect(await refusal(ended)).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'STATE_NOT_ALLOWED' });
  });

  test('a tenant sees and changes nothing of another over a link, and what is explained names no other', async () => {
    await pair();
    const as = (node: ChildServer, tenant: string) => {
      const connection = connectChannel(node.grpcAddress, { token: adminToken(node.dataDir), tenant });
      onTestFinished(() => connection.close());
      return connection;
    };
    const { secret: token } = await as(one, 'blue')
      .service(AccessService)
      .createToken({ name: 'blue', role: Role.OPERATE });
    const blue = connectChannel(one.grpcAddress, { token });
    onTestFinished(() => blue.close());
    const { task } = await as(one, 'red')
      .service(TaskService)
      .registerTask({ definition: await tickerDefinition() });
    expect(task?.definition?.name).toBe('ticker');
    const { executionId } = await as(two, 'red')
      .service(FunctionService)
      .invokeFunction({ task: 'ticker', args: ['1000', '20'], executionMode: ExecutionMode.ASYNC });
    const [functions, nodes] = [blue.service(FunctionService), blue.service(NodeService)];
    for (const call of [
      () => functions.getExecutionStatus({ executionId }),
      () => functions.waitExecution({ executionId }),
      () => functions.watchExecution({ executionId }),
      () => functions.cancelExecution({ executionId }),
      () => functions.suspendExecution({ executionId }),
      () => functions.resumeExecution({ executionId }),
      () => nodes.explainExecution({ executionId }),
      () => blue.service(SnapshotService).snapshotExecution({ executionId, detach: true }),
    ]) {
      expect(await refusal(call())).toMatchObject({ code: 'NOT_FOUND' });
    }
    const red = as(one, 'red').service(FunctionService);
    expect(await red.cancelExecution({ executionId })).toMatchObject({ changed: true });
  });

  test('one invocation id at once on both nodes is one execution', async () => {
    await pair();
    for (let round = 0; round < 10; round++) {
      const request = { task: 'ticker', args: ['1'], invocationId: `once-${round}` };
      const answers = await Promise.all(
        [one, two, one, two].map((node) => node.functions.invokeFunction(request)),
      );
      expect(new Set(answers.map(({ executionId }) => executionId)).size).toBe(1);
      expect(answers.filter(({ joined }) => !joined)).toHaveLength(1);
      expect(answers.every(({ success, result }) => success && result?.isCompleted === true)).toBe(true);
    }
    const other = { task: 'ticker', args: ['2'], invocationId: 'once-0' };
    expect(await refusal(two.functions.invokeFunction(other))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'INVOCATION_ID_IN_USE',
    });
  });

  test('a watch goes on without a gap and a wait without an end when the node that has it is killed', async () => {
    await pair();
    const id = await start(two, { task: 'ticker', args: ['60', '50'] });
    await untilState(two, id, 'running.attempting');
    const waiting = one.functions.waitExecution({ executionId: id });
    const seen: StreamExecutionResult[] = [];
    for await (const event of one.functions.watchExecution({ executionId: id })) {
      seen.push(event);
      if (seen.length === 10) two.process.kill('SIGKILL');
    }
    expect(seen.map(({ sequence }) => Number(sequence))).toEqual(seen.map((_, index) => index + 1));
    expect(seen.at(-1)?.event.value).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 2 });
    expect((await waiting).result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 2 });
  });

  test('a client with both addresses gets its result although its node is killed', async () => {
    await pair();
    using spear = connect({ address: [two.grpcAddress, one.grpcAddress] });
    const execution = await spear.start('ticker', { args: ['40', '50'] });
    await untilState(two, execution.id, 'running.attempting');
    const result = execution.result();
    two.process.kill('SIGKILL');
    const ended = await result;
    expect(ended).toMatchObject({ status: 'COMPLETED', attempt: 2 });
    expect(ended.text().split('\n')).toHaveLength(41);
  });
});
