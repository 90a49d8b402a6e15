/** Revisions of tasks, the aliases that name them, and what becomes of calls by either. */
import { describe, expect, it } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { RevisionService } from '../../src/server/gen/spearlet/revision_pb.js';
import { http } from './http.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4' });

const administrator = "the administrator's token";

const revisions = () => server.connection.service(RevisionService);

/** Revisions 1 to `count` of a task, each of which prints its own number. */
async function made(name: string, count: number): Promise<void> {
  for (let revision = 1; revision <= count; revision += 1) {
    await server.register(name, 'misbehaving/env.wasm', { environment: { R: String(revision) } });
  }
}

async function ran(task: string, more: object = {}) {
  const { result } = await server.functions.invokeFunction({ task, ...more });
  const printed = /env R=(\d+)/.exec(Buffer.from(result?.output ?? []).toString())?.[1];
  expect(printed).toBe(String(result?.taskRevision));
  return { revision: result?.taskRevision, alias: result?.alias };
}

const set = (task: string, alias: string, shares: Record<number, number>, more: object = {}) =>
  revisions().setAlias({
    ...{ task, alias, ...more },
    shares: Object.entries(shares).map(([revision, percent]) => ({ revision: Number(revision), percent })),
  });

describe('a call', () => {
  it('gets the revision that its task names, by number, by alias or by neither', async () => {
    await made('named', 3);
    expect(await ran('named')).toEqual({ revision: 3, alias: '' });
    expect(await ran('named@1')).toEqual({ revision: 1, alias: '' });
    await set('named', 'old', { 1: 100 });
    expect(await ran('named@old')).toEqual({ revision: 1, alias: 'old' });
    expect(await ran('named')).toEqual({ revision: 3, alias: '' });
    await set('named', 'live', { 2: 100 });
    expect(await ran('named')).toEqual({ revision: 2, alias: 'live' });
    expect(await ran('named@live')).toEqual({ revision: 2, alias: 'live' });
    expect(await ran('named@newest')).toEqual({ revision: 3, alias: '' });
    const { task } = await server.tasks.getTask({ task: 'named' });
    expect(await ran(`${task?.taskId}@1`)).toEqual({ revision: 1, alias: '' });
    await made('named', 0);
    await server.register('named', 'misbehaving/env.wasm', { environment: { R: '4' } });
    expect(await ran('named')).toEqual({ revision: 2, alias: 'live' });
    await revisions().deleteAlias({ task: 'named', alias: 'live' });
    expect(await ran('named')).toEqual({ revision: 4, alias: '' });
  });

  it('gets it over plain HTTP and as a stream as well', async () => {
    await made('routed', 2);
    await set('routed', 'live', { 1: 100 });
    expect((await http('POST', '/tasks/routed')).text).toContain('env R=1\n');
    expect((await http('POST', '/tasks/routed@2')).text).toContain('env R=2\n');
    expect((await http('POST', '/tasks/routed@live')).text).toContain('env R=1\n');
    expect((await http('POST', '/tasks/routed@9')).code).toBe(404);
    let last: { revision: number | undefined } = { revision: undefined };
    for await (const { event } of server.functions.streamFunction({ task: 'routed@2' })) {
      if (event.case === 'result') last = { revision: event.value.taskRevision };
    }
    expect(last).toEqual({ revision: 2 });
  });

  it('gets the same of an alias with shares each time that it is made', async () => {
    await made('split', 2);
    await set('split', 'live', { 1: 50, 2: 50 });
    const got = new Set<number | undefined>();
    for (let call = 0; call < 24; call += 1) {
      const { revision } = await ran('split', { invocationId: `call-${call}` });
      got.add(revision);
      expect((await ran('split@live', { invocationId: `call-${call}` })).revision).toBe(revision);
    }
    expect([...got].sort()).toEqual([1, 2]);
    // Whoever joins an execution gets what that had, wherever the alias is by now.
    const before = await ran('split', { invocationId: 'call-0' });
    await set('split', 'live', { [before.revision === 1 ? 2 : 1]: 100 });
    expect(await ran('split', { invocationId: 'call-0' })).toEqual(before);
  });

  it.each([
    ['wrong@', 'task', /has the revision ""; allowed are a number from 1 on, newest, and an alias/],
    ['wrong@0', 'task', /has the revision "0"/],
    ['wrong@Live', 'task', /has the revision "Live"/],
  ])('of %s is refused with what is allowed', async (task, field, message) => {
    const refused = await refusal(server.functions.invokeFunction({ task }));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(refused.fields[field]).toMatch(message);
  });

  it('of a revision or an alias that is not there says so', async () => {
    await made('there', 2);
    await set('there', 'live', { 1: 100 });
    expect(await refusal(server.functions.invokeFunction({ task: 'there@7' }))).toMatchObject({
      ...{ code: 'NOT_FOUND', reason: 'REVISION_NOT_FOUND' },
      message: 'the task "there" has no revision 7; the newest is 2',
    });
    expect(await refusal(server.functions.invokeFunction({ task: 'there@liev' }))).toMatchObject({
      ...{ code: 'NOT_FOUND', reason: 'ALIAS_NOT_FOUND' },
      message: 'the task "there" has no alias "liev"; did you mean "live"?',
    });
  });
});

