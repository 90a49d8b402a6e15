import { describe, expect, test } from 'vitest';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog, outputOf, statesOf } from './grammar.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';
import { another, begin, restore, spooled, take, untilIn, untilSequence } from './snapshots.ts';

withServer({ slots: '6' }, async () => {
  await server.register('ticker', 'ticker/ticker.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('cat', 'misbehaving/cat.wasm');
});

describe('an execution that is moved', () => {
  test('completes where it is restored, and its log goes on without a gap', async () => {
    const executionId = await begin(server, {
      task: 'ticker',
      args: ['40', '50'],
      invocationId: 'moved-1',
      metadata: { a: 'b' },
    });
    await untilSequence(server, executionId, 5n);
    const { summary, document } = await take(server, executionId, { detach: true, includeArtifact: true });
    expect(summary).toMatchObject({
      executionId,
      status: ExecutionStatus.RUNNING,
      state: 'running.attempting',
      detached: true,
      notCarried: [expect.stringContaining('the memory of attempt 1')],
    });
    const left = await collect(server.functions.watchExecution({ executionId }));
    expect(expectWholeLog(left)).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.MOVED,
    });

    const target = await another();
    const answer = await restore(target, document);
    expect(answer).toMatchObject({
      originExecutionId: executionId,
      signedBy: '',
      statusEndpoint: `/status/${executionId}`,
      result: { executionId, metadata: { a: 'b' }, requestId: 'moved-1', taskName: 'ticker' },
    });
    expect(answer.lastSequence).toBeGreaterThan(summary.lastSequence);
    const { result } = await target.functions.waitExecution({ executionId });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, recoveries: 0 });
    const events = await collect(target.functions.watchExecution({ executionId }));
    expectWholeLog(events);
    const carried = Number(summary.lastSequence);
    const bare = (event: (typeof events)[number]) => ({ ...event, position: 0n });
    expect(events.slice(0, carried).map(bare)).toEqual(left.slice(0, carried).map(bare));
    expect(events.some((event) => event.event.case === 'result' && event.sequence > carried)).toBe(true);
    const last = outputOf(events.filter(({ attempt }) => attempt === result?.attempt)).toString();
    expect(last).toBe(Array.from({ length: 40 }, (_, index) => `tick ${index + 1}\n`).join(''));
    expect(await spooled(target)).toEqual([]);
  });

  test('gives the same document again', async () => {
    const executionId = await begin(server, { task: 'ticker', args: ['1000', '20'] });
    await untilSequence(server, executionId, 6n);
    const first = await take(server, executionId, { detach: true });
    const second = await take(server, executionId, { detach: true });
    const third = await take(server, executionId);
    expect(second.document.equals(first.document)).toBe(true);
    expect(third.document.equals(first.document)).toBe(true);
    expect(third.summary).toEqual(first.summary);
  });

  test('is joined by its invocation id where its task is known under another id', async () => {
    const request = { task: 'loop', invocationId: 'joined-1', args: ['x'] };
    const executionId = await begin(server, request);
    await untilIn(server, executionId, 'running.attempting');
    const { document } = await take(server, executionId, { detach: true });
    const target = await another();
    const task = await target.register('loop', 'misbehaving/loop.wasm');
    const { notes } = await restore(target, document);
    expect(notes).toContainEqual(expect.stringContaining(`revision 1 of loop (${task.taskId})`));
    const joined = await target.functions.invokeFunction({
      ...request,
      waitBudget: { nanos: 1_000_000 },
    });
    expect(joined).toMatchObject({ joined: true, executionId, taskId: task.taskId });
  });

  test('and was waiting goes on waiting, and was queued runs', async () => {
    const waiting = await begin(server, { task: 'cat', startAfter: { seconds: 3000n } });
    const document = await take(server, waiting, { detach: true });
    expect(document.summary).toMatchObject({ state: 'pending.waiting', notCarried: [expect.any(String)] });
    expect((await server.functions.getExecutionStatus({ executionId: waiting })).result).toMatchObject({
      errorCode: ErrorCode.MOVED,
      attempt: 0,
    });
    const target = await another();
    await target.register('cat', 'misbehaving/cat.wasm');
    const { result } = await restore(target, document.document);
    expect(result?.state).toBe('pending.waiting');

    const source = await another({ slots: '1' });
    await source.register('loop', 'misbehaving/loop.wasm');
    await source.register('cat', 'misbehaving/cat.wasm');
    await begin(source, { task: 'loop' });
    const queued = await begin(source, { task: 'cat', input: Buffer.alloc(300_000, 'abc') });
    const second = await take(source, queued, { detach: true });
    expect(second.summary.state).toBe('pending.queued');
    await restore(target, second.document);
    const ended = await target.functions.waitExecution({ executionId: queued });
    expect(ended.result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(Buffer.from(ended.result?.output ?? []).equals(Buffer.alloc(300_000, 'abc'))).toBe(true);
  });
});

