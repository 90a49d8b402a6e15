/** Whatever callers, guests and the store do, in any order: nothing is lost, doubled, or left behind. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTerminal } from '../../src/domain/execution.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { confirmMs } from '../../src/machines/ending.ts';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, noRetry, requestWith, taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { supervisorBench } from './supervisor-bench.ts';

type Bench = ReturnType<typeof supervisorBench>;

interface World {
  readonly bench: Bench;
  readonly cursors: LogCursor[];
  /** Ids whose acceptance was heard. */
  readonly accepted: Set<string>;
  readonly refused: Set<string>;
  readonly ends: Promise<void>[];
}

type Act = (world: World) => unknown;

const pick = <T>(from: readonly T[], index: number): T | undefined => from[index % Math.max(1, from.length)];

const admit = fc
  .record({
    mode: fc.constantFrom('sync', 'async', 'stream'),
    files: fc.boolean(),
    attempts: fc.integer({ min: 1, max: 3 }),
    key: fc.constantFrom('', '', '', 'k1', 'k2'),
    startAfterMs: fc.constantFrom(0, 0, 0, 20),
    inputBytes: fc.constantFrom(0, 10, 10_000),
    totalMs: fc.constantFrom(50, 5000, 300_000),
    attemptMs: fc.constantFrom(undefined, 10, 100),
    queueMs: fc.constantFrom(undefined, 10),
    cancelOnDisconnect: fc.boolean(),
  })
  .map(
    (how): Act =>
      (world) => {
        const request = requestWith({
          mode: how.mode as 'sync',
          task: taskWith({
            graceMs: 50,
            retry: { ...noRetry, maxAttempts: how.attempts, initialMs: 5 },
            preopens: how.files ? { '/d': '/d' } : {},
            limits: { memory: 1, maxOutputBytes: 100_000, maxOutputEvents: 20 },
          }),
          invocation: invocationWith({ input: new Uint8Array(how.inputBytes) }),
          invocationId: how.key,
          payloadDigest: how.key === '' ? '' : 'd',
          startAfterMs: how.startAfterMs,
          cancelOnDisconnect: how.cancelOnDisconnect,
          timeouts: {
            totalMs: how.totalMs,
            ...(how.attemptMs !== undefined && { attemptMs: how.attemptMs }),
            ...(how.queueMs !== undefined && { queueMs: how.queueMs }),
          },
        });
        world.ends.push(
          world.bench.supervisor.admit(request).then(
            async ({ cursor }) => {
              world.cursors.push(cursor);
              await cursor.admitted().then(
                () => void world.accepted.add(cursor.executionId),
                () => void world.refused.add(cursor.executionId),
              );
            },
            () => {},
          ),
        );
      },
  );

const guest = fc
  .tuple(
    fc.nat({ max: 50 }),
    fc.constantFrom('complete', 'fail', 'crash', 'stdout', 'stderr', 'deaf', 'slow'),
  )
  .map(
    ([index, what]): Act =>
      (world) => {
        const call = pick(
          world.bench.runtime.calls.filter((candidate) => !candidate.over),
          index,
        );
        if (call === undefined) return;
        if (what === 'complete') call.complete({ exitCode: 0 });
        else if (what === 'fail') call.fail('TRAP');
        else if (what === 'crash') call.crash(new Error('scripted'));
        else if (what === 'deaf') call.stopsAfterMs = Number.POSITIVE_INFINITY;
        else if (what === 'slow') call.stopsAfterMs = 20;
        else void call.write(what as 'stdout', new Uint8Array(1 + index * 700));
      },
  );

const caller = fc.tuple(fc.nat({ max: 50 }), fc.constantFrom('cancel', 'gone', 'done', 'attach')).map(
  ([index, what]): Act =>
    (world) => {
      const cursor = pick(world.cursors, index);
      if (cursor === undefined) return;
      if (what === 'cancel')
        world.ends.push(world.bench.supervisor.cancel(cursor.executionId, 'x').then(ignore, ignore));
      else if (what === 'attach') {
        world.ends.push(
          world.bench.supervisor
            .attach(cursor.executionId)
            .then((more) => void world.cursors.push(more), ignore),
        );
      } else cursor.close(what as 'gone');
    },
);

