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

describe('the queue', () => {
  test('runs first come, first served, as many at once as there are slots', async () => {
    const bench = supervisorBench({ slots: 2 });
    const cursors = [];
    for (let n = 0; n < 6; n++) cursors.push(await bench.admit({ mode: 'async' }));
    expect(bench.supervisor.load).toEqual({ live: 6, running: 2, pending: 4, slots: 2 });
    for (let n = 0; n < 6; n++) {
      expect(bench.runtime.running).toBeLessThanOrEqual(2);
      bench.runtime.call(n).complete();
      await settle();
    }
    expect(bench.runtime.calls.map((call) => call.attempt.executionId)).toEqual(
      cursors.map((cursor) => cursor.executionId),
    );
    await bench.leavesNothing();
  });

  test('keeps the order of admission for those that had to wait for their commit too', async () => {
    const bench = supervisorBench({ slots: 1 });
    const ids = [];
    for (let n = 0; n < 4; n++) ids.push((await bench.admit({ task: withFiles() })).executionId);
    for (let n = 0; n < 4; n++) {
      bench.runtime.call(n).complete();
      await settle();
    }
    expect(bench.runtime.calls.map((call) => call.attempt.executionId)).toEqual(ids);
    await bench.leavesNothing();
  });

  test('refuses past its limit, saying what ran out and when to come again, and takes more when there is room', async () => {
    const bench = supervisorBench({ slots: 1, queueLimit: 2 });
    for (let n = 0; n < 3; n++) await bench.admit({ mode: 'async' });
    await expect(bench.supervisor.admit(requestWith())).rejects.toMatchObject({
      kind: 'resource_exhausted',
      reason: 'QUEUE_FULL',
      quota: 'queue-limit',
      retryAfterMs: expect.any(Number),
    });
    expect(bench.supervisor.load).toMatchObject({ live: 3, pending: 2 });
    bench.runtime.call(0).complete();
    await settle();
    await bench.admit();
    for (let n = 1; n < 4; n++) {
      bench.runtime.call(n).complete();
      await settle();
    }
    await bench.leavesNothing();
  });

  test('with no queue at all, what finds a free slot runs and what does not is refused', async () => {
    const bench = supervisorBench({ slots: 1, queueLimit: 0 });
    await bench.admit();
    await expect(bench.supervisor.admit(requestWith())).rejects.toMatchObject({ kind: 'resource_exhausted' });
    bench.runtime.call(0).complete();
    await settle();
    await bench.admit();
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('with no queue at all, requests for which there are free slots are all taken, durable first or not', async () => {
    const bench = supervisorBench({ slots: 2, queueLimit: 0 });
    bench.watched.hold();
    await bench.supervisor.admit(requestWith({ task: withFiles() }));
    await bench.supervisor.admit(requestWith({ task: withFiles() }));
    bench.watched.release();
    await settle();
    expect(bench.runtime.calls).toHaveLength(2);
    for (const call of bench.runtime.calls) call.complete();
    await bench.leavesNothing();
  });

  test('goes on when a backlog of commits had held it back', async () => {
    const bench = supervisorBench({ slots: 1, queueLimit: 20_000 });
    await bench.admit({ mode: 'async' });
    const many = async (): Promise<void> => {
      for (let n = 0; n < 4200; n++) await bench.supervisor.admit(requestWith({ mode: 'async' }));
    };
    bench.watched.hold();
    bench.runtime.call(0).complete();
    await settle();
    await bench.supervisor.admit(requestWith({ mode: 'async' }));
    expect(bench.runtime.calls).toHaveLength(2);
    await many();
    bench.runtime.call(1).complete();
    // The store takes one commit after the other, and as many requests come while the second of them is written.
    bench.watched.release();
    bench.watched.hold();
    await settle();
    await many();
    bench.watched.release();
    await settle();
    bench.runtime.script = (call) => call.complete();
    for (const call of bench.runtime.calls) if (!call.over) call.complete();
    await bench.clock.advance(1000);
    expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
  });
});

describe('start_after', () => {
  test('begins at its time and not before, and counts as pending meanwhile', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', startAfterMs: 500 });
    expect(cursor.record).toMatchObject({ state: 'pending.waiting', status: 'pending' });
    expect(bench.supervisor.load).toMatchObject({ running: 0, pending: 1 });
    await bench.clock.advance(499);
    expect(bench.runtime.calls).toHaveLength(0);
    await bench.clock.advance(1);
    bench.runtime.call(0).complete();
    await settle();
    expect(story(await bench.log(cursor.executionId))).toEqual([
      '>pending.waiting',
      'pending.waiting>pending.queued',
      'pending.queued>running.attempting',
      'result',
    ]);
    expect(await bench.record(cursor.executionId)).toMatchObject({ queueTimeMs: 500 });
    await bench.leavesNothing();
  });

  test('does not hold a slot from others while it waits', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async', startAfterMs: 500, task: withFiles() });
    await bench.admit({ mode: 'async' });
    expect(bench.runtime.calls).toHaveLength(1);
    bench.runtime.call(0).complete();
    await bench.clock.advance(500);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });
});

