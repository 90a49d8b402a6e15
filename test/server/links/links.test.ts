/** Executions of one node that are watched and changed on another. */
import { describe, expect, test, vi } from 'vitest';
import type { LogEvent } from '../../../src/domain/event.ts';
import type { LogCursor } from '../../../src/domain/log.ts';
import { followLog } from '../../../src/observers/stream.ts';
import { waitForOutcome } from '../../../src/observers/sync.ts';
import { settle } from '../../support/fake-clock.ts';
import { requestWith } from '../../support/samples.ts';
import type { ScriptedCall } from '../../support/scripted-runtime.ts';
import { type LinkedNode, linkedNodes } from './link-bench.ts';

/** Follows in the background; what it has seen so far can be read at any time. */
function follow(cursor: LogCursor, from = 1) {
  const seen: LogEvent[] = [];
  const ended = (async () => {
    for await (const page of followLog(cursor, from)) seen.push(...page);
  })();
  ended.catch(() => {});
  return { seen, ended };
}

/** The attempt that began last on a node. */
function callOf({ bench }: LinkedNode): ScriptedCall {
  const call = bench.runtime.calls.at(-1);
  if (call === undefined) throw new Error('no attempt has begun');
  return call;
}

const texts = (events: readonly LogEvent[]): string =>
  events.map((event) => (event.kind === 'chunk' ? Buffer.from(event.data).toString() : '')).join('');

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 60_000, interval: 5 });
}

describe('an execution of another node', () => {
  test('is followed from its first event to its result as it happens', async () => {
    const { one, two, start, store } = await linkedNodes();
    const id = await start(two);
    const { seen, ended } = follow(await one.bench.supervisor.attach(id));
    await until(() => seen.length === 2);
    const call = callOf(two);
    await call.write('stdout', 'hello ');
    await two.bench.clock.advance(10);
    await until(() => texts(seen) === 'hello ');
    await call.write('stdout', 'there');
    call.complete();
    await two.bench.clock.advance(10);
    await ended;
    expect(seen).toEqual(await store.events(id, { from: 1, maxBytes: 1e6 }));
    expect(texts(seen)).toBe('hello there');
    expect([...one.bugs, ...two.bugs]).toEqual([]);
  });

  test('is waited for, and the answer has the record of its end', async () => {
    const { one, two, start } = await linkedNodes();
    const id = await start(two);
    const waiting = waitForOutcome(await one.bench.supervisor.attach(id), undefined, one.bench.clock);
    await settle();
    callOf(two).complete({ exitCode: 0 });
    await two.bench.clock.advance(10);
    expect(await waiting).toMatchObject({ status: 'completed', outcome: { exitCode: 0 } });
  });

  test('is told as it is when a wait is over before it has ended', async () => {
    const { one, two, start } = await linkedNodes();
    const id = await start(two);
    const cursor = await one.bench.supervisor.attach(id);
    const waiting = waitForOutcome(cursor, 500, one.bench.clock);
    await callOf(two).write('stdout', 'so far');
    await two.bench.clock.advance(10);
    await until(async () => (await two.bench.record(id)).outputBytes === 6);
    await one.bench.clock.advance(500);
    expect(await waiting).toMatchObject({ status: 'running', outputBytes: 6 });
    cursor.close('done');
  });

  test('is cancelled, held, let go on and explained, and refuses as at home', async () => {
    const { one, two, start } = await linkedNodes();
    const { supervisor } = one.bench;
    const id = await start(two);
    expect(await supervisor.explain(id)).toEqual(await two.bench.supervisor.explain(id));
    await expect(supervisor.explain('exec_none')).rejects.toMatchObject({ kind: 'not_found' });
    expect(await supervisor.suspend(id, 'ann')).toMatchObject({ changed: true });
    await until(async () => (await two.bench.record(id)).state === 'running.suspended');
    expect(await supervisor.suspend(id)).toMatchObject({ changed: false });
    expect(await supervisor.resume(id, 'ann')).toMatchObject({ changed: true });
    expect(await supervisor.cancel(id, 'enough', 'ann')).toMatchObject({ changed: true });
    await until(async () => (await two.bench.record(id)).status === 'cancelled');
    const log = await two.bench.log(id);
    expect(log.filter(({ by }) => by === 'ann').length).toBeGreaterThanOrEqual(3);
    await expect(supervisor.resume(id)).rejects.toMatchObject({
      kind: 'failed_precondition',
      metadata: { execution_id: id },
    });
  });

  test('is moved away', async () => {
    const { one, two, start } = await linkedNodes();
    const id = await start(two);
    expect(await one.bench.supervisor.detach(id, 'ann')).toMatchObject({
      status: 'failed',
      outcome: { code: 'MOVED' },
    });
  });

  test('is cancelled when its creator leaves who asked for that, unless somebody observes it', async () => {
    const { one, two, start } = await linkedNodes();
    const [id, watched] = [await start(two), await start(two)];
    const observer = await one.bench.supervisor.attach(watched);
    const observing = observer.beyond(Number.POSITIVE_INFINITY);
    await until(async () => (await one.client.deliver(two.peer, id, { kind: 'resume' })).changed === false);
    expect(await one.client.deliver(two.peer, id, { kind: 'leave' })).toMatchObject({ changed: true });
    const left = () => one.client.deliver(two.peer, watched, { kind: 'leave' });
    expect(await left()).toMatchObject({ changed: false });
    observer.close('gone');
    await observing;
    // That nobody follows any more is heard a moment later.
    await until(async () => (await left()).changed);
  });
});

