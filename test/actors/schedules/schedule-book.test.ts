/** Schedules over a store, with a clock that is moved by hand: stops of the node, clocks that are set, refusals. */
import { describe, expect, test } from 'vitest';
import { ScheduleBook } from '../../../src/actors/schedules/schedule-book.ts';
import { RequestError } from '../../../src/domain/errors.ts';
import type { Admission, AdmissionRequest } from '../../../src/domain/executions.ts';
import type { Firing, ScheduleDraft } from '../../../src/domain/schedule/schedule.ts';
import { wholeNode } from '../../../src/domain/scope.ts';
import type { Tasks } from '../../../src/domain/tasks.ts';
import { invocationOf, recordOf, shortLog, taskOf } from '../../stores/samples.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store/store.ts';

const minute = 60_000;
const scope = { tenant: 'default' };
const asker = { scope, owner: { name: 'tests', role: 'develop' as const } };

interface Site {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  refusal: RequestError | undefined;
  admitted: number;
  /** How long a commit takes, in milliseconds. */
  commitMs: number;
}

/** Accepts what is asked of it as the supervisor does: in one commit with its rows, once for each invocation id. */
function admitting(site: Site) {
  return async (request: AdmissionRequest): Promise<Admission> => {
    if (site.refusal !== undefined) throw site.refusal;
    const executionId = `exec_${String(++site.admitted).padStart(26, '0')}`;
    const { invocationId, schedule } = request;
    const record = recordOf(executionId, 'completed', {
      invocationId,
      ...(schedule && { schedule: schedule.name }),
    });
    const entry = { executionId, expectedLastSequence: 0, events: shortLog(), record };
    const rows = request.rows?.(executionId) ?? [];
    const [result] = await site.store.commit([{ ...entry, rows, claimInvocationId: invocationId }]);
    if (site.commitMs > 0) await site.clock.advance(site.commitMs);
    const joined = result?.ok === false && result.conflict === 'invocation';
    const owner = joined ? result.executionId : executionId;
    return { cursor: { executionId: owner, close: () => {} } as unknown as Admission['cursor'], joined };
  };
}

function opened(site: Site, zoneRules = '2026a'): ScheduleBook {
  const task = taskOf('task_00000000000000000000000001', 1, 'echo');
  const tasks = {
    choose: async () => ({ task }),
    checkCall: (_task: unknown, name: string) => name,
  } as unknown as Tasks;
  return new ScheduleBook({
    ...{ clock: site.clock, store: site.store, tasks, defaultTotalMs: minute, zoneRules },
    listener: { decided: () => {} },
    admit: admitting(site),
    digestOf: () => '',
    trace: () => undefined,
    checkOpen: () => {},
    record: (executionId) => site.store.execution(executionId),
    bug: (error) => {
      throw error;
    },
  });
}

function newSite(): Site {
  const wall = Date.UTC(2026, 0, 1);
  return {
    clock: new FakeClock({ wall }),
    store: createMemoryStore(),
    refusal: undefined,
    admitted: 0,
    commitMs: 0,
  };
}

function draftOf(name: string, more: Partial<ScheduleDraft> = {}): ScheduleDraft {
  const call = { invocation: invocationOf({ functionName: '' }), metadata: {}, labels: {}, timeouts: {} };
  return {
    ...{ name, task: 'echo', timing: { kind: 'cron', cron: '* * * * *', timezone: 'UTC' }, overlap: 'allow' },
    ...{ catchUpMs: minute, jitterMs: 0, description: '', call, ...more },
  };
}

