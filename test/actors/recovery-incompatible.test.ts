/** What cannot be read any more fails its own execution, with a clear code, and nothing else. */
import { describe, expect, test } from 'vitest';
import { endIncompatible } from '../../src/actors/executions/recovery/stored-execution.ts';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import { executionChartVersion } from '../../src/machines/execution.ts';
import { DamagedError, type LogOutline, StoreError } from '../../src/stores/store.ts';
import { storedLogs } from '../machines/stored-logs.ts';
import { settle } from '../support/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store/store.ts';
import { taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

type Outline = (outline: LogOutline) => LogOutline | Promise<LogOutline>;

/** Of that execution the store has something else than what was written. */
function spoil(store: MemoryStore, executionId: string, how: Outline): void {
  const outline = store.outline.bind(store);
  store.outline = async (id) => (id === executionId ? how(await outline(id)) : outline(id));
}

const last =
  (change: Partial<LogOutline['transitions'][number]>): Outline =>
  (outline) => ({
    ...outline,
    transitions: outline.transitions.map((event, index, all) =>
      index === all.length - 1 ? { ...event, ...change } : event,
    ),
  });

const damages: readonly (readonly [string, Outline, string])[] = [
  ['a chart of a later version', last({ chartVersion: executionChartVersion + 1 }), 'this node knows 1 to'],
  ['a patch that is not JSON', last({ contextPatch: '{' }), 'is not JSON'],
  ['a state that this chart has not', last({ to: 'running.thinking' }), 'its log leads to running.thinking'],
  [
    'a log that lacks its beginning',
    (outline) => ({ ...outline, transitions: outline.transitions.slice(1) }),
    'its log gives no',
  ],
  [
    'a log that lacks its end',
    (outline) => ({ ...outline, transitions: outline.transitions.slice(0, 1) }),
    'its log leads to pending.queued, its record says running.attempting',
  ],
  ['a damaged log', () => Promise.reject(new DamagedError('scripted')), 'its log is damaged'],
];

describe('SNAPSHOT_INCOMPATIBLE', () => {
  test.each(damages)('%s ends its execution, and the others go on', async (_, how, message) => {
    const before = supervisorBench({ slots: 3 });
    const first = await before.start();
    const spoiled = await before.start();
    const third = await before.start();
    const was = await before.record(spoiled.executionId);
    const after = crash(before, { downMs: 1000, slots: 3 });
    spoil(after.store, spoiled.executionId, how);
    expect(await after.supervisor.recover()).toEqual({ revived: 2, incompatible: 1 });
    expect(await after.record(spoiled.executionId)).toMatchObject({
      status: 'failed',
      state: 'failed',
      attempt: was.attempt,
      lastSequence: was.lastSequence + 1,
      completedAt: after.clock.now(),
      executionTimeMs: 1000,
      outcome: { code: 'SNAPSHOT_INCOMPATIBLE', message: expect.stringContaining(message) },
    });
    const log = await after.log(spoiled.executionId);
    expect(sequences(log)).toEqual(upTo(was.lastSequence + 1));
    expect(log.at(-1)).toMatchObject({ kind: 'result', status: 'failed', attempt: 1 });
    await after.clock.advance(0);
    expect(new Set(after.runtime.calls.map((call) => call.attempt.executionId))).toEqual(
      new Set([first.executionId, third.executionId]),
    );
    for (const call of after.runtime.calls) call.complete();
    await after.leavesNothing();
  });

  test('one that has moved on since it was read is left alone, and ends once', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.start();
    const earlier = await bench.record(executionId);
    bench.runtime.call(0).complete();
    await settle();
    const ended = await bench.record(executionId);
    expect(ended).toMatchObject({ status: 'completed' });
    const time = new NodeTime(bench.clock);
    expect(await endIncompatible(bench.store, time, earlier, 'it was read before')).toEqual(ended);
    const ends = (await bench.log(executionId)).filter(({ kind }) => kind === 'result');
    expect(ends.length).toBe(1);
    await bench.leavesNothing();
  });

  test('a task that this node does not know is one of them', async () => {
    const before = supervisorBench();
    const { executionId, record } = await before.admit({ mode: 'async', task: taskWith() });
    const after = crash(before);
    expect(await after.supervisor.recover()).toEqual({ revived: 0, incompatible: 1 });
    expect(await after.record(executionId)).toMatchObject({
      outcome: { message: `its task ${record.taskId} has no revision 1 here` },
    });
    await after.leavesNothing();
  });

  test('its result is not earlier than what stands before it, also where the clock was set back', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start();
    void before.runtime.call(0).write('stdout', 'late');
    await before.clock.advance(90_000);
    void before.runtime.call(0).write('stdout', 'later');
    await before.clock.advance(10);
    const after = crash(before, { downMs: -3_600_000 });
    spoil(after.store, executionId, last({ chartVersion: 99 }));
    await after.supervisor.recover();
    const times = (await after.log(executionId)).map((event) => event.time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const record = await after.record(executionId);
    expect(record.completedAt).toBe(times.at(-1));
    expect(record.executionTimeMs).toBeGreaterThanOrEqual(0);
    await after.leavesNothing();
  });

  test('one whose events cannot be read at all ends all the same', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start();
    const after = crash(before);
    const damaged = () => Promise.reject(new DamagedError('scripted'));
    spoil(after.store, executionId, damaged);
    const events = after.store.events.bind(after.store);
    after.store.events = damaged;
    expect(await after.supervisor.recover()).toEqual({ revived: 0, incompatible: 1 });
    after.store.events = events;
    expect(await after.record(executionId)).toMatchObject({ outcome: { code: 'SNAPSHOT_INCOMPATIBLE' } });
    await after.leavesNothing();
  });

  test('it is over with it: its invocation id is joined, and a second recovery finds nothing', async () => {
    const before = supervisorBench();
    const request = { invocationId: 'key', payloadDigest: 'd' };
    const { executionId } = await before.start({}, request);
    const after = crash(before);
    spoil(after.store, executionId, last({ chartVersion: 99 }));
    await after.supervisor.recover();
    expect(await after.supervisor.recover()).toEqual({ revived: 0, incompatible: 0 });
    const again = await after.start({}, request);
    expect(again.executionId).toBe(executionId);
    expect(again.record.outcome).toMatchObject({ code: 'SNAPSHOT_INCOMPATIBLE' });
    await after.leavesNothing();
  });

  test('a store that fails is not one of them: the recovery rejects, and nothing has ended', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start();
    const after = crash(before);
    spoil(after.store, executionId, () => Promise.reject(new StoreError('disk gone')));
    await expect(after.supervisor.recover()).rejects.toThrow('disk gone');
    expect((await after.record(executionId)).status).toBe('running');
    after.supervisor.close();
  });
});

