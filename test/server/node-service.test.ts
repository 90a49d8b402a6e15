import { rm } from 'node:fs/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import type { WatchNodeResponse } from '../../src/server/gen/spearlet/node_pb.js';
import { startServer, temporaryDataDir } from '../support/server.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '1' }, async () => {
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

/** The machine may have much else to do. */

async function invoke(task: string, more: object = {}): Promise<string> {
  const { executionId } = await server.functions.invokeFunction({
    task,
    executionMode: ExecutionMode.ASYNC,
    ...more,
  });
  return executionId;
}

async function stateOf(executionId: string): Promise<string> {
  return (await server.functions.getExecutionStatus({ executionId })).result?.state ?? '';
}

async function ended(executionId: string): Promise<void> {
  await server.functions.waitExecution({ executionId });
}

describe('the node', () => {
  test('tells what it is, what it runs, and how many executions there are', async () => {
    await ended(await invoke('count'));
    const { node } = await server.nodes.getNode({});
    expect(node).toMatchObject({
      nodeId: expect.stringMatching(/^node_/),
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      state: 'serving',
      slots: 1,
      queueLimit: 1_000_000,
      storeFault: '',
      grpcAddress: server.grpcAddress,
    });
    expect(node?.position).toBeGreaterThan(2n);
    expect(node?.supervisors.map(({ name }) => name)).toEqual(['executions', 'instances', 'tasks']);
    expect(node?.supervisors[2]?.children).toBe(2n);
    const completed = node?.counts.find(({ status }) => status === ExecutionStatus.COMPLETED);
    expect(completed?.count).toBeGreaterThan(0n);
  });

  test('is followed: first as it is, then each execution that changes, up to its end', async () => {
    const gone = new AbortController();
    const seen: WatchNodeResponse[] = [];
    const states: string[] = [];
    let executionId = '';
    try {
      for await (const news of server.nodes.watchNode({}, { signal: gone.signal })) {
        seen.push(news);
        if (seen.length === 1) executionId = await invoke('count');
        states.push(
          ...news.executions.filter((each) => each.executionId === executionId).map(({ state }) => state),
        );
        if (states.at(-1) === 'completed') gone.abort();
      }
    } catch (error) {
      expect(error).toHaveProperty('code', 1);
    }
    expect(seen[0]).toMatchObject({ executions: [], reset: false, node: { state: 'serving' } });
    expect(states.at(-1)).toBe('completed');
    const positions = seen.map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => Number(a - b)));
  });

  test('that is followed tells of what a caller deletes', async () => {
    const executionId = await invoke('count');
    await ended(executionId);
    const gone = new AbortController();
    let isFirst = true;
    for await (const news of server.nodes.watchNode({}, { signal: gone.signal })) {
      if (isFirst) await server.functions.deleteExecution({ executionId });
      isFirst = false;
      if (news.deletedExecutionIds.length === 0) continue;
      expect(news.deletedExecutionIds).toEqual([executionId]);
      break;
    }
    gone.abort();
  });

  test('that is followed from a position tells what has changed since', async () => {
    const { node } = await server.nodes.getNode({});
    const since = [await invoke('count'), await invoke('count')];
    await Promise.all(since.map(ended));
    const gone = new AbortController();
    for await (const news of server.nodes.watchNode(
      { fromPosition: node?.position ?? 0n },
      { signal: gone.signal },
    )) {
      expect(news.executions.map(({ executionId }) => executionId).toSorted()).toEqual(since.toSorted());
      expect(news.executions[0]).toMatchObject({ isCompleted: true, output: new Uint8Array() });
      break;
    }
    gone.abort();
  });
});

test('the charts are described, as JSON and as Mermaid', async () => {
  const { machines } = await server.nodes.describeMachines({});
  expect(machines.map(({ name }) => name)).toEqual(['execution', 'instance', 'node', 'schedule']);
  const [execution] = machines;
  expect(execution?.mermaid).toMatch(/^stateDiagram-v2\n/);
  expect(execution?.definition).toMatchObject({ id: 'execution', initial: 'pending' });
  const held = execution?.states.find(({ path }) => path === 'pending.held');
  expect(held).toMatchObject({ isFinal: false, allowedEvents: ['cancel', 'resume'] });
});

test('one that waits is explained, with who holds the slot', async () => {
  const holder = await invoke('loop');
  await expect.poll(() => stateOf(holder)).toBe('running.attempting');
  const waiting = await invoke('count', { timeouts: { total: { seconds: 300n } } });
  const answer = await server.nodes.explainExecution({ executionId: waiting });
  expect(answer).toMatchObject({
    status: ExecutionStatus.PENDING,
    state: 'pending.queued',
    summary: 'It waits for a slot, place 1 of 1 in the queue: the only slot is taken.',
    queuePlace: 1n,
    queueLength: 1n,
    heldBy: [holder],
  });
  expect(answer.endsAt).toBeDefined();
  await server.functions.cancelExecution({ executionId: holder });
  await ended(waiting);
  const over = await server.nodes.explainExecution({ executionId: holder });
  expect(over.summary).toBe('It was cancelled: CANCELLED: cancelled.');
  const unknown = await refusal(server.nodes.explainExecution({ executionId: 'exec_nothing' }));
  expect(unknown.reason).toBe('EXECUTION_NOT_FOUND');
});

