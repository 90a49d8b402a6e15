import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { RequestError } from '../../src/domain/errors.ts';
import type { AdmissionRequest } from '../../src/domain/executions.ts';
import { executionChartVersion } from '../../src/machines/execution.ts';
import { FakeClock, isSettled, settle } from '../support/fake-clock.ts';
import { invocationWith, requestWith, taskWith } from '../support/samples.ts';
import { copy, documentOf, restoreTo, startNode, type TestNode } from './snapshots.ts';

async function admit({ supervisor }: TestNode, more: Partial<AdmissionRequest> = {}): Promise<string> {
  const { cursor } = await supervisor.admit(requestWith({ mode: 'async', ...more }));
  await cursor.admitted();
  cursor.close('done');
  return cursor.executionId;
}

async function two(): Promise<{ clock: FakeClock; here: TestNode; there: TestNode }> {
  const clock = new FakeClock();
  return { clock, here: await startNode(clock), there: await startNode(clock) };
}

async function refusal(restoring: Promise<unknown>): Promise<Partial<RequestError>> {
  const error = (await restoring.then(
    () => expect.unreachable('it was restored'),
    (thrown: unknown) => thrown,
  )) as RequestError;
  return { kind: error.kind, reason: error.reason, message: error.message };
}

/** A document that somebody else wrote, in good order. */
function rewritten(document: Buffer, find: string, by: string): Buffer {
  const text = document.toString();
  if (!text.includes(find)) throw new Error(`there is no ${find}`);
  const body = text.replaceAll(find, by).replace(/\{"kind":"seal".*\n\]\}\n$/, '');
  const sha256 = createHash('sha256').update(body).digest('hex');
  return Buffer.from(`${body}{"kind":"seal","sha256":"${sha256}"}\n]}\n`);
}

describe('timers go on where they stood', () => {
  test('what was left of a start delay is waited for, however long the move took', async () => {
    const { clock, here, there } = await two();
    const id = await admit(here, { startAfterMs: 10_000, timeouts: { totalMs: 10_000_000 } });
    await clock.advance(4000);
    const document = await documentOf(here, id);
    await clock.advance(100_000);
    const { record } = await restoreTo(there, document);
    expect(record.state).toBe('pending.waiting');
    await clock.advance(5999);
    expect(there.runtime.calls).toHaveLength(0);
    await clock.advance(1);
    expect(there.runtime.calls).toHaveLength(1);
    expect(here.runtime.calls).toHaveLength(0);
  });

  test('what was left of a queue timeout counts on, and the total timeout counted on', async () => {
    const { clock, here, there } = await two();
    for (const node of [here, there]) await admit(node);
    const timeouts = { queueMs: 5000, totalMs: 60_000 };
    const queued = await admit(here, { timeouts });
    const late = await admit(here, { timeouts: { totalMs: 60_000 } });
    await clock.advance(3000);
    const documents = [await documentOf(here, queued), await documentOf(here, late)];
    await clock.advance(50_000);
    for (const document of documents) await restoreTo(there, document);
    await clock.advance(1999);
    expect((await there.store.execution(queued))?.status).toBe('pending');
    await clock.advance(1);
    expect((await there.store.execution(queued))?.outcome).toMatchObject({ code: 'QUEUE_TIMEOUT' });
    await clock.advance(4999);
    expect((await there.store.execution(late))?.status).toBe('pending');
    await clock.advance(1);
    expect((await there.store.execution(late))?.outcome).toMatchObject({ code: 'TOTAL_TIMEOUT' });
  });
});