describe('retries', () => {
  test('come after a backoff, with the slot given to others meanwhile, and before those who wait for their first', async () => {
    const bench = supervisorBench({ slots: 1 });
    const cursor = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    const second = await bench.admit({ mode: 'async' });
    const third = await bench.admit({ mode: 'async' });
    void bench.runtime.call(0).write('stdout', 'one');
    bench.runtime.call(0).fail('TRAP');
    await settle();
    expect(bench.runtime.calls).toHaveLength(2);
    expect((await bench.record(cursor.executionId)).state).toBe('running.backingOff');
    await bench.clock.advance(250);
    bench.runtime.call(1).complete();
    await settle();
    expect(bench.runtime.calls.map((call) => [call.attempt.executionId, call.attempt.number])).toEqual([
      [cursor.executionId, 1],
      [second.executionId, 1],
      [cursor.executionId, 2],
    ]);
    void bench.runtime.call(2).write('stdout', 'two');
    bench.runtime.call(2).complete();
    await settle();
    bench.runtime.call(3).complete();
    await settle();
    const events = await bench.log(cursor.executionId);
    expect(story(events)).toEqual([
      ...short,
      'stdout:one',
      'running.attempting>running.backingOff',
      'running.backingOff>running.attempting',
      'stdout:two',
      'result',
    ]);
    expect(events.map((event) => event.attempt)).toEqual([0, 1, 1, 1, 2, 2, 2]);
    expect(sequences(events)).toEqual(upTo(7));
    expect(await bench.record(cursor.executionId)).toMatchObject({
      attempt: 2,
      attemptSequence: 5,
      status: 'completed',
    });
    expect((await bench.record(third.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('end with the last error when the attempts are used up, at growing distances', async () => {
    const bench = supervisorBench();
    const started: number[] = [];
    const begin = bench.clock.monotonic();
    bench.runtime.script = (call) => {
      started.push(bench.clock.monotonic() - begin);
      call.fail('FUNCTION_EXIT', `exit ${call.attempt.number}`, { exitCode: call.attempt.number });
    };
    const cursor = await bench.admit({ task: taskWith({ retry }) });
    await bench.clock.advance(10_000);
    expect(started).toEqual([0, 200, 600]);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      attempt: 3,
      outcome: { code: 'FUNCTION_EXIT', exitCode: 3 },
    });
    await bench.leavesNothing();
  });

  test('get a large input again', async () => {
    const bench = supervisorBench();
    const input = new Uint8Array(10_000).fill(7);
    await bench.admit({ mode: 'async', task: withFiles({ retry }), invocation: invocationWith({ input }) });
    bench.runtime.call(0).fail('TRAP');
    await bench.clock.advance(200);
    expect(bench.runtime.call(1).attempt.invocation.input).toEqual(input);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });
});

describe('timeouts', () => {
  test('queue: it ends TIMED_OUT without an attempt, and leaves its place', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 60_000, queueMs: 100 } });
    await bench.clock.advance(100);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'timedOut',
      attempt: 0,
      queueTimeMs: 100,
      outcome: { code: 'QUEUE_TIMEOUT' },
    });
    expect(bench.supervisor.load).toMatchObject({ pending: 0 });
    bench.runtime.call(0).complete();
    await settle();
    expect(bench.runtime.calls).toHaveLength(1);
    await bench.leavesNothing();
  });

  test('attempt: the attempt is told to stop, and it ends TIMED_OUT when nothing of it is left', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 30;
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 60_000, attemptMs: 100 } });
    await bench.clock.advance(99);
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    await bench.clock.advance(1);
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    expect((await bench.record(cursor.executionId)).state).toBe('running.stopping');
    await bench.clock.advance(30);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'timedOut',
      outcome: { code: 'ATTEMPT_TIMEOUT', termination: { rung: 'terminate', tookMs: 30 } },
    });
    await bench.leavesNothing();
  });

  test('total: it counts from admission, the waiting included', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 300 } });
    await bench.clock.advance(200);
    bench.runtime.call(0).complete();
    await bench.clock.advance(100);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      attempt: 1,
      outcome: { code: 'TOTAL_TIMEOUT' },
    });
    await bench.leavesNothing();
  });

  test('output that comes while the attempt is being stopped is still in the log', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 30;
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 100 } });
    await bench.clock.advance(110);
    void bench.runtime.call(0).write('stderr', 'going');
    await bench.clock.advance(20);
    expect(story(await bench.log(cursor.executionId)).slice(2)).toEqual([
      'running.attempting>running.stopping',
      'stderr:going',
      'result',
    ]);
    await bench.leavesNothing();
  });

  test('an attempt that ignores its signal past the grace is KILL_UNCONFIRMED, and what it does later is nobody’s', async () => {
    const bench = supervisorBench({ slots: 1 });
    bench.runtime.stopsAfterMs = Number.POSITIVE_INFINITY;
    const cursor = await bench.admit({
      mode: 'async',
      timeouts: { totalMs: 100 },
      task: taskWith({ graceMs: 500 }),
    });
    await bench.clock.advance(599);
    expect((await bench.record(cursor.executionId)).status).toBe('running');
    await bench.clock.advance(1);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'failed',
      outcome: { code: 'KILL_UNCONFIRMED' },
    });
    const last = (await bench.record(cursor.executionId)).lastSequence;
    expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0 });
    void bench.runtime.call(0).write('stdout', 'zombie');
    bench.runtime.call(0).complete();
    await bench.clock.advance(100);
    expect(await bench.log(cursor.executionId)).toHaveLength(last);
    await bench.leavesNothing();
  });

  test('a wall clock that is set ahead while an attempt runs does not ring its timeout', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 10_000 } });
    bench.clock.jump(3_600_000);
    await bench.clock.advance(100);
    bench.runtime.call(0).complete();
    await settle();
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'completed',
      executionTimeMs: 100,
    });
    await bench.leavesNothing();
  });

  test('a wall clock that is set ahead does not turn the timeout of an attempt into that of the whole', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 10_000, attemptMs: 100 } });
    bench.clock.jump(3_600_000);
    await bench.clock.advance(100);
    expect(await bench.record(cursor.executionId)).toMatchObject({ outcome: { code: 'ATTEMPT_TIMEOUT' } });
    await bench.leavesNothing();
  });
});