test('what a node with the first version of the chart has left goes on', async () => {
  const store = createMemoryStore();
  const logs = storedLogs(1);
  await store.saveRevision(taskWith());
  await store.commit(
    logs.map(({ record, events }) => ({
      executionId: record.executionId,
      expectedLastSequence: 0,
      events,
      record,
    })),
  );
  const at = Math.max(...logs.flatMap(({ events }) => events.map(({ time }) => time)));
  const bench = supervisorBench({ slots: 10 }, { store, clocks: { wall: at } });
  bench.runtime.script = (call) => call.complete();
  expect(await bench.supervisor.recover()).toEqual({ revived: logs.length - 1, incompatible: 1 });
  await bench.clock.advance(5000);
  const ends = await Promise.all(
    logs.map(async ({ name, record }) => {
      const { status, outcome } = await bench.record(record.executionId);
      return [name, outcome !== undefined && 'code' in outcome ? outcome.code : status];
    }),
  );
  expect(Object.fromEntries(ends)).toEqual({
    'waiting for its start time': 'completed',
    queued: 'completed',
    'attempting, after a start time': 'completed',
    'backing off': 'completed',
    'stopping for a cancel': 'CANCELLED',
    'stopping for a timeout that is retried': 'completed',
    'stopping for a cancel that came after a timeout': 'CANCELLED',
    'stopping with its node': 'INTERRUPTED',
    'stopping for a reason that was too long to be kept': 'SNAPSHOT_INCOMPATIBLE',
  });
  for (const { record } of logs) {
    const log = await bench.log(record.executionId);
    expect(sequences(log)).toEqual(upTo(log.length));
  }
  await settle();
  await bench.leavesNothing();
});