describe('an attempt that is left behind', () => {
  test('is run again with the same input, and its log has both', async () => {
    const { clock, here, there } = await two();
    const invocation = invocationWith({ input: Buffer.alloc(200_000, 'in'), args: ['a'] });
    const id = await admit(here, { invocation });
    await here.runtime.call(0).write('stdout', 'first');
    await clock.advance(10);
    const document = await documentOf(here, id);
    expect(here.runtime.call(0).signal.aborted).toBe(true);
    const { notes, record } = await restoreTo(there, document);
    expect(notes).toContainEqual(expect.stringContaining('attempt 1 was left behind'));
    expect(record.recoveries).toBeUndefined();
    await clock.advance(0);
    const call = there.runtime.call(0);
    expect(call.attempt.invocation).toMatchObject({ args: ['a'] });
    expect(Buffer.from(call.attempt.invocation.input).equals(invocation.input)).toBe(true);
    await call.write('stdout', 'second');
    call.complete();
    await clock.advance(10);
    const final = await there.store.execution(id);
    expect(final).toMatchObject({ status: 'completed', outputBytes: 11, outputEvents: 2 });
    const events = await there.store.events(id, { from: 1, maxBytes: 1_000_000 });
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.kind).toBe('result');
    const chunks = events.flatMap((event) =>
      event.kind === 'chunk' ? [Buffer.from(event.data).toString()] : [],
    );
    expect(chunks).toEqual(['first', 'second']);
  });

  test('ends what may not run twice, and is not moved away at all', async () => {
    const clock = new FakeClock();
    const task = taskWith({ onInterrupt: 'fail' });
    const [here, there] = [await startNode(clock, task), await startNode(clock, task)];
    const id = await admit(here, { task });
    await settle();
    expect(await refusal(documentOf(here, id))).toMatchObject({ kind: 'failed_precondition' });
    expect(here.runtime.call(0).signal.aborted).toBe(false);
    const { record, notes } = await restoreTo(there, await documentOf(here, id, copy), { allowCopy: true });
    expect(record.outcome).toMatchObject({ code: 'INTERRUPTED' });
    expect(notes).toContainEqual(expect.stringContaining('INTERRUPTED'));
    expect(there.runtime.calls).toHaveLength(0);
  });
});

describe('hold', () => {
  test('keeps it from running until it is resumed, also as a new one', async () => {
    const { clock, here, there } = await two();
    const id = await admit(here);
    const document = await documentOf(here, id, copy);
    for (const wishes of [{ allowCopy: true }, { asNew: true }]) {
      const { record, originId } = await restoreTo(there, document, { ...wishes, hold: true });
      expect(originId).toBe(id);
      await clock.advance(1000);
      const before = there.runtime.calls.length;
      await there.supervisor.resume(record.executionId);
      await clock.advance(1000);
      expect(there.runtime.calls).toHaveLength(before + 1);
      there.runtime.call(before).complete();
      await clock.advance(1000);
      expect((await there.store.execution(record.executionId))?.status).toBe('completed');
    }
  });
});

describe('what cannot go on here', () => {
  test('because a newer chart wrote it is there, and ends with SNAPSHOT_INCOMPATIBLE', async () => {
    const { here, there } = await two();
    const id = await admit(here, { startAfterMs: 10_000 });
    const document = rewritten(
      await documentOf(here, id, copy),
      `"chartVersion":${executionChartVersion}`,
      '"chartVersion":99',
    );
    for (const wishes of [{ allowCopy: true }, { asNew: true }]) {
      const { record, notes } = await restoreTo(there, document, wishes);
      expect(record).toMatchObject({ status: 'failed', outcome: { code: 'SNAPSHOT_INCOMPATIBLE' } });
      expect(notes).toContainEqual(expect.stringContaining('SNAPSHOT_INCOMPATIBLE'));
      expect(await there.store.execution(record.executionId)).toEqual(record);
    }
  });

  test.each([
    ['a log that makes no machine', '\\"totalMs\\":300000', '\\"totalMs\\":\\"long\\"'],
    ['a deadline that is none', '\\"graceMs\\":1000', '\\"graceMs\\":-1'],
    ['a retry policy out of bounds', '\\"maxAttempts\\":1,', '\\"maxAttempts\\":1e9,'],
    ['a state that the chart does not have', 'pending.waiting', 'pending.wishing'],
    ['the machine of another execution', '{\\"executionId\\":\\"exec_', '{\\"executionId\\":\\"exec-'],
  ])('because of %s is refused, and nothing of it is left', async (_what, find, by) => {
    const { here, there } = await two();
    const id = await admit(here, { startAfterMs: 10_000 });
    const document = rewritten(await documentOf(here, id, copy), find, by);
    expect(await refusal(restoreTo(there, document, { allowCopy: true }))).toMatchObject({
      kind: 'invalid_argument',
      reason: 'SNAPSHOT_DAMAGED',
    });
    expect(await there.store.execution(id)).toBeUndefined();
    expect(await there.store.events(id, { from: 1, maxBytes: 1 })).toEqual([]);
  });
});