describe('an alias', () => {
  it('is moved, moved back, and knows who moved it', async () => {
    await made('moving', 4);
    expect(await set('moving', 'live', { 3: 100 })).toMatchObject({ changed: true, alias: { version: 1 } });
    expect(await set('moving', 'live', { 3: 90, 4: 10 })).toMatchObject({
      changed: true,
      alias: { version: 2 },
    });
    expect(await set('moving', 'live', { 3: 90, 4: 10 })).toMatchObject({
      changed: false,
      alias: { version: 2 },
    });
    const rolledBack = await revisions().rollbackAlias({ task: 'moving' });
    expect(rolledBack).toMatchObject({ created: false, alias: { name: 'live', version: 3 } });
    expect(await ran('moving')).toEqual({ revision: 3, alias: 'live' });
    await revisions().rollbackAlias({ task: 'moving', revision: 1 });
    expect(await ran('moving')).toEqual({ revision: 1, alias: 'live' });
    const { task } = await server.tasks.getTask({ task: 'moving' });
    const [live] = task?.aliases ?? [];
    expect(live?.moves.map(({ shares }) => shares.map(({ revision }) => revision))).toEqual([
      [1],
      [3],
      [3, 4],
      [3],
    ]);
    expect(live?.moves.every(({ principal }) => principal === administrator)).toBe(true);
    expect(server.log).toContainEqual(
      expect.objectContaining({
        msg: 'an alias of a task was moved',
        ...{ by: administrator, task: 'moving', alias: 'live', from: '3', to: '3:90,4:10' },
      }),
    );
  });

  it('is made by a rollback of a task that has none', async () => {
    await made('plain', 3);
    expect(await revisions().rollbackAlias({ task: 'plain' })).toMatchObject({ created: true });
    expect(await ran('plain')).toEqual({ revision: 2, alias: 'live' });
    await made('single', 1);
    expect(await refusal(revisions().rollbackAlias({ task: 'single' }))).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', reason: 'NOTHING_TO_ROLL_BACK_TO' },
    });
    await set('single', 'live', { 1: 100 });
    expect(await refusal(revisions().rollbackAlias({ task: 'single' }))).toMatchObject({
      reason: 'NOTHING_TO_ROLL_BACK_TO',
    });
  });

  it('is not moved by one who has not seen the last move', async () => {
    await made('raced', 3);
    await set('raced', 'live', { 1: 100 }, { expectedVersion: 0 });
    const both = [2, 3].map((revision) => set('raced', 'live', { [revision]: 100 }, { expectedVersion: 1 }));
    const ended = await Promise.allSettled(both);
    expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await refusal(both[1] as Promise<unknown>)).toMatchObject({
      ...{ code: 'ABORTED', reason: 'ALIAS_CHANGED' },
      message: `expected_version: is 1, and the alias live has version 2 by now, moved to 2 by ${administrator}; look at it again before you move it`,
    });
    const expectedVersion = 0;
    expect(await refusal(set('raced', 'live', { 1: 100 }, { expectedVersion }))).toMatchObject({
      code: 'ABORTED',
    });
    expect(await refusal(revisions().rollbackAlias({ task: 'raced', expectedVersion }))).toMatchObject({
      code: 'ABORTED',
    });
    expect(
      await refusal(revisions().deleteAlias({ task: 'raced', alias: 'live', expectedVersion })),
    ).toMatchObject({ code: 'ABORTED' });
  });

  it.each([
    ['3', { 1: 100 }, 'alias', /is "3"; allowed are 1 to 63 of a-z/],
    ['newest', { 1: 100 }, 'alias', /and not newest/],
    ['live', { 1: 60 }, 'shares', /have 60 percent in all; allowed are 100/],
    ['live', {}, 'shares', /has 0 entries; allowed are 1 to 10/],
  ])('%s with shares %j is refused', async (alias, shares, field, message) => {
    await made('refused', 1);
    const { code, fields } = await refusal(set('refused', alias, shares));
    expect(code).toBe('INVALID_ARGUMENT');
    expect(fields[field]).toMatch(message);
  });

  it('names no revision that is not there', async () => {
    await made('few', 1);
    expect(await refusal(set('few', 'live', { 2: 100 }))).toMatchObject({ reason: 'REVISION_NOT_FOUND' });
  });
});

