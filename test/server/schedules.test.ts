/** Schedules over the wire: what they refuse, what they fire, and what is told of it. */
import { durationFromMs, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ServiceClient } from '../../src/client/channel.ts';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import {
  FiringCause,
  FiringResult,
  ScheduleOverlap,
  ScheduleService,
} from '../../src/server/gen/spearlet/schedule_pb.js';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4' });

let schedules: ServiceClient<typeof ScheduleService>;
type Definition = NonNullable<Parameters<(typeof schedules)['createSchedule']>[0]['definition']>;

const yearly = { case: 'cron', value: '0 0 1 1 *' } as const;
const everySecond = { case: 'interval', value: durationFromMs(1000) } as const;

beforeAll(async () => {
  schedules = server.connection.service(ScheduleService);
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

async function create(name: string, more: object = {}) {
  const definition = { name, invocation: { task: 'count' }, when: yearly, ...more } as Definition;
  return schedules.createSchedule({ definition });
}

const firingsOf = async (name: string) => (await schedules.listFirings({ name })).firings;

describe('a schedule', () => {
  it('fires by the clock, each instant once, as an execution that names it', async () => {
    const input = Buffer.from('one two three');
    await create('often', { when: everySecond, invocation: { task: 'count', input, labels: { team: 'a' } } });
    await expect
      .poll(async () => (await firingsOf('often')).filter(({ execution }) => execution?.isCompleted).length)
      .toBeGreaterThan(1);
    await schedules.pauseSchedule({ name: 'often', reason: 'enough' });
    // An instant that comes before the execution of the last one has ended is skipped.
    const fired = (await firingsOf('often')).filter(({ result }) => result === FiringResult.FIRED);
    const [last] = fired;
    expect(last).toMatchObject({
      cause: FiringCause.CLOCK,
      result: FiringResult.FIRED,
      execution: { taskName: 'count', schedule: 'often', labels: { team: 'a' }, isAsync: true },
    });
    const instant = new Date(timestampMs(last?.instant ?? timestampFromMs(0))).toISOString();
    const executionId = last?.executionId ?? '';
    const { result } = await server.functions.waitExecution({ executionId });
    expect(result?.requestId).toBe(`schedule/often/${instant.replace('.000Z', 'Z')}`);
    expect(Buffer.from(result?.output ?? []).toString()).toContain('3');
    const { executions } = await server.functions.listExecutions({ schedule: 'often' });
    expect(executions.map((each) => each.executionId)).toEqual(fired.map((each) => each.executionId));
    const { schedule } = await schedules.getSchedule({ name: 'often' });
    expect(schedule).toMatchObject({ state: 'paused', pauseReason: 'enough', fired: BigInt(fired.length) });
    expect(schedule?.next).toBeUndefined();
  });

  it('says when it would fire, and is not kept where that is all that was asked', async () => {
    const when = { case: 'cron', value: '30 2 * * *' } as const;
    const definition = {
      name: 'dry',
      invocation: { task: 'count' },
      when,
      timezone: 'Europe/Berlin',
    } as Definition;
    const { upcoming, schedule } = await schedules.createSchedule({ definition, dryRun: true });
    expect(upcoming).toHaveLength(3);
    expect(schedule?.next).toEqual(upcoming[0]);
    expect(await refusal(schedules.getSchedule({ name: 'dry' }))).toMatchObject({
      reason: 'SCHEDULE_NOT_FOUND',
    });
  });

  it.each<[field: string, words: string, more: object]>([
    ['definition.name', 'allowed are 1 to 63', { name: 'A b' }],
    ['definition.cron', 'Invalid value for minute', { when: { case: 'cron', value: '61 * * * *' } }],
    ['definition.cron', '5 fields', { when: { case: 'cron', value: '2026-01-01T00:00:00' } }],
    ['definition.cron', '5 fields', { when: { case: 'cron', value: '* * * * * * 2030' } }],
    ['definition.cron', 'no such instant', { when: { case: 'cron', value: '0 0 30 2 *' } }],
    ['definition.cron', 'is required', { when: { case: undefined } }],
    ['definition.timezone', 'IANA', { timezone: 'Mars/Base' }],
    ['definition.interval', '1 s or more', { when: { case: 'interval', value: durationFromMs(10) } }],
    ['definition.interval', 'whole seconds', { when: { case: 'interval', value: durationFromMs(1500) } }],
    ['definition.timezone', 'has none', { when: everySecond, timezone: 'UTC' }],
    ['definition.catch_up', '10 s or more', { catchUp: durationFromMs(100) }],
    ['definition.jitter', '1 day', { jitter: durationFromMs(1e9) }],
    ['definition.overlap', 'SKIP (1)', { overlap: 9 }],
    ['definition.end_at', 'nothing would fire', { endAt: timestampFromMs(1e12) }],
    [
      'definition.invocation.wait_budget',
      'a schedule has none',
      { invocation: { task: 'count', waitBudget: durationFromMs(1) } },
    ],
    [
      'definition.invocation.depends_on',
      'a schedule has none',
      { invocation: { task: 'count', dependsOn: [{ executionId: 'exec_1' }] } },
    ],
    [
      'definition.invocation.invocation_id',
      'a schedule has none',
      { invocation: { task: 'count', invocationId: 'a' } },
    ],
    [
      'definition.invocation.input',
      'allowed are 1048576',
      { invocation: { task: 'count', input: Buffer.alloc(1024 * 1024 + 1) } },
    ],
    [
      'definition.invocation.timeouts.total',
      'more than 0',
      { invocation: { task: 'count', timeouts: { total: durationFromMs(-1) } } },
    ],
  ])('whose %s is wrong is refused: %s', async (field, words, more) => {
    const refused = await refusal(create('wrong', more));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
    expect(Object.keys(refused.fields)).toEqual([field]);
    expect(refused.message).toContain(words);
  });

  it('of a task or function that is not there is refused', async () => {
    const gone = await refusal(create('wrong', { invocation: { task: 'none' } }));
    expect(gone).toMatchObject({ code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' });
    const lost = await refusal(create('wrong', { invocation: { task: 'count', functionName: 'none' } }));
    expect(lost).toMatchObject({ code: 'NOT_FOUND', reason: 'FUNCTION_NOT_FOUND' });
  });

  it('is refused where its name is taken, and changed where it is expected as it is', async () => {
    await create('named', { jitter: durationFromMs(60_000) });
    expect(await refusal(create('named'))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'SCHEDULE_EXISTS',
    });
    const definition = {
      name: 'named',
      invocation: { task: 'loop' },
      when: everySecond,
      startAt: timestampFromMs(4e12),
    };
    const change = (expectedRevision: number) =>
      schedules.updateSchedule({ definition: definition as Definition, expectedRevision });
    expect(await refusal(change(2))).toMatchObject({ code: 'ABORTED', reason: 'SCHEDULE_CHANGED' });
    const { schedule, upcoming } = await change(1);
    expect(schedule).toMatchObject({ revision: 2, definition: { invocation: { task: 'loop' } } });
    expect(upcoming.map(timestampMs)).toEqual([4e12, 4e12 + 1000, 4e12 + 2000]);
  });

  it('fires at once where it is triggered, also while it is paused', async () => {
    await create('by-hand');
    await schedules.pauseSchedule({ name: 'by-hand' });
    const [one, two] = [
      await schedules.triggerSchedule({ name: 'by-hand' }),
      await schedules.triggerSchedule({ name: 'by-hand' }),
    ];
    expect(one.firing).toMatchObject({ cause: FiringCause.TRIGGER, sequence: 1n });
    expect(two.firing).toMatchObject({ cause: FiringCause.TRIGGER, sequence: 2n });
    expect((await schedules.getSchedule({ name: 'by-hand' })).schedule).toMatchObject({ state: 'paused' });
  });

  it('makes up for a time that has passed, and not twice for what is there', async () => {
    await create('made-up', { when: { case: 'cron', value: '0 0 * * *' } });
    const span = { from: timestampFromMs(Date.UTC(2026, 0, 1)), to: timestampFromMs(Date.UTC(2026, 0, 3)) };
    const planned = await schedules.backfillSchedule({ name: 'made-up', ...span, dryRun: true });
    expect(planned.firings.map(({ instant }) => instant && timestampMs(instant))).toEqual(
      [1, 2, 3].map((day) => Date.UTC(2026, 0, day)),
    );
    const first = await schedules.backfillSchedule({ name: 'made-up', ...span });
    expect(first.firings.map(({ result }) => result)).toEqual(Array(3).fill(FiringResult.FIRED));
    const again = await schedules.backfillSchedule({ name: 'made-up', ...span });
    expect(again.firings.map(({ result }) => result)).toEqual(Array(3).fill(FiringResult.REPEATED));
    expect(again.firings.map(({ executionId }) => executionId)).toEqual(
      first.firings.map(({ executionId }) => executionId),
    );
    const tooLong = { from: timestampFromMs(0), to: span.to };
    expect((await refusal(schedules.backfillSchedule({ name: 'made-up', ...tooLong }))).message).toContain(
      '1000',
    );
    const future = { from: span.from, to: timestampFromMs(Date.now() + 1e6) };
    expect((await refusal(schedules.backfillSchedule({ name: 'made-up', ...future }))).fields).toHaveProperty(
      'to',
    );
  });

  it('that is deleted is not there, and its name is free', async () => {
    await create('gone');
    await schedules.triggerSchedule({ name: 'gone' });
    await schedules.deleteSchedule({ name: 'gone' });
    expect(await refusal(schedules.listFirings({ name: 'gone' }))).toMatchObject({ code: 'NOT_FOUND' });
    const { schedule } = await create('gone');
    expect(schedule).toMatchObject({ revision: 1, fired: 0n });
    expect(await firingsOf('gone')).toEqual([]);
  });
});

describe('while an earlier firing has not ended', () => {
  const busy = async (name: string, overlap: ScheduleOverlap) => {
    await create(name, { invocation: { task: 'loop' }, overlap });
    const trigger = async () => (await schedules.triggerSchedule({ name })).firing;
    const first = await trigger();
    const stateOf = async (executionId = '') =>
      (await server.functions.getExecutionStatus({ executionId })).result?.state;
    await expect.poll(() => stateOf(first?.executionId)).toBe('running.attempting');
    return { trigger, stateOf, first: first?.executionId ?? '' };
  };
  const cancel = (executionId = '') => server.functions.cancelExecution({ executionId });

  it('the next is left out with SKIP, and says what it met', async () => {
    const { trigger, first } = await busy('skips', ScheduleOverlap.SKIP);
    expect(await trigger()).toMatchObject({ result: FiringResult.SKIPPED, executionId: first });
    await cancel(first);
    await server.functions.waitExecution({ executionId: first });
    const third = await trigger();
    expect(third).toMatchObject({ result: FiringResult.FIRED });
    await cancel(third?.executionId);
  });

  it('the next waits with QUEUE', async () => {
    const { trigger, stateOf, first } = await busy('queues', ScheduleOverlap.QUEUE);
    const second = await trigger();
    expect(second).toMatchObject({ result: FiringResult.FIRED });
    expect(await stateOf(second?.executionId)).toBe('pending.queued');
    await cancel(first);
    await expect.poll(() => stateOf(second?.executionId)).toBe('running.attempting');
    await cancel(second?.executionId);
  });

  it('it ends with CANCEL_RUNNING, and the next begins', async () => {
    const { trigger, stateOf, first } = await busy('cancels', ScheduleOverlap.CANCEL_RUNNING);
    const second = await trigger();
    const { result } = await server.functions.waitExecution({ executionId: first });
    expect(result?.status).toBe(ExecutionStatus.CANCELLED);
    await expect.poll(() => stateOf(second?.executionId)).toBe('running.attempting');
    await cancel(second?.executionId);
  });

  it('both run with ALLOW', async () => {
    const { trigger, stateOf, first } = await busy('allows', ScheduleOverlap.ALLOW);
    const second = await trigger();
    await expect.poll(() => stateOf(second?.executionId)).toBe('running.attempting');
    for (const executionId of [first, second?.executionId]) await cancel(executionId);
  });
});

describe('a firing that is refused', () => {
  it('is told, is counted, and does not stop the next', async () => {
    await server.register('passing', 'wordcount/wordcount.wasm');
    await create('refused', { when: everySecond, invocation: { task: 'passing' } });
    await server.tasks.deleteTask({ task: 'passing' });
    const shown = async () => (await schedules.getSchedule({ name: 'refused' })).schedule;
    await expect.poll(async () => (await shown())?.refusedInARow).toBeGreaterThan(1);
    expect(await shown()).toMatchObject({
      state: 'active.waiting',
      last: { result: FiringResult.REFUSED, reason: 'TASK_NOT_FOUND', message: 'no task "passing"' },
    });
    await server.register('passing', 'wordcount/wordcount.wasm');
    await expect.poll(async () => (await shown())?.refusedInARow).toBe(0);
    await schedules.deleteSchedule({ name: 'refused' });
  });
});

it('no caller may use the invocation id of a firing', async () => {
  const refused = await refusal(
    server.functions.invokeFunction({ task: 'count', invocationId: 'schedule/often/2026-01-01T00:00:00Z' }),
  );
  expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(refused.fields).toHaveProperty('invocation_id');
});
