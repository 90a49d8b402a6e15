/** Who watched an execution when its node went away sees one log when the node is back (I3). */
import { expect, test } from 'vitest';
import type { LogEvent } from '../../src/domain/event.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { followLog } from '../../src/observers/stream.ts';
import { waitForOutcome } from '../../src/observers/sync.ts';
import { settle } from '../support/fake-clock.ts';
import { requestWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { crash, story, supervisorBench } from './supervisor-bench.ts';

/** Puts what it reads into `events`, and gives up with the node. */
async function follow(cursor: LogCursor, events: LogEvent[]): Promise<void> {
  for await (const page of followLog(cursor, events.length + 1)) events.push(...page);
}

test('a stream that goes on from its sequence number has no gap and no repeat, over two crashes', async () => {
  let bench = supervisorBench();
  const first = await bench.start({}, { mode: 'stream' });
  const { executionId } = first;
  const events: LogEvent[] = [];
  void follow(first, events);
  for (const text of ['one', 'two', 'three']) {
    void bench.runtime.call(0).write('stdout', text);
    await bench.clock.advance(10);
    if (text === 'three') break;
    // Written and not durable: it was never heard, and nobody misses it.
    bench.watched.hold();
    void bench.runtime.call(0).write('stdout', 'unheard');
    await bench.clock.advance(10);
    bench = crash(bench, { downMs: 100 });
    await bench.supervisor.recover();
    await bench.clock.advance(0);
    void follow(await bench.supervisor.attach(executionId), events);
    await settle();
  }
  bench.runtime.call(0).complete();
  await settle();
  expect(sequences(events)).toEqual(upTo(events.length));
  expect(events).toEqual(await bench.log(executionId));
  const lost = 'running.attempting>running.backingOff';
  const again = 'running.backingOff>running.attempting';
  expect(story(events).slice(2)).toEqual([
    'stdout:one',
    lost,
    again,
    'stdout:two',
    lost,
    again,
    'stdout:three',
    'result',
  ]);
  await bench.leavesNothing();
});

test('an observer that comes to a recovered execution from any sequence number sees the rest', async () => {
  const before = supervisorBench();
  const { executionId } = await before.start();
  void before.runtime.call(0).write('stdout', 'a');
  await before.clock.advance(10);
  const after = crash(before);
  await after.supervisor.recover();
  await after.clock.advance(0);
  const readers = [1, 2, 3, 4, 5, 6].map(async (from) => {
    const seen: LogEvent[] = [];
    for await (const page of followLog(await after.supervisor.attach(executionId), from)) seen.push(...page);
    return sequences(seen);
  });
  after.runtime.call(0).complete();
  expect(await Promise.all(readers)).toEqual([1, 2, 3, 4, 5, 6].map((from) => upTo(6).slice(from - 1)));
  await after.leavesNothing();
});

test('a sync call that comes again waits for the outcome', async () => {
  const before = supervisorBench();
  const { executionId } = await before.start({}, { mode: 'sync', invocationId: 'key', payloadDigest: 'd' });
  const after = crash(before);
  await after.supervisor.recover();
  const again = requestWith({ invocationId: 'key', payloadDigest: 'd' });
  const { cursor, joined } = await after.supervisor.admit(again);
  expect(joined).toBe(true);
  expect(cursor.executionId).toBe(executionId);
  const outcome = waitForOutcome(cursor, undefined, after.clock);
  await after.clock.advance(0);
  after.runtime.call(0).complete({ output: '1' });
  expect(await outcome).toMatchObject({ status: 'completed', outcome: { output: '1' } });
  await after.leavesNothing();
});

test('nothing of a recovery is heard before it is durable', async () => {
  const before = supervisorBench();
  const { executionId } = await before.start();
  const after = crash(before);
  after.watched.hold();
  void after.supervisor.recover();
  await settle();
  const cursor = await after.supervisor.attach(executionId);
  expect(cursor.record).toMatchObject({ state: 'running.attempting', lastSequence: 2 });
  expect(await cursor.read(3, 1000)).toEqual([]);
  expect(after.heard).toEqual([]);
  after.watched.release();
  await after.clock.advance(0);
  expect(cursor.record.lastSequence).toBeGreaterThan(2);
  after.runtime.call(0).complete();
  await after.leavesNothing();
});

test('cancel_on_disconnect ends with the node that its creator was connected to', async () => {
  const before = supervisorBench();
  const { executionId } = await before.start({}, { cancelOnDisconnect: true });
  const after = crash(before);
  await after.supervisor.recover();
  await after.clock.advance(0);
  (await after.supervisor.attach(executionId)).close('gone');
  await settle();
  expect(after.runtime.call(0).signal.aborted).toBe(false);
  after.runtime.call(0).complete();
  await after.leavesNothing();
});