describe('what an execution was asked to run', () => {
  test('is told, with as much of its input as is wanted, and values of variables only on request', async () => {
    const executionId = await invoke('count', {
      input: Buffer.from('one two three\n'),
      args: ['-l'],
      environment: { TOKEN: 'secret' },
      contentType: 'text/plain',
    });
    const short = await server.nodes.getInvocation({ executionId, maxInputBytes: 3 });
    expect(Buffer.from(short.input).toString()).toBe('one');
    expect(short).toMatchObject({
      inputBytes: 14n,
      args: ['-l'],
      environment: { TOKEN: '' },
      contentType: 'text/plain',
    });
    const all = await server.nodes.getInvocation({ executionId, includeEnvironment: true });
    expect(Buffer.from(all.input).toString()).toBe('one two three\n');
    expect(all.environment).toEqual({ TOKEN: 'secret' });
    const unknown = await refusal(server.nodes.getInvocation({ executionId: 'exec_nothing' }));
    expect(unknown.reason).toBe('EXECUTION_NOT_FOUND');
  });
});

describe('a breakpoint', () => {
  test('holds the executions of a task, is listed with its hits, and lets go once deleted', async () => {
    const { breakpoint } = await server.nodes.setBreakpoint({
      breakpoint: { task: 'count', before: 'running.attempting' },
    });
    expect(breakpoint).toMatchObject({ task: 'count', executionId: '', once: false, hits: 0n });
    const executionId = await invoke('count');
    await expect.poll(() => stateOf(executionId)).toBe('pending.held');
    const { breakpoints } = await server.nodes.listBreakpoints({});
    expect(breakpoints).toMatchObject([{ breakpointId: breakpoint?.breakpointId, hits: 1n }]);
    const { summary } = await server.nodes.explainExecution({ executionId });
    expect(summary).toContain('breakpoint');
    await server.nodes.deleteBreakpoint({ breakpointId: breakpoint?.breakpointId ?? '' });
    await server.functions.resumeExecution({ executionId });
    await ended(executionId);
    const again = await refusal(
      server.nodes.deleteBreakpoint({ breakpointId: breakpoint?.breakpointId ?? '' }),
    );
    expect(again.reason).toBe('BREAKPOINT_NOT_FOUND');
  });

  test('is for one execution, too, as long as that has not ended', async () => {
    const executionId = await invoke('count', { startAfter: { seconds: 1n } });
    await server.nodes.setBreakpoint({ breakpoint: { executionId, before: 'pending.queued', once: true } });
    await expect.poll(() => stateOf(executionId)).toBe('pending.held');
    await server.functions.resumeExecution({ executionId });
    await ended(executionId);
    const late = await refusal(
      server.nodes.setBreakpoint({ breakpoint: { executionId, before: 'pending.queued' } }),
    );
    expect(late.reason).toBe('STATE_NOT_ALLOWED');
  });

  test.each([
    [undefined, 'breakpoint'],
    [{ before: 'pending.queued' }, 'breakpoint'],
    [{ task: 'count', executionId: 'exec_1', before: 'pending.queued' }, 'breakpoint'],
    [{ task: 'count', before: 'running' }, 'breakpoint.before'],
    [{ executionId: 'task_1', before: 'pending.queued' }, 'execution_id'],
  ])('that is none is refused: %j', async (breakpoint, field) => {
    const { fields } = await refusal(
      server.nodes.setBreakpoint(breakpoint === undefined ? {} : { breakpoint }),
    );
    expect(Object.keys(fields)).toEqual([field]);
  });
});

test('what a breakpoint holds stays held over a restart, and is known for it; the breakpoint is gone', async () => {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const before = await startServer({ dataDir });
  await before.register('count', 'wordcount/wordcount.wasm');
  await before.nodes.setBreakpoint({ breakpoint: { task: 'count', before: 'running.attempting' } });
  const { executionId } = await before.functions.invokeFunction({
    task: 'count',
    executionMode: ExecutionMode.ASYNC,
  });
  await expect
    .poll(async () => (await before.functions.getExecutionStatus({ executionId })).result?.state)
    .toBe('pending.held');
  before.connection.close();
  await before.node.drain();
  const after = await startServer({ dataDir });
  onTestFinished(() => after.stop());
  const { state, summary } = await after.nodes.explainExecution({ executionId });
  expect(state).toBe('pending.held');
  expect(summary).toBe('It is held by a breakpoint before it starts, until somebody resumes it.');
  expect((await after.nodes.listBreakpoints({})).breakpoints).toEqual([]);
  const { node } = await after.nodes.getNode({});
  expect(node?.supervisors[0]).toMatchObject({ name: 'executions', children: 1n, restarts: 1n });
  await after.functions.resumeExecution({ executionId });
  const { result } = await after.functions.waitExecution({ executionId });
  expect(result?.state).toBe('completed');
});

test('callers that leave their watches leave nothing behind: as many as there may be come after them', async () => {
  const comeAndLeave = async (): Promise<void> => {
    const gone = new AbortController();
    const watched = server.nodes.watchNode({}, { signal: gone.signal })[Symbol.asyncIterator]();
    expect((await watched.next()).value).toMatchObject({ node: { state: 'serving' } });
    gone.abort();
    await expect(watched.next()).rejects.toHaveProperty('code', 1);
  };
  // More in all than the 500 that there may be at once.
  for (let round = 0; round < 26; round += 1) {
    await Promise.all(Array.from({ length: 20 }, comeAndLeave));
  }
  expect(server.bugs).toEqual([]);
});
