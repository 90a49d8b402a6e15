/** What follows others: it starts when these have ended durably, and not before, whatever happens in between. */
import { describe, expect, test } from 'vitest';
import type { Dependency } from '../../src/domain/dependency.ts';
import type { AdmissionRequest } from '../../src/domain/executions.ts';
import { overriding } from '../../src/stores/overriding.ts';
import { settle } from '../support/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store/store.ts';
import { invocationWith, requestWith } from '../support/samples.ts';
import { crash, runAll, type SupervisorBench, story, supervisorBench } from './supervisor-bench.ts';

const few = { slots: 1, waiting: { live: 2, ahead: 4, aheadOfLine: 2, rows: 2 } };

/** Admits one that nobody looks at. */
async function start(bench: SupervisorBench, request: Partial<AdmissionRequest> = {}): Promise<string> {
  const cursor = await bench.start({}, request);
  cursor.close('done');
  await settle();
  return cursor.executionId;
}

function following(...ids: readonly (string | Dependency)[]): Pick<AdmissionRequest, 'dependsOn'> {
  return { dependsOn: ids.map((id) => (typeof id === 'string' ? { executionId: id } : id)) };
}

function callOf(bench: SupervisorBench, executionId: string) {
  return bench.runtime.calls.find(({ attempt }) => attempt.executionId === executionId);
}

const stateOf = async (bench: SupervisorBench, id: string) => (await bench.record(id)).state;

describe('what follows another', () => {
  test('is blocked until that has completed durably, and starts then', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const second = await start(bench, following(first));
    expect(await stateOf(bench, second)).toBe('pending.blocked');
    expect(callOf(bench, second)).toBeUndefined();
    bench.watched.hold();
    callOf(bench, first)?.complete();
    await bench.clock.advance(10);
    expect(callOf(bench, second)).toBeUndefined();
    bench.watched.release();
    await bench.clock.advance(10);
    expect(callOf(bench, second)).toBeDefined();
    callOf(bench, second)?.complete();
    await bench.clock.advance(10);
    expect(story(await bench.log(second))).toEqual([
      '>pending.blocked',
      'pending.blocked>pending.queued',
      'pending.queued>running.attempting',
      'result',
    ]);
    await bench.leavesNothing();
  });

  test('is left to the next start where the node goes away while it is let go on', async () => {
    const asked = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    const kept = createMemoryStore();
    const store = overriding(kept, {
      async blocked(executionId) {
        asked.resolve();
        await goesOn.promise;
        return kept.blocked(executionId);
      },
    }) as MemoryStore;
    const bench = supervisorBench({}, { store, clocks: { wall: 1_750_000_000_000 } });
    const first = await start(bench);
    // It is live, as somebody looks at it.
    const { executionId: second } = await bench.start({}, following(first));
    callOf(bench, first)?.complete();
    await bench.clock.advance(10);
    await asked.promise;
    bench.supervisor.close();
    goesOn.resolve();
    await settle();
    const next = crash(bench);
    await next.supervisor.recover();
    await next.clock.advance(10);
    expect(await stateOf(next, second)).toBe('running.attempting');
    callOf(next, second)?.complete();
    await next.clock.advance(10);
    await next.leavesNothing();
  });

  test('that has ended is not blocked, and one that follows what failed fails at once', async () => {
    const bench = supervisorBench();
    const good = await start(bench);
    const bad = await start(bench);
    callOf(bench, good)?.complete();
    callOf(bench, bad)?.fail('TRAP', 'unreachable');
    await bench.clock.advance(10);
    const runs = await start(bench, following(good, { executionId: bad, condition: 'ended' }));
    expect(await stateOf(bench, runs)).toBe('running.attempting');
    const fails = await start(bench, following(bad));
    await settle();
    expect(await bench.record(fails)).toMatchObject({
      attempt: 0,
      outcome: {
        code: 'DEPENDENCY_FAILED',
        message: expect.stringContaining(`${bad} to complete, which ended failed with TRAP`),
      },
    });
    callOf(bench, runs)?.complete();
    await bench.clock.advance(10);
    await bench.leavesNothing();
  });

  test('fails when it fails, and so do those that follow in turn, but for who runs anyway', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const second = await start(bench, following(first));
    const third = await start(bench, following(second));
    const anyway = await start(bench, following({ executionId: second, onFailure: 'runAnyway' }));
    await bench.supervisor.cancel(first, 'enough');
    callOf(bench, first)?.stopped();
    await bench.clock.advance(20);
    expect((await bench.record(second)).outcome).toMatchObject({ code: 'DEPENDENCY_FAILED' });
    expect((await bench.record(third)).outcome).toMatchObject({ code: 'DEPENDENCY_FAILED' });
    expect(await stateOf(bench, anyway)).toBe('running.attempting');
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('can be cancelled, held and resumed meanwhile', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const gone = await start(bench, following(first));
    const held = await start(bench, following(first));
    await bench.supervisor.cancel(gone, 'enough');
    await bench.supervisor.suspend(held);
    callOf(bench, first)?.complete();
    await bench.clock.advance(10);
    expect(await stateOf(bench, gone)).toBe('cancelled');
    expect(await bench.record(held)).toMatchObject({ state: 'pending.held', blocked: false });
    await bench.supervisor.resume(held);
    await runAll(bench);
    expect(await stateOf(bench, held)).toBe('completed');
    await bench.leavesNothing();
  });

  test('is explained: what it waits for, in which state that is', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const second = await start(bench);
    const third = await start(bench, following(first, { executionId: second, condition: 'ended' }));
    const { summary, details } = await bench.supervisor.explain(third);
    expect(summary).toBe('It waits for 2 of the 2 executions that it depends on.');
    expect(details).toContain(`it depends on ${first}, which has to complete and is running.attempting`);
    expect(details).toContain(`it depends on ${second}, which has to end and is running.attempting`);
    callOf(bench, second)?.fail('TRAP', 'unreachable');
    await bench.clock.advance(10);
    expect((await bench.supervisor.explain(third)).summary).toContain(
      `It waits for ${first}, which has to complete`,
    );
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('keeps what it follows from being deleted until it has ended', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    callOf(bench, first)?.complete();
    await bench.clock.advance(10);
    const second = await start(bench, following(first));
    await expect(bench.supervisor.delete(first)).rejects.toMatchObject({
      kind: 'failed_precondition',
      message: expect.stringContaining(`kept for ${second}`),
    });
    await runAll(bench);
    await bench.supervisor.delete(first);
    await bench.leavesNothing();
  });

  test('is refused where what it follows is not there, and runs nothing', async () => {
    const bench = supervisorBench();
    const missing = following('exec_00000000000000000000000009');
    await expect(bench.supervisor.admit(requestWith(missing))).rejects.toMatchObject({
      kind: 'not_found',
      message: expect.stringContaining('depends_on[0].execution_id'),
    });
    const first = await start(bench);
    await expect(
      bench.supervisor.admit(
        requestWith({ ...following(first), task: { ...requestWith().task, tenant: 'other' } }),
      ),
    ).rejects.toMatchObject({ kind: 'not_found' });
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('joins by its invocation id also when what it followed is gone', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const request = { ...following(first), invocationId: 'once', payloadDigest: 'd' };
    const second = await start(bench, request);
    await runAll(bench);
    await bench.supervisor.delete(first);
    const { cursor, joined } = await bench.supervisor.admit(requestWith(request));
    expect({ id: cursor.executionId, joined }).toEqual({ id: second, joined: true });
    cursor.close('done');
    await bench.leavesNothing();
  });
});

