/**
 * Whatever happens, in whatever order: no circle is accepted, every member of a batch ends or is listed as it stands,
 * nothing starts before what it follows has ended durably, and a result that comes of the cache is what was computed.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { graphOf } from '../../src/domain/batch/graph.ts';
import type { Dependency } from '../../src/domain/dependency.ts';
import { isTerminal } from '../../src/domain/execution.ts';
import { wholeNode } from '../../src/domain/scope.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { crash, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const most = 7;
const runs = 50;

const drawnMember = fc.record({
  follows: fc.uniqueArray(fc.nat({ max: most - 1 }), { maxLength: 3 }),
  ended: fc.boolean(),
  anyway: fc.boolean(),
  fails: fc.boolean(),
});
type DrawnMember = typeof drawnMember extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const nameOf = (member: number) => `m${member}`;

/** Those of each member that there are; a circle is found by walking, without the code that is tested. */
function hasCircle(members: readonly DrawnMember[]): boolean {
  const reaches = (from: number, to: number, seen: Set<number>): boolean => {
    for (const next of members[from]?.follows ?? []) {
      if (next === to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      if (reaches(next, to, seen)) return true;
    }
    return false;
  };
  return members.some((_, member) => reaches(member, member, new Set()));
}

const drawnBatch = fc
  .array(drawnMember, { minLength: 1, maxLength: most })
  .map((members) =>
    members.map((each) => ({ ...each, follows: each.follows.filter((other) => other < members.length) })),
  );

test('a circle is refused and named, and nothing else is', () => {
  fc.assert(
    fc.property(drawnBatch, (members) => {
      const graph = () =>
        graphOf(members.map(({ follows }, at) => ({ name: nameOf(at), follows: follows.map(nameOf) })));
      if (hasCircle(members)) expect(graph).toThrow(/m\d/);
      else expect(graph().order).toHaveLength(members.length);
    }),
    { numRuns: 1000 },
  );
});

/** The same members without what closes a circle. */
function withoutCircles(members: readonly DrawnMember[]): DrawnMember[] {
  return members.map((each, member) => ({
    ...each,
    follows: each.follows.filter((other) => other < member),
  }));
}

const act = fc.record({
  what: fc.constantFrom('end', 'end', 'end', 'cancel', 'hold', 'resume', 'crash', 'cancelBatch', 'pass'),
  which: fc.nat({ max: 20 }),
});

const task = taskWith({ graceMs: 50, retry: noRetry });

/** Admits the members together; the ids in their order, and that of the batch. */
async function admit(bench: SupervisorBench, members: readonly DrawnMember[], cancelOthers: boolean) {
  const { batches } = bench.supervisor;
  const executionIds = batches.executionIds(members.length);
  const { follows, layers, order } = graphOf(
    members.map((each, at) => ({ name: nameOf(at), follows: each.follows.map(nameOf) })),
  );
  await bench.store.saveRevision(task);
  const { batch } = await batches.admit({
    ...{ executionIds, order, layers: Math.max(...layers) + 1, tenant: 'default' },
    ...{ invocationId: '', payloadDigest: '', onMemberFailure: cancelOthers ? 'cancelOthers' : 'continue' },
    members: members.map(({ ended, anyway }, at) => {
      const dependsOn = (follows[at] ?? []).map(
        (other): Dependency => ({
          executionId: executionIds[other] ?? '',
          ...(ended && { condition: 'ended' }),
          ...(anyway && { onFailure: 'runAnyway' }),
        }),
      );
      const request = requestWith({ task, mode: 'async', ...(dependsOn.length > 0 && { dependsOn }) });
      return { name: nameOf(at), layer: layers[at] ?? 0, follows: follows[at] ?? [], request };
    }),
  });
  return { batchId: batch.batchId, executionIds };
}

/** Ends one attempt as its member is to end. */
function endOne(bench: SupervisorBench, which: number, fails: (executionId: string) => boolean): boolean {
  const open = bench.runtime.calls.filter((call) => !call.over);
  const call = open[which % Math.max(1, open.length)];
  if (call === undefined) return false;
  if (fails(call.attempt.executionId)) call.fail('TRAP');
  else call.complete({ exitCode: 0 });
  return true;
}

const ignore = (): undefined => undefined;

test('every member of a batch ends, once, and behind what it follows', { timeout: 600_000 }, async () => {
  const property = fc.asyncProperty(
    drawnBatch,
    fc.array(act, { maxLength: 14 }),
    fc.boolean(),
    async (drawn, acts, cancelOthers) => {
      const members = withoutCircles(drawn);
      // Nearly all that waits does so in the store.
      const few = { slots: 2, waiting: { live: 1, ahead: 4, aheadOfLine: 2, rows: 2 } };
      let bench = supervisorBench(few);
      const { batchId, executionIds } = await admit(bench, members, cancelOthers);
      const fails = (id: string): boolean => members[executionIds.indexOf(id)]?.fails ?? false;
      await bench.clock.advance(10);
      for (const { what, which } of acts) {
        const executionId = executionIds[which % executionIds.length] ?? '';
        if (what === 'end') endOne(bench, which, fails);
        else if (what === 'cancel') void bench.supervisor.cancel(executionId, 'x').catch(ignore);
        else if (what === 'hold') void bench.supervisor.suspend(executionId).catch(ignore);
        else if (what === 'resume') void bench.supervisor.resume(executionId).catch(ignore);
        else if (what === 'cancelBatch')
          void bench.supervisor.batches.cancel(wholeNode, batchId, 'x').catch(ignore);
        else if (what === 'crash') {
          bench = crash(bench, { downMs: which, ...few });
          await bench.supervisor.recover();
        }
        // Now and then the next comes before anything is durable.
        await (which % 3 === 0 ? settle() : bench.clock.advance(10));
        // At no time is one missing, or counted twice.
        const { counts } = await bench.supervisor.batches.get(wholeNode, batchId);
        const listed = await bench.supervisor.batches.members(wholeNode, batchId, {
          ...{ after: -1, limit: 100, statuses: [] },
        });
        expect(listed.map((each) => each.executionId)).toEqual(executionIds);
        expect(counts.ended).toBe(listed.filter(({ status }) => status && isTerminal(status)).length);
      }
      for (let quiet = 0; quiet < 3; ) {
        for (const executionId of executionIds) {
          const { state } = await bench.record(executionId);
          const isHeld = state === 'pending.held' || state === 'running.suspended';
          if (isHeld) await bench.supervisor.resume(executionId);
        }
        quiet = endOne(bench, 0, fails) ? 0 : quiet + 1;
        await bench.clock.advance(60);
      }

      const state = await bench.supervisor.batches.get(wholeNode, batchId);
      expect(state.counts.ended).toBe(members.length);
      const endings = await bench.supervisor.batches.endings(batchId, 1, 100);
      expect(endings.map(({ sequence }) => sequence)).toEqual(members.map((_, at) => at + 1));
      expect(endings.map(({ executionId }) => executionId).sort()).toEqual([...executionIds].sort());
      for (const [member, executionId] of executionIds.entries()) {
        const record = await bench.record(executionId);
        const log = await bench.log(executionId);
        expect(isTerminal(record.status)).toBe(true);
        expect(log.filter(({ kind }) => kind === 'result')).toHaveLength(1);
        const began = log.find((event) => event.kind === 'transition' && event.to === 'running.attempting');
        if (began === undefined) continue;
        // Each of those that it follows had ended before, as it has to, or it runs anyway.
        for (const other of members[member]?.follows ?? []) {
          const end = (await bench.log(executionIds[other] ?? '')).at(-1);
          expect(end?.kind).toBe('result');
          expect(end?.position).toBeLessThan(began.position);
          const { ended, anyway } = members[member] ?? {};
          const { status } = await bench.record(executionIds[other] ?? '');
          expect(status === 'completed' || ended === true || anyway === true).toBe(true);
        }
      }
      await bench.leavesNothing();
    },
  );
  // All that stood before it in memory was cancelled, and what came behind it in the store was never read.
  const free: DrawnMember = { follows: [], ended: false, anyway: false, fails: false };
  const after = { ...free, follows: [0] };
  await fc.assert(property, {
    numRuns: runs,
    examples: [[[free, free, free, after, after, after], [{ what: 'cancel', which: 8 }], false]],
  });
});

const callAct = fc.record({
  what: fc.constantFrom('call', 'call', 'call', 'end', 'end', 'fail', 'cancel', 'crash', 'pass'),
  which: fc.nat({ max: 20 }),
});

test('a result that comes of the cache is what its own run would have had', {
  timeout: 600_000,
}, async () => {
  const bounds = { bytes: 1024 * 1024, bytesPerTenant: 1024 * 1024 };
  const pure = taskWith({ graceMs: 50, retry: noRetry, cache: { ttlMs: 1000 } });
  const outputOf = (key: number): string => `the result of ${key}`;
  const property = fc.asyncProperty(fc.array(callAct, { maxLength: 30 }), async (acts) => {
    const options = { slots: 2, cache: bounds };
    let bench = supervisorBench(options);
    await bench.store.saveRevision(pure);
    const keys = new Map<string, number>();
    const complete = (which: number, well: boolean): boolean => {
      const open = bench.runtime.calls.filter((call) => !call.over);
      const call = open[which % Math.max(1, open.length)];
      if (call === undefined) return false;
      const key = keys.get(call.attempt.executionId);
      if (key === undefined) throw new Error('it runs something that nobody called');
      void call.write('stdout', well ? outputOf(key) : 'half of a resu');
      if (well) call.complete({ exitCode: 0 });
      else call.fail('TRAP');
      return true;
    };
    for (const { what, which } of acts) {
      if (what === 'call') {
        const key = which % 3;
        const digest = String(key).padEnd(64, '0');
        const { cursor } = await bench.supervisor.admit(
          requestWith({ task: pure, mode: 'async', cache: { key: digest, bypass: which > 17 } }),
        );
        keys.set(cursor.executionId, key);
        cursor.close('done');
      } else if (what === 'end' || what === 'fail') complete(which, what === 'end');
      else if (what === 'cancel') {
        const executionId = [...keys.keys()][which % Math.max(1, keys.size)];
        if (executionId !== undefined) void bench.supervisor.cancel(executionId, 'x').catch(ignore);
      } else if (what === 'crash') {
        await bench.clock.advance(10);
        bench = crash(bench, { downMs: which, ...options });
        await bench.supervisor.recover();
      } else await bench.clock.advance(which * 100);
      await (which % 3 === 0 ? settle() : bench.clock.advance(10));
    }
    for (let quiet = 0; quiet < 3; ) {
      quiet = complete(0, true) ? 0 : quiet + 1;
      await bench.clock.advance(60);
    }
    for (const [executionId, key] of keys) {
      const record = await bench.record(executionId);
      expect(isTerminal(record.status)).toBe(true);
      if (record.status === 'failed') expect(record.cache?.use).not.toBe('hit');
      if (record.status !== 'completed') continue;
      const log = await bench.log(executionId);
      const written = log.filter((event) => event.kind === 'chunk' && event.attempt === record.attempt);
      const text = written.map((event) => (event.kind === 'chunk' ? Buffer.from(event.data).toString() : ''));
      expect(text.join('')).toBe(outputOf(key));
      const from = record.cache !== undefined && 'from' in record.cache ? record.cache.from : undefined;
      if (from === undefined) continue;
      // It names who has computed it, which ran, and completed, with the same call.
      const origin = await bench.record(String(from));
      expect(origin).toMatchObject({ status: 'completed', outcome: record.outcome });
      expect(origin.attempt).toBeGreaterThan(0);
      expect(keys.get(String(from))).toBe(key);
    }
    await bench.leavesNothing();
  });
  await fc.assert(property, { numRuns: runs });
});
