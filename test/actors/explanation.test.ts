import { describe, expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { ScriptedRuntime } from '../support/scripted-runtime.ts';
import { supervisorBench, withFiles } from './supervisor-bench.ts';

const retry = { ...noRetry, maxAttempts: 3, initialMs: 4000 };

describe('an explanation', () => {
  test('of one that waits for its start says when that is', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', startAfterMs: 90_000 });
    await bench.clock.advance(30_000);
    expect(await bench.supervisor.explain(executionId)).toMatchObject({
      status: 'pending',
      state: 'pending.waiting',
      summary: 'It waits for its start time, which is in 1 min 0 s.',
      queuePlace: 0,
      goesOnAt: bench.clock.now() + 60_000,
      endsAt: bench.clock.now() + 270_000,
    });
  });

  test('of one whose deadline is before its start says that it never gets there', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', startAfterMs: 3_600_000 });
    expect((await bench.supervisor.explain(executionId)).details).toEqual([
      'TOTAL_TIMEOUT in 5 min 0 s, where nothing else ends it before',
      'that comes first: it ends before it goes on',
    ]);
  });

  test('of one whose change the disk has, and the node does not know yet, is of what the node knows', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', startAfterMs: 90_000 });
    bench.watched.holdAnswers();
    const suspended = bench.supervisor.suspend(executionId);
    await settle();
    expect((await bench.record(executionId)).state).toBe('pending.held');
    expect(await bench.supervisor.explain(executionId)).toMatchObject({ state: 'pending.waiting' });
    bench.watched.release();
    await suspended;
    expect(await bench.supervisor.explain(executionId)).toMatchObject({ state: 'pending.held' });
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('of one in the queue says its place, who holds the slots, and which retries go first', async () => {
    const bench = supervisorBench({ slots: 1 });
    const retried = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(0).fail('TRAP');
    await settle();
    const holder = await bench.admit({ mode: 'async' });
    const waiting = [];
    for (let n = 0; n < 3; n++) waiting.push((await bench.admit({ mode: 'async' })).executionId);
    await bench.clock.advance(5000);
    expect(await bench.supervisor.explain(waiting[1] ?? '')).toEqual({
      executionId: waiting[1],
      status: 'pending',
      state: 'pending.queued',
      summary: 'It waits for a slot, place 3 of 4 in the queue: the only slot is taken.',
      details: [
        'in pending.queued for 5 s',
        '1 retry goes before it',
        'the node runs 1 at once (--slots)',
        'it will likely start in 15 s',
        'TOTAL_TIMEOUT in 4 min 55 s, where nothing else ends it before',
      ],
      queuePlace: 3,
      queueLength: 4,
      heldBy: [holder.executionId],
      endsAt: bench.clock.now() + 295_000,
    });
    expect(await bench.supervisor.explain(retried.executionId)).toMatchObject({
      state: 'running.backingOff',
      summary: 'Attempt 2 waits for a slot, place 1 of 4 in the queue: the only slot is taken.',
      details: expect.arrayContaining(['attempt 1 ended with TRAP', 'try 1 of 3']),
      queuePlace: 1,
    });
  });

  test('of one that must not start says what keeps it', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async' });
    const { executionId } = await bench.admit({ mode: 'async' });
    bench.supervisor.stopAccepting();
    const { summary } = await bench.supervisor.explain(executionId);
    expect(summary).toContain('the node is draining');
    bench.store.lowSpace = true;
    const { details } = await bench.supervisor.explain(executionId);
    expect(details).toContain('the disk is full: what was accepted may end, and nothing new is accepted');
  });

  test('of one that runs says since when, where, and what its nearest deadline is', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({
      mode: 'async',
      timeouts: { totalMs: 60_000, attemptMs: 20_000 },
    });
    await bench.clock.advance(2000);
    void bench.runtime.call(0).bind();
    await settle();
    const explanation = await bench.supervisor.explain(executionId);
    expect(explanation).toMatchObject({
      summary: `Attempt 1 has been running for 2 s on inst_${executionId}_1.`,
      details: ['ATTEMPT_TIMEOUT in 18 s, where nothing else ends it before'],
      endsAt: bench.clock.now() + 18_000,
      heldBy: [],
    });
    expect(explanation).not.toHaveProperty('goesOnAt');
  });

  test('of one that backs off says until when, and after which error', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(0).fail('FUNCTION_EXIT');
    await settle();
    await bench.clock.advance(1000);
    const { summary, details, goesOnAt } = await bench.supervisor.explain(executionId);
    expect(summary).toBe('Attempt 2 begins in 3 s, when there is a slot.');
    expect(details).toContain('attempt 1 ended with FUNCTION_EXIT');
    expect(goesOnAt).toBe(bench.clock.now() + 3000);
  });

  test.each([
    ['wasm', 'its guest host is being ended (terminate)'],
    ['docker', 'it was asked to end (term); it is killed in 600 ms at the latest (kill)'],
  ] as const)('of a %s attempt that is being stopped says why and what comes next', async (kind, line) => {
    const bench = supervisorBench();
    const runtime = new ScriptedRuntime(bench.clock, kind);
    runtime.stopsAfterMs = 5000;
    const other = supervisorBench({ runtimes: new Map([[kind, runtime]]) });
    const { executionId } = await other.admit({ mode: 'async', task: taskWith({ runtime: kind }) });
    await other.supervisor.cancel(executionId, 'enough');
    await other.clock.advance(400);
    expect(await other.supervisor.explain(executionId)).toMatchObject({
      summary: 'Attempt 1 is being stopped: CANCELLED: cancelled: enough.',
      details: [
        'that began 400 ms ago',
        line,
        'what cannot be confirmed gone in 10.6 s ends with KILL_UNCONFIRMED',
      ],
    });
  });

  test('of one that is held says who holds it', async () => {
    const bench = supervisorBench();
    const suspended = await bench.admit({ mode: 'async', startAfterMs: 1000 });
    await bench.supervisor.suspend(suspended.executionId);
    const { taskId } = taskWith();
    await bench.supervisor.breakpoints.set({
      of: { kind: 'task', taskId, name: 'echo' },
      before: 'running.attempting',
      once: true,
    });
    const stopped = await bench.admit({ mode: 'async' });
    await bench.clock.advance(7000);
    expect(await bench.supervisor.explain(suspended.executionId)).toMatchObject({
      summary: 'It is held by a suspend, until somebody resumes it.',
      details: expect.arrayContaining(['held for 7 s']),
    });
    expect((await bench.supervisor.explain(stopped.executionId)).summary).toBe(
      'It is held by a breakpoint before it starts, until somebody resumes it.',
    );
  });

  test('of one that is suspended says whether it was paused or runs again', async () => {
    const bench = supervisorBench();
    const rerun = await bench.admit({ mode: 'async' });
    await bench.supervisor.suspend(rerun.executionId);
    await settle();
    expect((await bench.supervisor.explain(rerun.executionId)).details).toContain(
      'attempt 2 runs after the resume, from the beginning',
    );
    const runtime = new ScriptedRuntime(bench.clock, 'docker', { pause: true });
    const other = supervisorBench({ runtimes: new Map([['docker', runtime]]) });
    const paused = await other.admit({ mode: 'async', task: taskWith({ runtime: 'docker' }) });
    await other.supervisor.suspend(paused.executionId);
    expect(await other.supervisor.explain(paused.executionId)).toMatchObject({
      summary: 'Attempt 1 is paused by a suspend, until somebody resumes it.',
      details: expect.arrayContaining([
        'its container runs on after the resume, beyond --slots where it must',
      ]),
    });
  });

  test('of one that has ended says how, and what can be done', async () => {
    const bench = supervisorBench();
    const failed = await bench.admit({ mode: 'async' });
    bench.runtime.call(0).fail('FUNCTION_EXIT', 'exit code 7', { exitCode: 7 });
    const fine = await bench.admit({ mode: 'async' });
    await bench.clock.advance(250);
    bench.runtime.call(1).complete();
    await settle();
    expect(await bench.supervisor.explain(failed.executionId)).toEqual({
      executionId: failed.executionId,
      status: 'failed',
      state: 'failed',
      summary: 'It failed: FUNCTION_EXIT: exit code 7.',
      details: [
        'exit code 7',
        'who can do something about it: the function',
        'what to do: read error_output',
      ],
      queuePlace: 0,
      queueLength: 0,
      heldBy: [],
    });
    expect(await bench.supervisor.explain(fine.executionId)).toMatchObject({
      summary: 'It completed after 250 ms.',
      details: [],
    });
  });

  test('of one that nobody knows is not found', async () => {
    await expect(supervisorBench().supervisor.explain('exec_x')).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('tells what is on disk, and waits for it', async () => {
    const bench = supervisorBench();
    bench.watched.hold();
    const { cursor } = await bench.supervisor.admit(requestWith({ mode: 'async', task: withFiles() }));
    const explained = bench.supervisor.explain(cursor.executionId);
    expect(await isSettled(explained)).toBe(false);
    bench.watched.release();
    await settle();
    expect((await explained).state).toMatch(/^(pending.queued|running.attempting)$/);
  });
});
