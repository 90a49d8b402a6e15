import { expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import {
  admit,
  change,
  chunks,
  complete,
  dispatch,
  logBench,
  sequences,
  storedLog,
  text,
  upTo,
} from './log-bench.ts';

test('what many executions did in one turn shares one commit', async () => {
  const { watched, open } = logBench();
  for (let n = 0; n < 50; n++) admit(open(`exec_${n}`));
  await settle();
  expect(watched.commits.map((entries) => entries.length)).toEqual([50]);
});

test('several transitions of one execution in a commit are one entry with one record', async () => {
  const { watched, open } = logBench();
  const log = open('exec_1');
  admit(log);
  dispatch(log);
  complete(log);
  await settle();
  expect(watched.commits).toHaveLength(1);
  expect(watched.commits[0]).toHaveLength(1);
  expect(watched.commits[0]?.[0]).toMatchObject({ expectedLastSequence: 0, record: { status: 'completed' } });
});

test('the input and the claim of the invocation id go with the admission alone', async () => {
  const { watched, open } = logBench();
  const log = open('exec_1', { claim: 'key', input: { input: text('in') } });
  admit(log);
  await settle();
  dispatch(log);
  await settle();
  const [first, second] = watched.commits.flat();
  expect(first).toMatchObject({ claimInvocationId: 'key', input: { input: text('in') } });
  expect(second).not.toHaveProperty('claimInvocationId');
  expect(second).not.toHaveProperty('input');
});

test('one commit is under way at a time', async () => {
  const { watched, open } = logBench();
  watched.hold();
  admit(open('exec_1'));
  await settle();
  admit(open('exec_2'));
  await settle();
  expect(watched.asked).toBe(1);
  watched.release();
  await settle();
  expect(watched.asked).toBe(2);
});

test('what nobody waits for is committed after 5 ms', async () => {
  const { clock, watched, open } = logBench();
  admit(open('exec_1'), false);
  await clock.advance(4);
  expect(watched.asked).toBe(0);
  await clock.advance(1);
  expect(watched.commits).toHaveLength(1);
});

test('what nobody waits for does not wait longer than 5 ms because something else waits too', async () => {
  const { clock, watched, open } = logBench();
  admit(open('exec_1'), false);
  await clock.advance(3);
  admit(open('exec_2'), false);
  await clock.advance(5);
  expect(watched.commits.flat().map((entry) => entry.executionId)).toEqual(['exec_1', 'exec_2']);
});

test('an admission that nobody waits for waits as long as short runs take of late, and its result comes with it', async () => {
  const { clock, watched, open } = logBench();
  let count = 0;
  const run = async (ms: number): Promise<number[]> => {
    const before = watched.commits.length;
    const log = open(`exec_${count++}`);
    admit(log, false);
    await clock.advance(ms);
    complete(log);
    await settle();
    return watched.commits.slice(before).flatMap((entries) => entries.map(({ events }) => events.length));
  };
  expect(await run(20)).toEqual([1, 1]);
  for (let round = 0; round < 100; round++) await run(20);
  expect(await run(20)).toEqual([2]);
  expect(await run(60)).toEqual([1, 1]);
  for (let round = 0; round < 40; round++) await run(600);
  expect(await run(20)).toEqual([1, 1]);
});

test('an admission is committed at once when somebody begins to wait for it', async () => {
  const { watched, open } = logBench();
  const log = open('exec_1');
  admit(log, false);
  await settle();
  expect(watched.asked).toBe(0);
  const admitted = log.admitted();
  await settle();
  expect(watched.commits).toHaveLength(1);
  expect(await admitted).toMatchObject({ status: 'pending' });
});

test('what becomes urgent takes along what was not', async () => {
  const { clock, watched, open } = logBench();
  const log = open('exec_1');
  admit(log, false);
  await clock.advance(2);
  complete(log);
  await settle();
  expect(watched.commits.flat().map((entry) => entry.events.length)).toEqual([2]);
  await clock.advance(20);
  expect(watched.asked).toBe(1);
});

test('a log that was urgent and then not is committed again within 5 ms', async () => {
  const { clock, watched, open } = logBench();
  const log = open('exec_1');
  admit(log, false);
  dispatch(log, 1, true);
  await settle();
  change(log, { state: 'running.backingOff' }, false);
  await clock.advance(5);
  expect(watched.commits.flat().map((entry) => entry.events.length)).toEqual([2, 1]);
});

test('what nobody waited for while a commit failed is committed when it works again, and so is what follows', async () => {
  const { clock, store, watched, open } = logBench();
  const log = open('exec_1');
  admit(log);
  await settle();
  watched.hold();
  dispatch(log);
  await settle();
  // In time for the next commit, had this one not failed.
  change(log, { state: 'running.backingOff' }, false);
  store.failNext(new Error('hiccup'));
  watched.release();
  await settle();
  await clock.advance(5);
  await clock.advance(2000);
  change(log, { state: 'running.attempting' }, false);
  await clock.advance(5);
  await settle();
  expect((await storedLog(store, 'exec_1')).length).toBe(4);
});

test('a log has no gap and no repeat over commits that fail', async () => {
  const { clock, store, open } = logBench();
  const log = open('exec_1');
  admit(log);
  await settle();
  for (let round = 0; round < 6; round++) {
    store.failNext(new Error('hiccup'));
    dispatch(log, round + 1);
    void log.write('stdout', text(`out ${round}`));
    await clock.advance(2);
    change(log, { state: 'running.backingOff' });
    await clock.advance(3000);
  }
  complete(log);
  await clock.advance(3000);
  const events = await storedLog(store, 'exec_1');
  expect(sequences(events)).toEqual(upTo(2 + 6 * 3));
  expect(chunks(events)).toEqual(upTo(6).map((n) => `stdout:out ${n - 1}`));
  expect(log.complete).toBe(true);
});

test('events that came while a commit failed stand after it, each once', async () => {
  const { clock, watched, store, open } = logBench();
  const log = open('exec_1');
  admit(log);
  await settle();
  watched.hold();
  dispatch(log, 1);
  await settle();
  change(log, { state: 'running.backingOff' });
  void log.write('stdout', text('meanwhile'));
  store.failNext(new Error('hiccup'));
  watched.release();
  await clock.advance(1000);
  complete(log);
  await clock.advance(1000);
  expect((await storedLog(store, 'exec_1')).map((event) => event.kind)).toEqual([
    'transition',
    'transition',
    'transition',
    'chunk',
    'result',
  ]);
});

test('a medium that fails is tried again until it works, at growing distances up to a second', async () => {
  const { clock, watched, store, committer, health, open } = logBench();
  const log = open('exec_1');
  admit(log);
  await settle();
  store.setFault(new Error('disk full'));
  dispatch(log);
  await settle();
  expect(committer.healthy).toBe(false);
  const tries: number[] = [];
  const start = clock.monotonic();
  for (let asked = watched.asked; tries.length < 8; ) {
    await clock.advance(10);
    if (watched.asked > asked) tries.push(clock.monotonic() - start);
    asked = watched.asked;
  }
  const distances = tries.map((at, index) => at - (tries[index - 1] ?? 0));
  expect(distances).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
  expect(log.committed).toMatchObject({ status: 'pending' });
  store.setFault(undefined);
  await clock.advance(1000);
  expect(committer.healthy).toBe(true);
  expect(health.filter((message) => message === undefined)).toHaveLength(1);
  expect(log.committed).toMatchObject({ status: 'running' });
});

test('an admission in a commit that fails is refused, and who waits for it hears why', async () => {
  const { store, refused, open } = logBench();
  store.failNext(new Error('disk full'));
  const log = open('exec_1');
  admit(log);
  const admitted = log.admitted();
  admitted.catch(() => {});
  await settle();
  await expect(admitted).rejects.toMatchObject({ kind: 'unavailable', reason: 'STORE_UNAVAILABLE' });
  expect(refused).toEqual([{ executionId: 'exec_1', ownerId: undefined }]);
  await expect(log.admitted()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
  expect(await store.execution('exec_1')).toBeUndefined();
});

test('a medium that failed when there was nothing accepted to write is tried again all the same', async () => {
  const { clock, store, committer, health, open } = logBench();
  store.failNext(new Error('hiccup'));
  admit(open('exec_1'));
  await settle();
  expect(committer.healthy).toBe(false);
  await clock.advance(60_000);
  // Nobody else would find out: the supervisor admits nothing while it is not healthy.
  expect(committer.healthy).toBe(true);
  expect(health.at(-1)).toBeUndefined();
});

test('the medium is not said to work again before a commit went through', async () => {
  const { clock, watched, store, committer, health, open } = logBench();
  watched.hold();
  const log = open('exec_1');
  admit(log);
  await settle();
  complete(log);
  store.setFault(new Error('disk full'));
  watched.release();
  await clock.advance(10_000);
  expect(health).toHaveLength(health.filter((message) => message !== undefined).length);
  expect(committer.healthy).toBe(false);
});

test('an invocation id that another execution owns refuses that admission and no other', async () => {
  const { refused, open } = logBench();
  const owner = open('exec_1', { claim: 'key' });
  admit(owner);
  await settle();
  const second = open('exec_2', { claim: 'key' });
  const third = open('exec_3', { claim: 'other' });
  admit(second);
  admit(third);
  await settle();
  expect(refused).toEqual([{ executionId: 'exec_2', ownerId: 'exec_1' }]);
  expect(third.committed).toBeDefined();
});

test('a log that has another writer is let go, and its readers hear of it', async () => {
  const { store, refused, open } = logBench();
  const mine = open('exec_1');
  const theirs = open('exec_1');
  admit(mine);
  await settle();
  admit(theirs);
  const admitted = theirs.admitted();
  admitted.catch(() => {});
  await settle();
  await expect(admitted).rejects.toMatchObject({ kind: 'internal' });
  expect(refused).toEqual([{ executionId: 'exec_1', ownerId: undefined }]);
  expect(await storedLog(store, 'exec_1')).toHaveLength(1);
});

test('drained waits for all there is, the lazy included', async () => {
  const { watched, committer, open } = logBench();
  admit(open('exec_1'), false);
  watched.hold();
  const drained = committer.drained();
  expect(await isSettled(drained)).toBe(false);
  admit(open('exec_2'));
  watched.release();
  expect(await isSettled(drained)).toBe(true);
  expect(watched.commits.flat()).toHaveLength(2);
});
