/** What callers, guests, the store and crashes may do, in any order. */
import fc from 'fast-check';
import type { SupervisorOptions } from '../../src/actors/executions/supervisor-parts.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { invocationWith, noRetry, requestWith, taskWith } from '../support/samples.ts';
import { crash, type SupervisorBench } from './supervisor-bench.ts';

export interface World {
  /** The node that is there now. */
  bench: SupervisorBench;
  /** That one and those before it. */
  readonly benches: SupervisorBench[];
  readonly cursors: LogCursor[];
  /** Those of the node that is there now. */
  readonly readers: Set<LogCursor>;
  /** Ids whose acceptance was heard. */
  readonly accepted: Set<string>;
  readonly refused: Set<string>;
  ends: Promise<void>[];
  /** By all nodes together. */
  revived: number;
  /** How its nodes are made. */
  readonly more: Partial<SupervisorOptions>;
}

type Act = (world: World) => unknown;

const pick = <T>(from: readonly T[], index: number): T | undefined => from[index % Math.max(1, from.length)];

const attempts = [1, 2, 3];
/** Tasks without limits: with effects outside or not, by attempts, to be run again or not. */
const unlimited = [false, true].flatMap((files) =>
  attempts.flatMap((maxAttempts) =>
    (['rerun', 'fail'] as const).map((onInterrupt) => ({
      ...taskWith({
        graceMs: 50,
        // The longer is one for which nobody stays in memory.
        retry: { ...noRetry, maxAttempts, initialMs: maxAttempts === 3 ? 1200 : 5 },
        preopens: files ? { '/d': '/d' } : {},
        limits: { memory: 1, maxOutputBytes: 100_000, maxOutputEvents: 20 },
        onInterrupt,
      }),
      taskId: `task_${files}_${maxAttempts}_${onInterrupt}`,
    })),
  ),
);

const limited = {
  ...taskWith({
    graceMs: 50,
    retry: { ...noRetry, maxAttempts: 2, initialMs: 5 },
    concurrency: [{ key: 'task', limit: 1 }],
    rate: [{ key: 'task', units: 1, perMs: 20, burst: 2 }],
  }),
  taskId: 'task_limited',
};

export const tasks = [...unlimited, limited, { ...limited, taskId: 'task_limited_too' }];

const admit = fc
  .record({
    mode: fc.constantFrom('sync', 'async', 'stream'),
    task: fc.constantFrom(...tasks),
    key: fc.constantFrom('', '', '', 'k1', 'k2'),
    startAfterMs: fc.constantFrom(0, 0, 0, 20, 1500),
    inputBytes: fc.constantFrom(0, 10, 10_000),
    totalMs: fc.constantFrom(50, 5000, 300_000),
    totalFrom: fc.constantFrom(undefined, 'attempt' as const),
    attemptMs: fc.constantFrom(undefined, 10, 100),
    queueMs: fc.constantFrom(undefined, 10),
    cancelOnDisconnect: fc.boolean(),
    /** The caller looks no more once it is accepted. */
    leaves: fc.boolean(),
  })
  .map(
    (how): Act =>
      (world) => {
        const request = requestWith({
          mode: how.mode as 'sync',
          task: how.task,
          invocation: invocationWith({ input: new Uint8Array(how.inputBytes) }),
          invocationId: how.key,
          payloadDigest: how.key === '' ? '' : 'd',
          startAfterMs: how.startAfterMs,
          cancelOnDisconnect: how.cancelOnDisconnect,
          timeouts: {
            totalMs: how.totalMs,
            ...(how.totalFrom !== undefined && { totalFrom: how.totalFrom }),
            ...(how.attemptMs !== undefined && { attemptMs: how.attemptMs }),
            ...(how.queueMs !== undefined && { queueMs: how.queueMs }),
          },
        });
        const { bench } = world;
        world.ends.push(
          bench.supervisor.admit(request).then(
            async ({ cursor }) => {
              world.cursors.push(cursor);
              if (bench === world.bench) world.readers.add(cursor);
              await cursor.admitted().then(
                () => void world.accepted.add(cursor.executionId),
                () => void world.refused.add(cursor.executionId),
              );
              if (how.leaves) cursor.close('done');
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

const caller = fc
  .tuple(
    fc.nat({ max: 50 }),
    fc.constantFrom('cancel', 'suspend', 'suspend', 'resume', 'resume', 'detach', 'gone', 'done', 'attach'),
  )
  .map(
    ([index, what]): Act =>
      (world) => {
        const cursor = pick(world.cursors, index);
        if (cursor === undefined) return;
        const { supervisor } = world.bench;
        const { executionId } = cursor;
        const ask = (asked: Promise<unknown>): void => void world.ends.push(asked.then(ignore, ignore));
        if (what === 'gone' || what === 'done') cursor.close(what);
        else if (what === 'cancel') ask(supervisor.cancel(executionId, 'x'));
        else if (what === 'attach') {
          const { bench } = world;
          ask(
            supervisor.attach(executionId).then((more) => {
              world.cursors.push(more);
              if (bench === world.bench) world.readers.add(more);
            }),
          );
        } else ask(supervisor[what](executionId));
      },
  );

/** The node goes, with a word or without, and another one comes. */
const restart = fc.tuple(fc.constantFrom(0, 30, 6000), fc.boolean()).map(
  ([downMs, drained]): Act =>
    async (world) => {
      const { bench } = world;
      await heal(bench);
      if (drained) {
        bench.supervisor.stopAccepting();
        const left = bench.supervisor.leave();
        await bench.clock.advance(2000);
        await left;
        bench.supervisor.close();
      }
      world.bench = crash(bench, { downMs, slots: 2, queueLimit: 6, ...world.more });
      world.benches.push(world.bench);
      // Nobody hears of what was asked of the node that is gone.
      world.ends = [];
      world.readers.clear();
      world.revived += (await world.bench.supervisor.recover()).revived;
    },
);

export async function heal(bench: SupervisorBench): Promise<void> {
  bench.store.setFault(undefined);
  bench.watched.release();
  // A failure that waits for the next call would hit this test's own reads.
  await bench.store.execution('').catch(ignore);
}

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

export const acts = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: admit },
    { weight: 6, arbitrary: guest },
    { weight: 4, arbitrary: caller },
    { weight: 1, arbitrary: medium },
    { weight: 1, arbitrary: restart },
    { weight: 5, arbitrary: time },
  ),
  { minLength: 5, maxLength: 60 },
);

export const ignore = (): void => {};