const settled = () =>
  new Promise<void>((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

async function pass(site: Site, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    await site.clock.advance(Math.min(1000, left));
    for (let turns = 0; turns < 4; turns++) await settled();
  }
}

async function told(book: ScheduleBook, name: string): Promise<string[]> {
  const firings = (await book.firings(name, wholeNode)).map(({ firing }) => firing);
  const text = ({ result, instant, missed }: Firing) =>
    `${result} ${new Date(instant).toISOString().slice(11, 19)}${missed ? ` ×${missed.count}${missed.more ? '+' : ''}` : ''}`;
  return firings.toReversed().map(text);
}

describe('a schedule', () => {
  test('tells of a firing what is written of it, however long that takes', async () => {
    const site = newSite();
    const book = opened(site);
    await book.create(draftOf('a'), asker, { dryRun: false });
    site.commitMs = 150;
    const { firing } = await book.trigger('a', wholeNode);
    expect((await book.firings('a', wholeNode)).map((seen) => seen.firing)).toEqual([firing]);
    await book.stop();
  });

  test('fires each minute once', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    await pass(site, 3 * minute);
    expect(await told(book, 'a')).toEqual(['fired 00:01:00', 'fired 00:02:00', 'fired 00:03:00']);
    await book.stop();
  });

  test('has missed what came while the node was down for longer than its window, and makes up for the rest', async () => {
    const site = newSite();
    const before = opened(site);
    await before.create(draftOf('a'), asker, { dryRun: false });
    await before.create(draftOf('b', { catchUpMs: 3 * minute }), asker, { dryRun: false });
    await before.stop();
    await site.clock.advance(10 * minute + 30_000);
    const book = opened(site);
    await book.start();
    expect(await told(book, 'a')).toEqual(['missed 00:01:00 ×9', 'fired 00:10:00']);
    expect(await told(book, 'b')).toEqual([
      'missed 00:01:00 ×7',
      'fired 00:08:00',
      'fired 00:09:00',
      'fired 00:10:00',
    ]);
    await book.stop();
  });

  test('fires nothing twice where the clock is set back by an hour, and goes on where it was', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    await pass(site, minute);
    site.clock.jump(Date.UTC(2026, 0, 1, 0, 0, 30) - site.clock.now());
    await pass(site, 45_000);
    expect(await told(book, 'a')).toEqual(['fired 00:01:00']);
    await pass(site, minute);
    expect(await told(book, 'a')).toEqual(['fired 00:01:00', 'fired 00:02:00']);
    await book.stop();
  });

  test('counts from what the clock shows where it was set back by days, and says what was there already', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    await pass(site, minute);
    site.clock.jump(Date.UTC(2026, 0, 3) - site.clock.now());
    await pass(site, 2 * minute);
    site.clock.jump(Date.UTC(2026, 0, 1) - site.clock.now());
    await pass(site, 2 * minute + 2000);
    const all = await told(book, 'a');
    expect(all.slice(-2)).toEqual(['repeated 00:01:00', 'fired 00:02:00']);
    await book.stop();
  });

  test('fires late by no more than its window where the clock is set forward, and has missed the rest', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    site.clock.jump(Date.UTC(2026, 0, 1, 1, 0, 5) - site.clock.now());
    await pass(site, 2000);
    expect(await told(book, 'a')).toEqual(['missed 00:01:00 ×20+', 'fired 01:00:00']);
    await book.stop();
  });

  test('finds its next instant anew where the rules of time zones are others at a start', async () => {
    const site = newSite();
    const before = opened(site);
    await before.create(draftOf('a'), asker, { dryRun: false });
    await before.stop();
    const row = await site.store.row({ kind: 'schedule', tenant: 'default', key: 'a' });
    const wrong = JSON.parse(row?.value ?? '{}');
    await site.store.saveRows([
      {
        kind: 'schedule',
        tenant: 'default',
        key: 'a',
        value: JSON.stringify({ ...wrong, next: wrong.next + 1e7, dueAt: wrong.dueAt + 1e7 }),
        dueAt: wrong.dueAt + 1e7,
      },
    ]);
    const book = opened(site, '2026b');
    await book.start();
    expect((await book.get('a', scope)).schedule.next).toBe(Date.UTC(2026, 0, 1, 0, 1));
    await book.stop();
  });
});

