/** What older charts have stored is read, and goes on as it should. */
import { describe, expect, test } from 'vitest';
import { executionChartVersion, executionMachine } from '../../src/machines/execution.ts';
import { SnapshotIncompatible } from '../../src/machines/migrations.ts';
import { replay, snapshotOf } from '../../src/machines/replay.ts';
import { storedContext } from '../../src/machines/stored-context.ts';
import {
  alarm,
  completed,
  dispatch,
  expectEnd,
  inputWith,
  lost,
  mayRunAgain,
  resume,
  runsOnce,
  type Step,
  send,
  stopped,
  suspend,
} from './chart.ts';
import { leavesOf } from './graph.ts';
import { RecordedChart } from './recorded.ts';
import { storedLogs } from './stored-logs.ts';

const logs = storedLogs(1);
/** When their nodes began. */
const t1 = 1_750_000_000_000;

function stepOf(name: string, recovery = mayRunAgain): Step {
  const log = logs.find((one) => one.name === name);
  if (log === undefined) throw new Error(`no such log: ${name}`);
  const replayed = replay(log.events, recovery);
  expect(replayed.chartVersion).toBe(executionChartVersion);
  return { snapshot: snapshotOf(replayed), state: replayed.state, effects: [] };
}

describe('version 1', () => {
  test('there is a log of every state that it had and that does not end it', () => {
    expect(new Set(logs.map(({ record }) => record.state))).toEqual(
      new Set([
        'pending.waiting',
        'pending.queued',
        'running.attempting',
        'running.backingOff',
        'running.stopping',
      ]),
    );
    for (const { events } of logs) for (const event of events) expect(event.chartVersion).toBe(1);
    expect(leavesOf(executionMachine)).toEqual(
      expect.arrayContaining(logs.map(({ record }) => record.state)),
    );
  });

  const readable = logs.filter(({ name }) => !name.includes('too long'));

  test.each(readable)('$name: its context is whole', ({ record, events }) => {
    const { state, context } = replay(events, mayRunAgain);
    expect(state).toBe(record.state);
    const now = storedContext(new RecordedChart(inputWith()).step.snapshot.context);
    const stored = storedContext(context);
    expect(Object.keys(stored).sort()).toEqual(Object.keys(now).sort());
    expect(Object.values(stored)).not.toContain(undefined);
    expect(stored).toMatchObject({
      executionId: record.executionId,
      attempt: record.attempt,
      totalMs: 60_000,
      totalDeadline: t1 + 60_000,
      recovery: mayRunAgain,
      lost: 0,
      recoveries: 0,
      timers: null,
      heldSince: null,
      pausedAttempt: null,
      outcome: null,
    });
  });

  test('waiting for its start time: it starts then, and its queue timeout begins', () => {
    const queued = send(stepOf('waiting for its start time'), alarm(t1 + 2000));
    expect(queued.effects).toEqual([`armAlarm ${t1 + 7000}`, 'requestSlot']);
  });

  test('waiting, and held here: it waits for what was left', () => {
    const held = send(stepOf('waiting for its start time'), suspend(t1 + 500), resume(t1 + 10_500));
    expect(held.state).toBe('pending.waiting');
    expect(held.snapshot.context.startAt).toBe(t1 + 12_000);
  });

  test('queued: its queue timeout is where it was, and a slot makes it run', () => {
    expectEnd(send(stepOf('queued'), alarm(t1 + 5000)), 'timedOut', 'QUEUE_TIMEOUT');
    const running = send(stepOf('queued'), dispatch(t1 + 4000));
    expect(running.snapshot.context).toMatchObject({ attempt: 1, attemptDeadline: t1 + 5000 });
    expect(send(running, completed(t1 + 4100)).state).toBe('completed');
  });

  test('attempting: its attempt is lost, and its task decides', () => {
    const name = 'attempting, after a start time';
    const again = send(stepOf(name), lost(t1 + 9000), alarm(t1 + 9000), dispatch(t1 + 9000));
    expect(again.snapshot.context).toMatchObject({ attempt: 2, lost: 1, attemptDeadline: t1 + 10_000 });
    expectEnd(send(stepOf(name, runsOnce), lost(t1 + 9000)), 'failed', 'INTERRUPTED');
  });

  test('of a task that is not known it is not run again', () => {
    const log = logs.find(({ name }) => name === 'attempting, after a start time');
    const { context } = replay(log?.events ?? []);
    expect(context.options.recovery).toEqual({ onInterrupt: 'fail', maxRecoveries: 0 });
  });

  test('backing off: its retry is due when it was, and is its second try', () => {
    const due = send(stepOf('backing off'), alarm(t1 + 250));
    expect(due.effects).toContain('requestSlot');
    expect(send(due, dispatch(t1 + 260)).snapshot.context).toMatchObject({ attempt: 2, retryAt: null });
  });

  test('stopping: its attempt is gone with its node, and the cause ends it', () => {
    const gone = stopped(t1 + 9000, 'restart');
    expectEnd(send(stepOf('stopping for a cancel'), gone), 'cancelled', 'CANCELLED');
    expectEnd(
      send(stepOf('stopping for a cancel that came after a timeout'), gone),
      'cancelled',
      'CANCELLED',
    );
    expectEnd(send(stepOf('stopping with its node'), gone), 'failed', 'INTERRUPTED');
    const retried = send(stepOf('stopping for a timeout that is retried'), gone);
    expect(retried.state).toBe('running.backingOff');
    expect(retried.snapshot.context).toMatchObject({ retryAt: t1 + 9200, cause: null });
  });

  test('stopping for a reason that was left out: it is refused, as a cancelled one would run again', () => {
    expect(() => stepOf('stopping for a reason that was too long to be kept')).toThrow(SnapshotIncompatible);
  });

  test('a log that this version goes on with is read as one', () => {
    const log = logs.find(({ name }) => name === 'queued');
    const before = replay(log?.events ?? [], mayRunAgain);
    const then = {
      to: 'running.attempting',
      contextPatch: '{"attempt":1}',
      chartVersion: executionChartVersion,
    };
    const after = replay([...(log?.events ?? []), then], mayRunAgain);
    expect(after.context).toEqual({ ...before.context, attempt: 1 });
    expect(after.state).toBe('running.attempting');
  });
});
