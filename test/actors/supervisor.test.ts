import { describe, expect, test } from 'vitest';
import type { LogEvent } from '../../src/domain/event.ts';
import type { ExecutionMode } from '../../src/domain/execution.ts';
import { followLog } from '../../src/observers/stream.ts';
import { waitForOutcome } from '../../src/observers/sync.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { invocationWith, noRetry, requestWith, taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { story, supervisorBench, withFiles } from './supervisor-bench.ts';

const short = ['>pending.queued', 'pending.queued>running.attempting'];
const retry = { ...noRetry, maxAttempts: 3 };

describe('an execution', () => {
  test('runs, writes and completes: one gap-free log and a record that agrees with it', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ metadata: { caller: 'me' } });
    await bench.clock.advance(30);
    const call = bench.runtime.call(0);
    void call.write('stdout', 'out');
    void call.write('stderr', 'err');
    await bench.clock.advance(40);
    call.complete({ exitCode: 0 });
    await settle();
    const events = await bench.log(cursor.executionId);
    expect(story(events)).toEqual([...short, 'stdout:out', 'stderr:err', 'result']);
    expect(sequences(events)).toEqual(upTo(5));
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'completed',
      state: 'completed',
      mode: 'sync',
      attempt: 1,
      instanceId: `inst_${cursor.executionId}_1`,
      resourceUse: { cpuTimeUs: 1 },
      lastSequence: 5,
      attemptSequence: 2,
      outputBytes: 6,
      outputEvents: 2,
      queueTimeMs: 0,
      executionTimeMs: 70,
      metadata: { caller: 'me' },
      outcome: { status: 'completed', exitCode: 0 },
    });
    await bench.leavesNothing();
  });

  test('watched in the three modes at once, by who made it and by others, it shows all of them the same events', async () => {
    for (const mode of ['sync', 'async', 'stream'] as const satisfies ExecutionMode[]) {
      const bench = supervisorBench();
      const creator = await bench.admit({ mode });
      await bench.clock.advance(10);
      const late = await bench.supervisor.attach(creator.executionId);
      const seen: LogEvent[][] = [[], []];
      const following = [creator, late].map(async (cursor, index) => {
        for await (const page of followLog(cursor, 1)) seen[index]?.push(...page);
      });
      const waiter = await bench.supervisor.attach(creator.executionId);
      const outcome = waitForOutcome(waiter, undefined, bench.clock);
      void bench.runtime.call(0).write('stdout', 'a');
      await bench.clock.advance(10);
      void bench.runtime.call(0).write('stderr', 'b');
      bench.runtime.call(0).fail('FUNCTION_EXIT', 'exit 7', { exitCode: 7 });
      await settle();
      expect(await outcome).toMatchObject({ status: 'failed', outcome: { exitCode: 7 } });
      await Promise.all(following);
      expect(seen[0]).toEqual(seen[1]);
      expect(seen[0]).toEqual(await bench.log(creator.executionId));
      expect(story(seen[0] ?? [])).toEqual([...short, 'stdout:a', 'stderr:b', 'result']);
      const after = await bench.supervisor.attach(creator.executionId);
      expect(await after.read(1, Number.POSITIVE_INFINITY)).toEqual(seen[0]);
      await bench.leavesNothing();
    }
  });

  test('fails with the code, the exit code and the output that its runtime reports', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit();
    bench.runtime.call(0).fail('FUNCTION_ERROR', 'said no', { output: '{"why":1}' });
    await settle();
    expect(await bench.record(cursor.executionId)).toMatchObject({
      outcome: { status: 'failed', code: 'FUNCTION_ERROR', message: 'said no', output: '{"why":1}' },
    });
    await bench.leavesNothing();
  });

  test('gets its invocation as it was sent, and the task as it was then', async () => {
    const bench = supervisorBench();
    const invocation = invocationWith({
      functionName: 'add',
      parameters: { x: 1 },
      args: ['-v'],
      input: new Uint8Array([1]),
    });
    await bench.admit({ invocation });
    expect(bench.runtime.call(0).attempt).toMatchObject({ number: 1, revision: 1, invocation });
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('of a runtime that this node has not ends RUNTIME_UNAVAILABLE', async () => {
    const bench = supervisorBench();
    bench.runtimes.delete('docker');
    const cursor = await bench.admit({ task: taskWith({ runtime: 'docker' }) });
    await settle();
    expect(await bench.record(cursor.executionId)).toMatchObject({
      outcome: { code: 'RUNTIME_UNAVAILABLE' },
    });
    await bench.leavesNothing();
  });

  test('the context of the chart can be had from the patches in its log, at every transition', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({
      mode: 'stream',
      task: taskWith({ retry }),
      timeouts: { totalMs: 60_000, queueMs: 5000, attemptMs: 1000 },
    });
    bench.runtime.call(0).fail('TRAP');
    await bench.clock.advance(300);
    await bench.clock.advance(1000);
    await bench.clock.advance(600);
    await bench.supervisor.cancel(cursor.executionId, 'enough');
    await settle();
    const context: Record<string, unknown> = {};
    const at: Record<string, unknown>[] = [];
    for (const event of await bench.log(cursor.executionId)) {
      if (event.kind !== 'transition') continue;
      for (const [key, value] of Object.entries(JSON.parse(event.contextPatch || '{}'))) {
        if (value === null) delete context[key];
        else context[key] = value;
      }
      at.push({ to: event.to, ...context });
    }
    const start = (await bench.record(cursor.executionId)).createdAt;
    expect(at.map(({ to, attempt }) => `${to} ${attempt}`)).toEqual([
      'pending.queued 0',
      'running.attempting 1',
      'running.backingOff 1',
      'running.attempting 2',
      'running.stopping 2',
      'running.backingOff 2',
      'running.attempting 3',
      'running.stopping 3',
    ]);
    expect(at[0]).toMatchObject({
      totalDeadline: start + 60_000,
      queueDeadline: start + 5000,
      totalMs: 60_000,
    });
    expect(at[1]).toMatchObject({ attemptDeadline: start + 1000 });
    expect(at[1]).not.toHaveProperty('queueDeadline');
    expect(at[2]).toMatchObject({ retryAt: start + 200 });
    expect(at[4]).toMatchObject({ cause: { code: 'ATTEMPT_TIMEOUT' }, stoppingSince: start + 1200 });
    expect(at[5]).not.toHaveProperty('cause');
    expect(at[7]).toMatchObject({ cause: { code: 'CANCELLED' } });
    // The time of a retry is over when the retry runs.
    expect(at[3]).not.toHaveProperty('retryAt');
    expect(at[6]).not.toHaveProperty('retryAt');
    await bench.leavesNothing();
  });
});