test('what has ended is a record to be read, with its log, and needs nothing of its task', async () => {
  const { executionId } = await server.functions.invokeFunction({
    task: 'cat',
    input: Buffer.from('hello'),
    invocationId: 'ended-1',
  });
  const { summary, document } = await take(server, executionId);
  expect(summary).toMatchObject({ status: ExecutionStatus.COMPLETED, detached: false, notCarried: [] });
  const target = await another();
  const answer = await restore(target, document, { hold: true });
  expect(answer.notes).toEqual(['it has ended: there is nothing to hold']);
  const here = await server.functions.getExecutionStatus({ executionId, includeOutput: true });
  const there = await target.functions.getExecutionStatus({ executionId, includeOutput: true });
  const timeless = (view: typeof here) => ({ ...view.result, timestamp: undefined });
  expect(timeless(there)).toEqual(timeless(here));
  expectWholeLog(await collect(target.functions.watchExecution({ executionId })));
  // It can be carried on from there.
  const again = await take(target, executionId);
  expect(again.summary.notCarried).toEqual([expect.stringContaining('task cat')]);
  const third = await another();
  await restore(third, again.document);
  expect((await third.functions.getExecutionStatus({ executionId })).result?.status).toBe(
    ExecutionStatus.COMPLETED,
  );
  const refused = await refusal(restore(third, again.document, { asNew: true }));
  expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'STATE_NOT_ALLOWED' });
});

describe('a copy of what has not ended', () => {
  test('is refused without a word about what is to become of both', async () => {
    const executionId = await begin(server, { task: 'loop' });
    await untilIn(server, executionId, 'running.attempting');
    const { document, summary } = await take(server, executionId);
    expect(summary.detached).toBe(false);
    const target = await another();
    const { code, message } = await refusal(restore(target, document));
    expect(code).toBe('FAILED_PRECONDITION');
    for (const way of ['detach', 'as_new', 'allow_copy']) expect(message).toContain(way);
    expect((await target.functions.listExecutions({})).executions).toEqual([]);
    await server.functions.cancelExecution({ executionId });
  });

  test('goes on twice with allow_copy', async () => {
    const executionId = await begin(server, { task: 'ticker', args: ['40', '50'] });
    await untilSequence(server, executionId, 3n);
    const { document } = await take(server, executionId, { includeArtifact: true });
    const target = await another();
    const { notes } = await restore(target, document, { allowCopy: true });
    expect(notes).toContainEqual(expect.stringContaining('it was not moved'));
    for (const node of [server, target]) {
      const { result } = await node.functions.waitExecution({ executionId });
      expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    }
    const { code, reason, metadata } = await refusal(restore(target, document, { allowCopy: true }));
    expect({ code, reason, metadata }).toEqual({
      code: 'ALREADY_EXISTS',
      reason: 'EXECUTION_EXISTS',
      metadata: { execution_id: executionId },
    });
  });

  test('is a new execution with as_new, held where that is asked for', async () => {
    const executionId = await begin(server, { task: 'ticker', args: ['40', '50'], invocationId: 'new-1' });
    await untilSequence(server, executionId, 3n);
    const { document } = await take(server, executionId);
    const answer = await restore(server, document, { asNew: true, hold: true });
    const id = answer.result?.executionId ?? '';
    expect(id).not.toBe(executionId);
    expect(answer).toMatchObject({
      originExecutionId: executionId,
      result: { originExecutionId: executionId, allowedEvents: ['cancel', 'resume'] },
    });
    expect(answer.result?.requestId).not.toBe('new-1');
    await server.functions.resumeExecution({ executionId: id });
    const { result } = await server.functions.waitExecution({ executionId: id });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    const events = await collect(server.functions.watchExecution({ executionId: id }));
    expect(events[0]?.event).toMatchObject({
      case: 'transition',
      value: { from: '', eventType: 'restored' },
    });
    expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
    expect(statesOf(events)[0]).toBe('running.attempting');
  });
});

test('an invocation id that is used here is refused, and named', async () => {
  const executionId = await begin(server, { task: 'loop', invocationId: 'used' });
  const { document } = await take(server, executionId, { detach: true });
  const target = await another();
  await target.register('loop', 'misbehaving/loop.wasm');
  const other = await begin(target, { task: 'loop', invocationId: 'used' });
  const { code, metadata } = await refusal(restore(target, document));
  expect({ code, metadata }).toEqual({
    code: 'ALREADY_EXISTS',
    metadata: { execution_id: other, invocation_id: 'used' },
  });
});

test('an unknown execution, and one whose log is not of an execution at all, are refused', async () => {
  const unknown = await refusal(take(server, `exec_${'0'.repeat(26)}`));
  expect(unknown).toMatchObject({ code: 'NOT_FOUND', reason: 'EXECUTION_NOT_FOUND' });
  expect(await refusal(take(server, 'task_1'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('a finished execution cannot be moved', async () => {
  const { executionId } = await server.functions.invokeFunction({ task: 'cat' });
  expect(await refusal(take(server, executionId, { detach: true }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'STATE_NOT_ALLOWED',
  });
});
