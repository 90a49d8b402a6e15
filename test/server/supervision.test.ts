/** Batches whose members begin again, over the wire of a real node. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import {
  type Batch,
  type BatchMemberState,
  MemberFailurePolicy,
  RestartPolicy,
  SupervisionEndReason,
  SupervisionPhase,
  SupervisionStrategy,
} from '../../src/server/gen/spearlet/batch_pb.js';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '8' }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

type Request = Parameters<typeof server.batches.invokeBatch>[0];

const soon = { backoff: { nanos: 1_000_000 } };

async function begun(request: Request): Promise<Batch> {
  const { batch } = await server.batches.invokeBatch(request);
  if (batch === undefined) throw new Error('no batch in the answer');
  return batch;
}

async function ended(batchId: string): Promise<Batch> {
  const { batch } = await server.batches.waitBatch({ batchId });
  if (batch === undefined) throw new Error('no batch in the answer');
  return batch;
}

async function membersOf(batchId: string): Promise<BatchMemberState[]> {
  return (await server.batches.listBatchMembers({ batchId })).members;
}

/** Of a member, the newest execution first. */
async function executionsOf(executionId: string) {
  const found = [];
  for (let id = executionId; id !== ''; ) {
    const { result } = await server.functions.getExecutionStatus({ executionId: id });
    if (result === undefined) throw new Error(`no ${id}`);
    found.push(result);
    id = result.originExecutionId;
  }
  return found;
}

async function untilRunning(batchId: string, count: number): Promise<void> {
  const running = async () => (await server.batches.getBatch({ batchId })).batch?.running;
  await expect.poll(running).toBe(count);
}