test('a patch says what changed, and nothing else', async () => {
  const bench = supervisorBench();
  const cursor = await bench.admit({
    mode: 'stream',
    timeouts: { totalMs: 60_000, queueMs: 5000, attemptMs: 1000 },
  });
  bench.runtime.call(0).complete();
  await settle();
  const [, dispatched] = await bench.log(cursor.executionId);
  const start = cursor.record.createdAt;
  expect(dispatched?.kind === 'transition' && JSON.parse(dispatched.contextPatch)).toEqual({
    attempt: 1,
    queueDeadline: null,
    attemptDeadline: start + 1000,
  });
  await bench.leavesNothing();
});

describe('durability', () => {
  test('a short execution that nobody outside can notice needs one commit for admission and outcome', async () => {
    const bench = supervisorBench();
    bench.runtime.script = (call) => call.complete();
    const { cursor } = await bench.supervisor.admit(requestWith());
    await waitForOutcome(cursor, undefined, bench.clock);
    expect(bench.watched.commits).toHaveLength(1);
    expect(bench.watched.commits[0]?.[0]).toMatchObject({
      expectedLastSequence: 0,
      record: { status: 'completed', lastSequence: 3 },
    });
    await bench.leavesNothing();
  });

  test('such an execution runs before its admission is durable, and is heard of only after', async () => {
    const bench = supervisorBench();
    bench.watched.hold();
    const cursor = await bench.admit({ mode: 'async' });
    bench.runtime.call(0).complete();
    await bench.clock.advance(50);
    expect(await isSettled(cursor.admitted())).toBe(false);
    expect(bench.heard).toEqual([]);
    bench.watched.release();
    await settle();
    expect(bench.heard.length).toBeGreaterThan(0);
    await bench.leavesNothing();
  });

  test.each([
    ['has preopens', { task: withFiles() }],
    ['may use the network', { task: taskWith({ allowNetwork: true }) }],
    ['has an invocation id', { invocationId: 'key', payloadDigest: 'd' }],
  ])('one that %s is dispatched only when its admission is durable', async (_, request) => {
    const bench = supervisorBench();
    bench.watched.hold();
    const admission = bench.supervisor.admit(requestWith(request));
    await bench.clock.advance(100);
    expect(bench.watched.asked).toBe(1);
    expect(bench.runtime.calls).toHaveLength(0);
    bench.watched.release();
    const { cursor } = await admission;
    await settle();
    expect(bench.runtime.calls).toHaveLength(1);
    bench.runtime.call(0).complete();
    await settle();
    const [first] = bench.watched.commits.flat();
    expect(first?.record).toMatchObject({ status: 'pending', attempt: 0 });
    expect(story(await bench.log(cursor.executionId))).toEqual([...short, 'result']);
    await bench.leavesNothing();
  });

  test('an outcome is not heard before it is durable, and its slot is free meanwhile', async () => {
    const bench = supervisorBench({ slots: 1 });
    const first = await bench.admit({ mode: 'async' });
    bench.watched.hold();
    bench.runtime.call(0).complete();
    const outcome = waitForOutcome(first, undefined, bench.clock);
    expect(await isSettled(outcome)).toBe(false);
    await bench.admit();
    expect(bench.runtime.calls).toHaveLength(2);
    bench.watched.release();
    expect(await outcome).toMatchObject({ status: 'completed' });
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('an input too large to keep is read back from the store, byte for byte', async () => {
    const bench = supervisorBench({ slots: 1 });
    const input = new Uint8Array(10_000).map((_, index) => index);
    await bench.admit();
    await bench.admit({ mode: 'async', invocation: invocationWith({ input, args: ['-n'] }) });
    let reads = 0;
    const read = bench.store.input.bind(bench.store);
    bench.store.input = (id) => {
      reads++;
      return read(id);
    };
    bench.runtime.call(0).complete();
    await settle();
    expect(reads).toBe(1);
    expect(bench.runtime.call(1).attempt.invocation).toMatchObject({ input, args: ['-n'] });
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });
});

test('a record is never heard with a smaller sequence number than before', async () => {
  const bench = supervisorBench({ slots: 1 });
  bench.runtime.script = async (call) => {
    await call.flood('stdout', 300_000, 50_000);
    call.complete();
  };
  for (let n = 0; n < 5; n++) await bench.admit({ mode: n % 2 === 0 ? 'async' : 'sync' });
  await bench.clock.advance(100);
  const last = new Map<string, number>();
  for (const record of bench.heard) {
    expect(record.lastSequence).toBeGreaterThan(last.get(record.executionId) ?? 0);
    last.set(record.executionId, record.lastSequence);
  }
  expect(last.size).toBe(5);
  await bench.leavesNothing();
});
