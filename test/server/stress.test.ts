import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { type ChildServer, startServer, temporaryDataDir } from '../support/server.ts';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { processesOf, spawnMeasured, threadsOf, usageOf } from './measured.ts';
import { type Refusal, readRefusal } from './refusal.ts';

const mebibyte = 1024 * 1024;
const reused = { instancePolicy: InstancePolicy.REUSED };
const call = { task: 'noop', functionName: 'noop' };

describe('a server under load', () => {
  let server: ChildServer;
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    server = await spawnMeasured(dataDir, { logLevel: 'info' });
    await server.register('noop', 'noop/noop.wasm', reused);
    // Every thread has started and run, and what is made once has been made.
    await Promise.all(Array.from({ length: 500 }, () => server.functions.invokeFunction(call)));
  });

  afterAll(async () => {
    const exit = await server.end('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
    expect(server.output.filter((entry) => entry.includes('bug:'))).toEqual([]);
    expect(exit).toEqual({ code: 0, signal: null });
  });

  async function listed(task: string): Promise<Map<string, ExecutionStatus[]>> {
    const found = new Map<string, ExecutionStatus[]>();
    let pageToken = '';
    do {
      const page = await server.functions.listExecutions({ task, pageSize: 1000, pageToken });
      for (const { executionId, status } of page.executions) {
        found.set(executionId, [...(found.get(executionId) ?? []), status]);
      }
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return found;
  }

  test('ends a thousand concurrent sync calls and ten thousand async ones each exactly once, and is then as before', async () => {
    const before = {
      ...(await usageOf(server)),
      threads: await threadsOf(server),
      processes: (await processesOf(server)).size,
    };
    const known = await listed('noop');

    const sync = await Promise.all(Array.from({ length: 1000 }, () => server.functions.invokeFunction(call)));
    for (const { result, success } of sync) {
      expect({ success, status: result?.status }).toEqual({
        success: true,
        status: ExecutionStatus.COMPLETED,
      });
    }

    const accepted: string[] = [];
    const callers = Array.from({ length: 250 }, async () => {
      for (let each = 0; each < 40; each++) {
        const request = { ...call, executionMode: ExecutionMode.ASYNC };
        const { executionId, success } = await server.functions.invokeFunction(request);
        expect(success).toBe(true);
        accepted.push(executionId);
      }
    });
    await Promise.all(callers);

    const live = async () => {
      const statuses = [ExecutionStatus.PENDING, ExecutionStatus.RUNNING];
      return (await server.functions.listExecutions({ task: 'noop', statuses })).executions.length;
    };
    await expect.poll(live).toBe(0);

    const ids = [...sync.map((response) => response.executionId), ...accepted];
    expect(new Set(ids).size).toBe(11_000);
    const all = await listed('noop');
    expect(all.size).toBe(known.size + 11_000);
    for (const id of ids) expect(all.get(id)).toEqual([ExecutionStatus.COMPLETED]);
    for (let index = 0; index < ids.length; index += 500) {
      const executionId = ids[index] ?? '';
      expectWholeLog(await collect(server.functions.watchExecution({ executionId })));
    }

    const heap = async () => (await usageOf(server)).heapUsed - before.heapUsed;
    await expect.poll(heap).toBeLessThan(8 * mebibyte);
    await expect.poll(async () => (await usageOf(server)).handles).toEqual(before.handles);
    await expect.poll(() => threadsOf(server)).toBeLessThanOrEqual(before.threads);
    await expect.poll(async () => (await processesOf(server)).size).toBeLessThanOrEqual(before.processes);
    const after = await usageOf(server);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 * mebibyte);
    expect(after.rss - before.rss).toBeLessThan(400 * mebibyte);
  });

  test('leaves nothing of observers that came and went', async () => {
    await server.register('loop', 'misbehaving/loop.wasm');
    const request = { task: 'loop', executionMode: ExecutionMode.ASYNC };
    const { executionId } = await server.functions.invokeFunction(request);
    const before = await usageOf(server);
    // Not more: Node ends a connection on which a thousand streams were reset in a moment.
    for (let round = 0; round < 8; round++) {
      const leave = new AbortController();
      const watching = Array.from({ length: 50 }, () =>
        collect(server.functions.watchExecution({ executionId }, { signal: leave.signal })).catch(
          () => 'left',
        ),
      );
      const waiting = Array.from({ length: 50 }, () =>
        server.functions.waitExecution({ executionId }, { signal: leave.signal }).catch(() => 'left'),
      );
      await server.functions.getExecutionStatus({ executionId });
      leave.abort();
      expect(new Set(await Promise.all([...watching, ...waiting]))).toEqual(new Set(['left']));
    }
    const heap = async () => (await usageOf(server)).heapUsed - before.heapUsed;
    await expect.poll(heap).toBeLessThan(4 * mebibyte);
    await server.functions.cancelExecution({ executionId });
    await server.functions.waitExecution({ executionId });
  });
});