describe('when the node that has it goes away', () => {
  test('its reader reads on from the store, and follows the heir without a gap', async () => {
    const { one, two, start, owners, advance, store } = await linkedNodes();
    const id = await start(two);
    const { seen, ended } = follow(await one.bench.supervisor.attach(id));
    await callOf(two).write('stdout', 'first');
    await two.bench.clock.advance(10);
    await until(() => texts(seen) === 'first');
    // What it commits when the link is gone already is in the store alone.
    owners.delete(id);
    two.server.close();
    await callOf(two).write('stdout', ' second');
    await two.bench.clock.advance(10);
    await until(async () => {
      await advance(250);
      return texts(seen) === 'first second';
    });
    two.bench.watched.cut();
    await one.bench.supervisor.adopt(id, { takenAt: one.bench.time.now(), hold: false });
    owners.set(id, one);
    await until(async () => {
      await one.bench.clock.advance(250);
      return one.bench.runtime.calls.length === 1;
    });
    await callOf(one).write('stdout', 'again');
    await one.bench.clock.advance(10);
    callOf(one).complete();
    await until(async () => {
      await one.bench.clock.advance(250);
      return seen.at(-1)?.kind === 'result';
    });
    await ended;
    expect(seen).toEqual(await store.events(id, { from: 1, maxBytes: 1e6 }));
    expect(texts(seen)).toBe('first secondagain');
  });

  test('what is asked of it waits for the heir, and then gives up', async () => {
    const { one, two, start, owners, advance } = await linkedNodes();
    const [id, other] = [await start(two), await start(two)];
    owners.delete(id);
    owners.delete(other);
    two.server.close();
    const cancelled = one.bench.supervisor.cancel(id, 'enough');
    const refused = one.bench.supervisor.cancel(other, 'enough').catch((error: unknown) => error);
    await advance(1000);
    two.bench.watched.cut();
    await one.bench.supervisor.adopt(id, { takenAt: one.bench.time.now(), hold: false });
    owners.set(id, one);
    await until(async () => {
      await one.bench.clock.advance(250);
      return (await one.bench.record(id)).status === 'cancelled';
    });
    expect(await cancelled).toMatchObject({ changed: true });
    for (let waited = 0; waited <= 10_000; waited += 250) {
      await one.bench.clock.advance(250);
      await settle();
    }
    expect(await refused).toMatchObject({ kind: 'unavailable', reason: 'NODE_UNREACHABLE' });
  });
});

describe('an invocation id', () => {
  test('joins the execution that another node has made with it', async () => {
    const { one, two, owners } = await linkedNodes();
    const request = { mode: 'async', invocationId: 'once', payloadDigest: 'ab' } as const;
    const made = await two.bench.admit(request);
    owners.set(made.executionId, two);
    const { cursor, joined } = await one.bench.supervisor.admit({
      ...requestWith(),
      ...request,
    });
    expect([joined, cursor.executionId]).toEqual([true, made.executionId]);
    const outcome = waitForOutcome(cursor, undefined, one.bench.clock);
    callOf(two).complete();
    await two.bench.clock.advance(10);
    expect(await outcome).toMatchObject({ status: 'completed' });
  });
});