describe('the output of what is followed', () => {
  test('is the input, read from its log when the attempt begins', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const second = await start(bench, following({ executionId: first, output: 'input' }));
    void callOf(bench, first)?.write('stdout', 'one ');
    void callOf(bench, first)?.write('stderr', 'noise');
    void callOf(bench, first)?.write('stdout', 'two');
    callOf(bench, first)?.complete();
    await bench.clock.advance(20);
    const input = callOf(bench, second)?.attempt.invocation.input ?? new Uint8Array();
    expect(new TextDecoder().decode(input)).toBe('one two');
    expect((await bench.store.input(second))?.input.byteLength).toBe(0);
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('is a parameter: a text of a command, the value of a typed function', async () => {
    const bench = supervisorBench();
    const text = await start(bench);
    const typed = await start(bench);
    const invocation = invocationWith({ parameters: { own: 1 } });
    const third = await start(bench, {
      ...following(
        { executionId: text, output: { parameter: 'text' } },
        { executionId: typed, output: { parameter: 'value' } },
      ),
      invocation,
    });
    void callOf(bench, text)?.write('stdout', 'words');
    callOf(bench, text)?.complete();
    callOf(bench, typed)?.complete({ output: '{"x":1}' });
    await bench.clock.advance(20);
    expect(callOf(bench, third)?.attempt.invocation.parameters).toEqual({
      own: 1,
      text: 'words',
      value: { x: 1 },
    });
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('that cannot be a parameter fails who wanted it', async () => {
    const bench = supervisorBench();
    const first = await start(bench);
    const second = await start(bench, following({ executionId: first, output: { parameter: 'text' } }));
    void callOf(bench, first)?.write('stdout', Buffer.from([0xff, 0xfe]));
    callOf(bench, first)?.complete();
    await bench.clock.advance(20);
    expect((await bench.record(second)).outcome).toMatchObject({ code: 'DEPENDENCY_FAILED' });
    await bench.leavesNothing();
  });
});

describe('many that follow one', () => {
  test('are rows of the store beyond a few, and all go on in their turn', async () => {
    const bench = supervisorBench(few);
    const first = await start(bench);
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await start(bench, following(first)));
    expect(bench.supervisor.passive).toBeGreaterThan(6);
    expect(bench.supervisor.load.pending).toBe(12);
    callOf(bench, first)?.complete();
    await bench.clock.advance(10);
    const ran = await runAll(bench);
    expect([...ran].sort()).toEqual([first, ...ids].sort());
    await bench.leavesNothing();
  });

  test('are not read when the node starts, and go on after the crash, each once', async () => {
    const before = supervisorBench(few);
    const first = await start(before);
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await start(before, following(first)));
    const bench = crash(before, few);
    const report = await bench.supervisor.recover();
    expect(report.revived).toBeLessThanOrEqual(4);
    await settle();
    await bench.clock.advance(1000);
    const ran = await runAll(bench);
    expect([...ran].sort()).toEqual([first, ...ids].sort());
    await bench.leavesNothing();
  });

  test('whose dependency ended just before a crash go on after it', async () => {
    const before = supervisorBench(few);
    const first = await start(before);
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push(await start(before, following(first)));
    // The end of it is durable, and nobody has heard of it yet.
    before.supervisor.close();
    const record = await before.record(first);
    const sequence = record.lastSequence + 1;
    await before.store.commit([
      {
        executionId: first,
        expectedLastSequence: record.lastSequence,
        events: [{ kind: 'result', sequence, time: record.createdAt, status: 'completed', attempt: 1 }],
        record: {
          ...record,
          status: 'completed',
          state: 'completed',
          lastSequence: sequence,
          completedAt: record.createdAt,
          outcome: { status: 'completed' },
        },
      },
    ]);
    const bench = crash(before, few);
    await bench.supervisor.recover();
    await settle();
    expect((await runAll(bench)).sort()).toEqual(ids.sort());
    await bench.leavesNothing();
  });
});