describe('a queue that is full', () => {
  test('refuses with RetryInfo until there is room, and every caller that tries again is served', async () => {
    const server = await startServer({ slots: '1', queueLimit: '10' });
    onTestFinished(() => server.stop());
    await server.register('noop', 'noop/noop.wasm', reused);
    await server.register('loop', 'misbehaving/loop.wasm');
    const blocker = await server.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    const stateOf = async () => {
      const { result } = await server.functions.getExecutionStatus({ executionId: blocker.executionId });
      return result?.state;
    };
    await expect.poll(stateOf).toBe('running.attempting');

    const refusals: Refusal[] = [];
    const tryOnce = (mode: ExecutionMode) =>
      server.functions.invokeFunction({ ...call, executionMode: mode }).catch((error: unknown) => {
        refusals.push(readRefusal(error));
      });
    const first = await Promise.all(Array.from({ length: 50 }, () => tryOnce(ExecutionMode.ASYNC)));
    const taken = first.filter((response) => response !== undefined);
    expect(taken).toHaveLength(10);
    expect(refusals).toHaveLength(40);
    for (const refused of refusals) {
      expect(refused).toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        reason: 'QUEUE_FULL',
        quota: 'queue-limit',
        domain: 'spear',
      });
      expect(refused.retryAfterMs).toBeGreaterThan(0);
      expect(refused.message).toContain('10');
    }
    // What makes it worth while to try again is room in the queue, not the clock.
    const served = Promise.all(
      Array.from({ length: 60 }, async () => {
        for (;;) {
          const response = await tryOnce(ExecutionMode.SYNC);
          if (response !== undefined) return response;
        }
      }),
    );
    await expect.poll(() => refusals.length).toBeGreaterThan(100);
    await server.functions.cancelExecution({ executionId: blocker.executionId });
    const responses = await served;
    expect(new Set(responses.map((response) => response.executionId)).size).toBe(60);
    for (const { result } of responses) expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    for (const { executionId } of taken) {
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    }
    const { executions } = await server.functions.listExecutions({ task: 'noop', pageSize: 1000 });
    expect(executions).toHaveLength(70);
    expect(server.bugs).toEqual([]);
  });

  test('counts those that wait for their start time, and takes one for each that is cancelled', async () => {
    const server = await startServer({ slots: '1', queueLimit: '3' });
    onTestFinished(() => server.stop());
    await server.register('noop', 'noop/noop.wasm', reused);
    await server.register('loop', 'misbehaving/loop.wasm');
    const blocker = await server.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    const stateOf = async () => {
      const { result } = await server.functions.getExecutionStatus({ executionId: blocker.executionId });
      return result?.state;
    };
    await expect.poll(stateOf).toBe('running.attempting');
    const later = () =>
      server.functions.invokeFunction({
        ...call,
        executionMode: ExecutionMode.ASYNC,
        startAfter: { seconds: 200n },
      });
    const waiting = [await later(), await later(), await later()];
    const refused = await later().catch(readRefusal);
    expect(refused).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'QUEUE_FULL' });
    await server.functions.cancelExecution({ executionId: waiting[1]?.executionId ?? '' });
    expect(await later()).toMatchObject({ success: true });
  });
});