describe('a firing that is refused for now', () => {
  const full = new RequestError('resource_exhausted', 'the queue is full', { reason: 'QUEUE_FULL' });

  test('is tried again, and fires when it is taken', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    site.refusal = full;
    await pass(site, minute + 10_000);
    expect((await book.get('a', scope)).schedule).toMatchObject({ state: 'active.retrying', tries: 4 });
    site.refusal = undefined;
    await pass(site, 20_000);
    expect(await told(book, 'a')).toEqual(['fired 00:01:00']);
    expect((await book.get('a', scope)).schedule).toMatchObject({ state: 'active.waiting', tries: 0 });
    await book.stop();
  });

  test('is refused when its window is over, and the next has its own turn', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    site.refusal = full;
    await pass(site, 3 * minute);
    const { schedule } = await book.get('a', scope);
    expect(schedule.counts.refused).toBeGreaterThan(0);
    expect(schedule.last).toMatchObject({ result: 'refused', reason: 'QUEUE_FULL' });
    await book.stop();
  });

  test('waits as it is while nothing can be written, and fires once when that is over', async () => {
    const site = newSite();
    const book = opened(site);
    await book.start();
    await book.create(draftOf('a'), asker, { dryRun: false });
    site.refusal = new RequestError('unavailable', 'no', { reason: 'STORE_UNAVAILABLE' });
    await pass(site, minute + 5000);
    expect(await told(book, 'a')).toEqual([]);
    site.refusal = undefined;
    await pass(site, 5000);
    expect(await told(book, 'a')).toEqual(['fired 00:01:00']);
    await book.stop();
  });
});

test('the last 100 firings are kept of each schedule', async () => {
  const site = newSite();
  const book = opened(site);
  const everySecond = { kind: 'interval', everyMs: 1000, anchor: 0 } as const;
  await book.create(draftOf('a', { timing: everySecond }), asker, { dryRun: false });
  const now = site.clock.now();
  const backfill = { from: now - 249_000, to: now, overlap: 'allow' as const, dryRun: false };
  expect(await book.backfill('a', backfill, scope)).toHaveLength(250);
  const firings = await book.firings('a', scope);
  expect(firings.map(({ firing }) => firing.sequence)).toEqual(
    Array.from({ length: 100 }, (_, index) => 250 - index),
  );
  await book.delete('a', scope);
  expect(await site.store.countRows('firing')).toBe(0);
});

describe('a node that can write nothing', () => {
  test('says so to who triggers and who fills back, and nothing has become of it', async () => {
    const site = newSite();
    const book = opened(site);
    await book.create(draftOf('a'), asker, { dryRun: false });
    site.refusal = new RequestError('unavailable', 'nothing can be written', { reason: 'STORE_UNAVAILABLE' });
    await expect(book.trigger('a', scope)).rejects.toBe(site.refusal);
    const [from, to] = [site.clock.now() - 2 * minute, site.clock.now()];
    const backfill = { from, to, overlap: 'queue' as const, dryRun: false };
    await expect(book.backfill('a', backfill, scope)).rejects.toBe(site.refusal);
    expect(await told(book, 'a')).toEqual([]);
    await book.stop();
  });
});

describe('a tenant', () => {
  test('has so many schedules at most, and leaves places to others', async () => {
    const site = newSite();
    const rows = Array.from({ length: 20_000 }, (_, index) => ({
      ...{ kind: 'schedule', tenant: 'default', key: `s${index}`, value: '{}' },
    }));
    await site.store.saveRows(rows);
    const book = opened(site);
    await expect(book.create(draftOf('a'), asker, { dryRun: false })).rejects.toMatchObject({
      reason: 'TOO_MANY_SCHEDULES',
      message: 'the tenant "default" has 20000 schedules, which is the most',
    });
    const other = { ...asker, scope: { tenant: 'other' } };
    expect((await book.create(draftOf('a'), other, { dryRun: false })).schedule.tenant).toBe('other');
    await book.stop();
  });
});