describe('two restores', () => {
  test('of one execution at once: the second is refused, and the first is not disturbed', async () => {
    const { here, there } = await two();
    const id = await admit(here, { startAfterMs: 10_000 });
    const document = await documentOf(here, id);
    const results = await Promise.allSettled([1, 2, 3].map(() => restoreTo(there, document)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(['aborted', 'already_exists']).toContain(result.reason.kind);
    }
    expect((await there.store.execution(id))?.state).toBe('pending.waiting');
  });

  test('as new ones are two executions', async () => {
    const { here, there } = await two();
    const id = await admit(here, { startAfterMs: 10_000 });
    const document = await documentOf(here, id, copy);
    const both = await Promise.all([1, 2].map(() => restoreTo(there, document, { asNew: true })));
    expect(new Set(both.map(({ record }) => record.executionId)).size).toBe(2);
  });
});

test('a caller that leaves before the end of its document leaves nothing', async () => {
  const { here, there } = await two();
  const id = await admit(here, { startAfterMs: 10_000 });
  const document = await documentOf(here, id);
  const leaving = new AbortController();
  leaving.abort();
  const { kind } = await refusal(restoreTo(there, document, {}, leaving.signal));
  expect(kind).toBe('cancelled');
  expect(await there.store.execution(id)).toBeUndefined();
});

test('a store that fails in the middle of a long log is left without it', async () => {
  const { clock, here, there } = await two();
  const id = await admit(here);
  const flood = here.runtime.call(0).flood('stdout', 5 * 1024 * 1024);
  await clock.advance(100);
  await flood;
  const document = await documentOf(here, id, copy);
  const stage = there.store.stage.bind(there.store);
  let staged = 0;
  there.store.stage = async (executionId, events) => {
    staged += 1;
    if (staged === 2) throw new Error('the medium failed');
    await stage(executionId, events);
  };
  await expect(restoreTo(there, document, { allowCopy: true })).rejects.toThrow('the medium failed');
  expect(staged).toBe(2);
  expect(await there.store.events(id, { from: 1, maxBytes: 1 })).toEqual([]);
  there.store.stage = stage;
  const { record } = await restoreTo(there, document, { allowCopy: true });
  expect(record.outputBytes).toBe(5 * 1024 * 1024);
});

test('a move waits for the attempt to be gone, and the document is of before', async () => {
  const { clock, here } = await two();
  here.runtime.stopsAfterMs = 500;
  const id = await admit(here);
  await here.runtime.call(0).write('stdout', 'before');
  await clock.advance(10);
  const taking = documentOf(here, id);
  await settle();
  await here.runtime.call(0).write('stdout', 'after');
  expect(await isSettled(taking)).toBe(false);
  await clock.advance(500);
  const text = (await taking).toString();
  expect(text).toContain(Buffer.from('before').toString('base64'));
  expect(text).not.toContain(Buffer.from('after').toString('base64'));
  expect(text).toContain('"state":"running.attempting"');
  expect(text).not.toContain('MOVED');
  const moved = await here.store.execution(id);
  expect(moved).toMatchObject({ status: 'failed', outcome: { code: 'MOVED' }, outputBytes: 11 });
});

test('what comes while the node stops is there at its next start', async () => {
  const { here, there } = await two();
  const id = await admit(here, { startAfterMs: 10_000 });
  const document = await documentOf(here, id);
  there.supervisor.stopAccepting();
  const { record, notes } = await restoreTo(there, document);
  expect(notes).toContainEqual(expect.stringContaining('at its next start'));
  expect(await there.store.unfinished('', 10)).toEqual([record]);
});

test('a record of what has ended counts as new where it is restored, and a document says nothing of that', async () => {
  const { clock, here, there } = await two();
  const id = await admit(here);
  here.runtime.call(0).complete();
  await settle();
  const document = await documentOf(here, id, copy);
  await clock.advance(1_000_000);
  const { record } = await restoreTo(there, document);
  expect(record).toMatchObject({ status: 'completed', restoredAt: clock.now() });
  expect((await documentOf(there, id, copy)).toString()).not.toContain('restoredAt');
});
