/** Whatever callers, guests, the store and crashes do, in any order: nothing is lost, doubled, or left behind. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTerminal } from '../../src/domain/execution.ts';
import { confirmMs } from '../../src/machines/ending.ts';
import { settle } from '../support/fake-clock.ts';
import type { ScriptedCall } from '../support/scripted-runtime.ts';
import { acts, heal, ignore, tasks, type World } from './chaos.ts';
import { sequences, upTo } from './log-bench.ts';
import { supervisorBench, unfinished } from './supervisor-bench.ts';

/** The attempts of an execution that began, whichever node it was. */
function started({ benches }: World, executionId: string): ScriptedCall[] {
  return benches
    .flatMap(({ runtime }) => runtime.calls)
    .filter(({ attempt }) => attempt.executionId === executionId);
}

const inMemory = {
  'all that waits live': {},
  'hardly anything that waits live': { waiting: { live: 0, ahead: 1, aheadOfLine: 1, rows: 1 } },
};

test.for(Object.entries(inMemory))(
  'with %s: what was accepted ends exactly once with a gap-free log, what was refused left nothing, and nothing is left over',
  async ([, more]) => {
    let passive = 0;
    const statuses = new Set<string>();
    const codes = new Set<string>();
    let refusals = 0;
    let revived = 0;
    await fc.assert(
      fc.asyncProperty(acts, async (sequence) => {
        const first = supervisorBench({ slots: 2, queueLimit: 6, ...more });
        for (const task of tasks) await first.store.saveRevision(task);
        const world: World = {
          bench: first,
          benches: [first],
          cursors: [],
          readers: new Set(),
          accepted: new Set(),
          refused: new Set(),
          ends: [],
          revived: 0,
          more,
        };
        for (const act of sequence) {
          await act(world);
          await settle();
          const { running, pending } = world.bench.supervisor.load;
          expect(running).toBeLessThanOrEqual(2);
          // What a gate or the disk holds leaves slots free, and as many more are admitted (domain/admission.ts).
          expect(pending).toBeLessThanOrEqual(6 + 2);
          expect(pending).toBeGreaterThanOrEqual(0);
          passive += world.bench.supervisor.passive;
        }
        const { bench } = world;
        await heal(bench);
        await bench.clock.advance(2000);
        for (const { executionId } of await unfinished(bench)) {
          world.ends.push(bench.supervisor.cancel(executionId, 'over').then(ignore, ignore));
        }
        await bench.clock.advance(10_000 + confirmMs);
        await Promise.all(world.ends);
        // A deaf one whose admission was refused keeps its slot until it is gone.
        for (const call of bench.runtime.calls) if (!call.over) call.stopped();
        await settle();
        expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
        // Whoever reads a log hears of its end.
        let heard = 0;
        for (const reader of world.readers) {
          void reader.beyond(Number.POSITIVE_INFINITY).then(() => {
            heard += 1;
          });
        }
        await settle();
        expect(heard).toBe(world.readers.size);
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
          expect(record.recoveries ?? 0).toBeLessThanOrEqual(3);
          const once = started(world, id).filter(({ attempt }) => attempt.task.onInterrupt === 'fail');
          expect(new Set(once.map(({ attempt }) => attempt.number)).size).toBe(once.length);
          statuses.add(record.status);
          if (record.outcome !== undefined && record.outcome.status !== 'completed')
            codes.add(record.outcome.code);
        }
        for (const id of world.refused) expect(await bench.store.execution(id)).toBeUndefined();
        refusals += world.refused.size;
        revived += world.revived;
        const stored = await bench.store.executions({ statuses: [], limit: 1000 });
        expect(new Set(stored.map((record) => record.executionId))).toEqual(world.accepted);
        const keys = stored.map((record) => record.invocationId).filter((key) => key !== '');
        expect(new Set(keys).size).toBe(keys.length);
        bench.supervisor.close();
        await bench.clock.advance(1000);
        expect(bench.clock.timers).toBe(0);
      }),
      { numRuns: 150 },
    );
    // The generator comes everywhere, or the above says little.
    expect([...statuses].sort()).toEqual(['cancelled', 'completed', 'failed', 'timedOut']);
    expect([...codes]).toEqual(
      expect.arrayContaining(['TRAP', 'INTERNAL', 'CANCELLED', 'KILL_UNCONFIRMED', 'INTERRUPTED', 'MOVED']),
    );
    expect(refusals).toBeGreaterThan(0);
    expect(passive > 0).toBe('waiting' in more);
    expect(revived).toBeGreaterThan(0);
  },
);