describe('a supervised batch', () => {
  test('begins again as a whole, and ends once a member has failed too often, saying why', async () => {
    const { batchId } = await begun({
      members: [
        { name: 'first', invocation: { task: 'loop' } },
        { name: 'second', invocation: { task: 'loop' } },
        { name: 'bad', invocation: { task: 'exit', args: ['3'] } },
      ],
      supervision: { strategy: SupervisionStrategy.ONE_FOR_ALL, intensity: 2, ...soon },
    });
    const batch = await ended(batchId);
    expect(batch).toMatchObject({
      isCompleted: true,
      failed: 1,
      cancelled: 2,
      lastSequence: 3n,
      supervision: {
        strategy: SupervisionStrategy.ONE_FOR_ALL,
        intensity: 2,
        phase: SupervisionPhase.ENDED,
        restarts: 2n,
        endReason: SupervisionEndReason.INTENSITY,
        endMessage:
          'member 2 (bad) ended FUNCTION_EXIT, and 2 restarts within 1 min 0 s are all that are allowed',
      },
    });
    const members = await membersOf(batchId);
    expect(members.map(({ restarts, sequence, errorCode }) => ({ restarts, sequence, errorCode }))).toEqual([
      { restarts: 2, sequence: 3n, errorCode: ErrorCode.CANCELLED },
      { restarts: 2, sequence: 2n, errorCode: ErrorCode.CANCELLED },
      { restarts: 2, sequence: 1n, errorCode: ErrorCode.FUNCTION_EXIT },
    ]);
    const chains = await Promise.all(members.map(({ executionId }) => executionsOf(executionId)));
    expect(chains.map((chain) => chain.length)).toEqual([3, 3, 3]);
    const { executions } = await server.functions.listExecutions({ batchId });
    expect(executions.length).toBe(9);
    for (const chain of chains) {
      for (const [index, { createdAt, completedAt }] of chain.entries()) {
        const next = chain[index - 1];
        if (completedAt === undefined) throw new Error('it has not ended');
        if (next?.createdAt !== undefined) {
          expect(timestampMs(next.createdAt)).toBeGreaterThanOrEqual(timestampMs(completedAt));
        }
        expect(createdAt).toBeDefined();
      }
    }
    // The last of the batch was stopped before the first was asked to.
    const ends = [0, 1, 2].map((run) =>
      chains.map((chain) => timestampMs(chain[run]?.completedAt ?? never())),
    );
    for (const [first = 0, second = 0, bad = 0] of ends) {
      expect(first).toBeGreaterThanOrEqual(second);
      expect(second).toBeGreaterThanOrEqual(bad);
    }
  });

  test('ends when its members have ended for good: a transient one that completes, a temporary one that fails', async () => {
    const { batchId } = await begun({
      members: [
        { invocation: { task: 'cat' }, restart: RestartPolicy.TRANSIENT },
        { invocation: { task: 'exit', args: ['1'] }, restart: RestartPolicy.TEMPORARY },
      ],
      supervision: {},
    });
    const { completed, failed, supervision } = await ended(batchId);
    expect({ completed, failed, restarts: supervision?.restarts, end: supervision?.endReason }).toEqual({
      completed: 1,
      failed: 1,
      restarts: 0n,
      end: SupervisionEndReason.UNSPECIFIED,
    });
  });

  test('is stopped in reverse order by its cancel, and nothing begins again', async () => {
    const { batchId } = await begun({
      members: [
        { invocation: { task: 'loop' } },
        { invocation: { task: 'loop' } },
        { invocation: { task: 'loop' } },
      ],
      supervision: { strategy: SupervisionStrategy.ONE_FOR_ALL },
    });
    await untilRunning(batchId, 3);
    const { changed } = await server.batches.cancelBatch({ batchId, reason: 'enough' });
    expect(changed).toBe(true);
    const { cancelled, cancelling, supervision } = await ended(batchId);
    expect({
      cancelled,
      cancelling,
      reason: supervision?.endReason,
      message: supervision?.endMessage,
    }).toEqual({
      cancelled: 3,
      cancelling: true,
      reason: SupervisionEndReason.CANCELLED,
      message: 'enough',
    });
    const members = await membersOf(batchId);
    expect(members.map(({ sequence, restarts }) => ({ sequence, restarts }))).toEqual([
      { sequence: 3n, restarts: 0 },
      { sequence: 2n, restarts: 0 },
      { sequence: 1n, restarts: 0 },
    ]);
    expect((await server.batches.cancelBatch({ batchId })).changed).toBe(false);
  });

  test('is listed with those that have not ended, and not after its end', async () => {
    const { batchId } = await begun({ members: [{ invocation: { task: 'loop' } }], supervision: {} });
    const listed = async () => {
      const { batches, nextPageToken } = await server.batches.listBatches({ supervised: true });
      expect(nextPageToken).toBe('');
      return batches.map((batch) => batch.batchId);
    };
    expect(await listed()).toEqual([batchId]);
    const plain = await begun({ members: [{ invocation: { task: 'loop' } }] });
    expect(await listed()).toEqual([batchId]);
    await server.batches.cancelBatch({ batchId });
    await server.batches.cancelBatch({ batchId: plain.batchId });
    await ended(batchId);
    expect(await listed()).toEqual([]);
  });

  test('leaves a member alone that a caller cancelled', async () => {
    const { batchId } = await begun({
      members: [{ invocation: { task: 'loop' } }, { invocation: { task: 'loop' } }],
      supervision: {},
    });
    await untilRunning(batchId, 2);
    const [first] = await membersOf(batchId);
    await server.functions.cancelExecution({ executionId: first?.executionId ?? '' });
    const now = async () => (await server.batches.getBatch({ batchId })).batch;
    await expect.poll(now).toMatchObject({ cancelled: 1, running: 1, isCompleted: false });
    await server.batches.cancelBatch({ batchId });
    expect((await ended(batchId)).cancelled).toBe(2);
  });

  test('has no total timeout of five minutes, as others have where nobody names one', async () => {
    const hours = { invocation: { task: 'loop', timeouts: { total: { seconds: 10_800n } } } };
    expect((await refusal(server.batches.invokeBatch({ members: [hours] }))).message).toContain(
      "a request may only shorten the task's 300000 ms",
    );
    const { batchId } = await begun({ members: [hours, { invocation: { task: 'loop' } }], supervision: {} });
    await untilRunning(batchId, 2);
    const members = await membersOf(batchId);
    const said = await Promise.all(
      members.map(({ executionId }) => server.nodes.explainExecution({ executionId })),
    );
    // Of three hours some time has gone by.
    expect(said[0]?.details[0]).toMatch(/TOTAL_TIMEOUT in [23] h/);
    expect(said[1]?.details[0]).toMatch(/TOTAL_TIMEOUT in 36[56] d/);
    await server.batches.cancelBatch({ batchId });
    await ended(batchId);
  });

  test('is refused with what it cannot have', async () => {
    const loop = { invocation: { task: 'loop' } };
    const wrong: readonly (readonly [Request, string])[] = [
      [
        { members: [{ ...loop, restart: RestartPolicy.PERMANENT }] },
        'members[0].restart: is for batches with supervision; this one has none',
      ],
      [
        { members: [loop], supervision: {}, onMemberFailure: MemberFailurePolicy.CONTINUE },
        'on_member_failure: does not go with supervision, which says what a failure does',
      ],
      [
        {
          members: [{ ...loop, name: 'a' }, { invocation: { task: 'loop', dependsOn: [{ name: 'a' }] } }],
          supervision: {},
        },
        'members[1].invocation.depends_on: does not go with supervision: members run beside one another, in the order of the batch',
      ],
      [
        { members: [loop], supervision: { intensity: 1001 } },
        'supervision.intensity: is 1001; allowed are 0 to 1000',
      ],
      [
        { members: [loop], supervision: { strategy: 9 as SupervisionStrategy } },
        'supervision.strategy: 9 is not known; allowed are ONE_FOR_ONE (1), ONE_FOR_ALL (2) and REST_FOR_ONE (3)',
      ],
      [
        { members: [loop], supervision: { backoff: { seconds: 20n }, maxBackoff: { seconds: 10n } } },
        'supervision.max_backoff: is 10000 ms; allowed are backoff, 20000 ms, to 366 days',
      ],
      [
        { members: Array.from({ length: 101 }, () => loop), supervision: {} },
        'members: has 101 entries; allowed with supervision are 100',
      ],
    ];
    for (const [request, message] of wrong) {
      expect((await refusal(server.batches.invokeBatch(request))).message).toBe(message);
    }
  });

  test('tells the end of its last execution, not of those before, to who watches', async () => {
    const { batchId } = await begun({
      members: [{ name: 'bad', invocation: { task: 'exit', args: ['3'] } }],
      supervision: { intensity: 1, ...soon },
    });
    const events = [];
    for await (const { event } of server.batches.watchBatch({ batchId })) events.push(event);
    expect(events).toMatchObject([
      { case: 'member', value: { status: ExecutionStatus.FAILED, sequence: 1n, restarts: 1 } },
      { case: 'batch', value: { isCompleted: true } },
    ]);
  });
});

function never(): never {
  throw new Error('it has not ended');
}