describe('revisions', () => {
  it('are listed with what each has changed and which calls it gets', async () => {
    await made('listed', 2);
    await server.register('listed', 'wordcount/wordcount.wasm', { limits: { memory: 64n << 20n } });
    await set('listed', 'live', { 2: 75, 3: 25 });
    const { revisions: all, aliases } = await revisions().listRevisions({ task: 'listed' });
    expect(all.map(({ revision, percent }) => [revision, percent])).toEqual([
      [3, 25],
      [2, 75],
      [1, 0],
    ]);
    expect(all[0]?.changed).toEqual(
      expect.arrayContaining(['artifact.sha256', 'environment', 'limits.memory']),
    );
    expect(all[1]?.changed).toEqual(['environment.R']);
    expect(all[2]?.changed).toEqual([]);
    expect(aliases.map(({ name }) => name)).toEqual(['live']);
    const first = await revisions().listRevisions({ task: 'listed', pageSize: 1 });
    expect(first.revisions.map(({ changed }) => changed.length > 0)).toEqual([true]);
    const { nextPageToken: pageToken } = first;
    const rest = await revisions().listRevisions({ task: 'listed', pageSize: 2, pageToken });
    expect([rest.revisions.map(({ revision }) => revision), rest.nextPageToken]).toEqual([[2, 1], '']);
  });

  it('are compared field by field', async () => {
    await made('compared', 2);
    expect(await revisions().compareRevisions({ task: 'compared' })).toMatchObject({
      ...{ from: 1, to: 2 },
      changes: [{ path: 'environment.R', before: '"1"', after: '"2"' }],
    });
    await set('compared', 'live', { 2: 100 });
    const back = await revisions().compareRevisions({ task: 'compared', from: 'live', to: '1' });
    expect(back).toMatchObject({ from: 2, to: 1, changes: [{ before: '"2"', after: '"1"' }] });
    expect(await refusal(revisions().compareRevisions({ task: 'compared', to: '1' }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const { task } = await server.tasks.getTask({ task: 'compared@1' });
    expect([task?.revision, task?.definition?.environment]).toEqual([1, { R: '1' }]);
  });

  it('are deleted only where nothing needs them', async () => {
    await made('kept', 5);
    await set('kept', 'old', { 1: 100 });
    await ran('kept@2');
    const remove = (revision: number) => revisions().deleteRevision({ task: 'kept', revision });
    for (const [revision, why] of [
      [1, /the alias old names it/],
      [2, /executions have it/],
      [5, /it is the newest/],
    ] as const) {
      const refused = await refusal(remove(revision));
      expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'REVISION_IN_USE' });
      expect(refused.message).toMatch(why);
    }
    await remove(4);
    expect(await refusal(remove(4))).toMatchObject({ reason: 'REVISION_NOT_FOUND' });
    expect(await refusal(server.functions.invokeFunction({ task: 'kept@4' }))).toMatchObject({
      reason: 'REVISION_NOT_FOUND',
    });
    const { revisions: left } = await revisions().listRevisions({ task: 'kept' });
    expect(left.map(({ revision }) => revision)).toEqual([5, 3, 2, 1]);
    // A number is never used again.
    await server.register('kept', 'misbehaving/env.wasm', { environment: { R: '6' } });
    expect((await ran('kept')).revision).toBe(6);
  });
});

it('what was admitted keeps its revision, whatever becomes of the alias meanwhile', async () => {
  await made('pinned', 1);
  await server.register('pinned', 'misbehaving/env.wasm', { environment: { R: '2' } });
  await set('pinned', 'live', { 1: 100 });
  const later = { executionMode: ExecutionMode.ASYNC, startAfter: { seconds: 0n, nanos: 300_000_000 } };
  const { executionId } = await server.functions.invokeFunction({ task: 'pinned', ...later });
  await set('pinned', 'live', { 2: 100 });
  const { result } = await server.functions.waitExecution({ executionId });
  expect([result?.taskRevision, result?.alias]).toEqual([1, 'live']);
  expect(Buffer.from(result?.output ?? []).toString()).toContain('env R=1\n');
});

it('aliases of a task go with it', async () => {
  await made('gone', 2);
  await set('gone', 'live', { 1: 100 });
  await server.tasks.deleteTask({ task: 'gone' });
  await made('gone', 1);
  expect(await ran('gone')).toEqual({ revision: 1, alias: '' });
});