describe('output limits', () => {
  test('a flood ends OUTPUT_LIMIT exactly at the limit, and is told to stop', async () => {
    const bench = supervisorBench();
    const limits = { memory: 1, maxOutputBytes: 3 * 1024 * 1024 + 5, maxOutputEvents: 1000 };
    bench.runtime.script = async (call) => {
      await call.flood('stdout', Number.POSITIVE_INFINITY);
    };
    const cursor = await bench.admit({ mode: 'stream', task: taskWith({ limits }) });
    await bench.clock.advance(1000);
    const record = await bench.record(cursor.executionId);
    expect(record).toMatchObject({
      status: 'failed',
      outputBytes: limits.maxOutputBytes,
      outcome: { code: 'OUTPUT_LIMIT' },
    });
    const bytes = (await bench.log(cursor.executionId)).reduce(
      (sum, event) => sum + (event.kind === 'chunk' ? event.data.byteLength : 0),
      0,
    );
    expect(bytes).toBe(limits.maxOutputBytes);
    expect(record.droppedBytes).toBeGreaterThan(0);
    await bench.leavesNothing();
  });

  test('a guest that reaches its limit in its very first turn is stopped too', async () => {
    const bench = supervisorBench();
    bench.runtime.script = (call) => {
      void call.write('stdout', 'too much');
    };
    const task = taskWith({ limits: { memory: 1, maxOutputBytes: 3, maxOutputEvents: 10 } });
    const cursor = await bench.admit({ task });
    await settle();
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    expect(story(await bench.log(cursor.executionId))).toEqual([
      ...short,
      'stdout:too',
      'running.attempting>running.stopping',
      'result',
    ]);
    await bench.leavesNothing();
  });
});

describe('what breaks', () => {
  test('a runtime that rejects is our bug: the caller sees INTERNAL and nothing of the cause, and the node goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit();
    const cause = new Error('/etc/secret is broken');
    bench.runtime.call(0).crash(cause);
    await settle();
    const record = await bench.record(cursor.executionId);
    expect(record.outcome).toMatchObject({ status: 'failed', code: 'INTERNAL' });
    expect(JSON.stringify(record)).not.toContain('secret');
    expect(bench.bugs).toEqual([{ error: cause, executionId: cursor.executionId }]);
    const next = await bench.admit();
    bench.runtime.call(1).complete();
    await settle();
    expect((await bench.record(next.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('a runtime that throws before it returns a promise is the same', async () => {
    const bench = supervisorBench();
    bench.runtime.run = () => {
      throw new Error('at once');
    };
    const cursor = await bench.admit();
    expect((await bench.record(cursor.executionId)).outcome).toMatchObject({ code: 'INTERNAL' });
    await bench.leavesNothing();
  });

  test('a chart that throws ends its own execution INTERNAL, gives the slot back, and the node goes on', async () => {
    const bench = supervisorBench({ slots: 1 });
    const cursor = await bench.admit({ task: taskWith({ retry }) });
    // No such code: the rule of retries cannot look it up.
    bench.runtime.call(0).fail('NO_SUCH_CODE' as never);
    await settle();
    expect((await bench.record(cursor.executionId)).outcome).toMatchObject({ code: 'INTERNAL' });
    expect(bench.bugs).toHaveLength(1);
    await bench.admit();
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('a guest that waits for its output to be durable is held back, and goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'stream' });
    bench.watched.hold();
    const flood = bench.runtime.call(0).flood('stdout', 5 * 1024 * 1024);
    await bench.clock.advance(1000);
    expect(await isSettled(flood)).toBe(false);
    const held = await bench.record(cursor.executionId);
    expect(held.outputBytes).toBe(0);
    bench.watched.release();
    expect(await flood).toBe(5 * 1024 * 1024);
    bench.runtime.call(0).complete();
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