const medium = fc.constantFrom<Act>(
  ({ bench }) => bench.store.setFault(new Error('scripted')),
  ({ bench }) => bench.store.setFault(undefined),
  ({ bench }) => bench.store.setFault(undefined),
  ({ bench }) => bench.store.failNext(new Error('scripted')),
  ({ bench }) => bench.watched.hold(),
  ({ bench }) => bench.watched.release(),
  ({ bench }) => bench.watched.release(),
);

const time = fc.constantFrom(0, 1, 5, 20, 60, 1100).map(
  (ms): Act =>
    ({ bench }) =>
      bench.clock.advance(ms),
);

const acts = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: admit },
    { weight: 6, arbitrary: guest },
    { weight: 2, arbitrary: caller },
    { weight: 1, arbitrary: medium },
    { weight: 5, arbitrary: time },
  ),
  { minLength: 5, maxLength: 60 },
);

const ignore = (): void => {};

test('what was accepted ends exactly once with a gap-free log, what was refused left nothing, and nothing is left over', async () => {
  const statuses = new Set<string>();
  const codes = new Set<string>();
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(acts, async (sequence) => {
      const bench = supervisorBench({ slots: 2, queueLimit: 6 });
      const world: World = { bench, cursors: [], accepted: new Set(), refused: new Set(), ends: [] };
      for (const act of sequence) {
        await act(world);
        await settle();
        const { running, pending } = bench.supervisor.load;
        expect(running).toBeLessThanOrEqual(2);
        expect(pending).toBeLessThanOrEqual(6);
        expect(pending).toBeGreaterThanOrEqual(0);
      }
      bench.store.setFault(undefined);
      bench.watched.release();
      // A failure that waits for the next call would hit this test's own reads.
      await bench.store.execution('').catch(ignore);
      await bench.clock.advance(2000);
      bench.supervisor.interrupt('over');
      await bench.clock.advance(10_000 + confirmMs);
      await Promise.all(world.ends);
      expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
      for (const id of world.accepted) {
        const record = await bench.record(id);
        const log = await bench.log(id);
        expect(isTerminal(record.status)).toBe(true);
        expect(record.outcome?.status).toBe(record.status);
        expect(sequences(log)).toEqual(upTo(record.lastSequence));
        expect(log.filter((event) => event.kind === 'result')).toHaveLength(1);
        expect(log.at(-1)?.kind).toBe('result');
        const times = log.map((event) => event.time);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const bytes = log.reduce(
          (sum, event) => sum + (event.kind === 'chunk' ? event.data.byteLength : 0),
          0,
        );
        expect(record.outputBytes).toBe(bytes);
        expect(bytes).toBeLessThanOrEqual(100_000);
        statuses.add(record.status);
        if (record.outcome !== undefined && record.outcome.status !== 'completed')
          codes.add(record.outcome.code);
      }
      for (const id of world.refused) expect(await bench.store.execution(id)).toBeUndefined();
      refusals += world.refused.size;
      const stored = await bench.store.executions({ statuses: [], limit: 1000 });
      expect(new Set(stored.map((record) => record.executionId))).toEqual(world.accepted);
      const keys = stored.map((record) => record.invocationId).filter((key) => key !== '');
      expect(new Set(keys).size).toBe(keys.length);
      for (const call of bench.runtime.calls) if (!call.over) call.stopped();
      await settle();
      await bench.supervisor.close();
      await bench.clock.advance(1000);
      expect(bench.clock.timers).toBe(0);
    }),
    { numRuns: 150 },
  );
  // The generator comes everywhere, or the above says little.
  expect([...statuses].sort()).toEqual(['cancelled', 'completed', 'failed', 'timedOut']);
  expect([...codes]).toEqual(
    expect.arrayContaining(['TRAP', 'INTERNAL', 'CANCELLED', 'KILL_UNCONFIRMED', 'INTERRUPTED']),
  );
  expect(refusals).toBeGreaterThan(0);
});
