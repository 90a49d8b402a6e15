/**
 * How many executions a second one dispatcher gives away in a cluster: of 30 000 that wait in three lines, each is given
 * to a node with a free slot, which says at once that it is free again. Beside it the statement alone that gives, in
 * batches of 1, 10 and 100. Wants Debian's postgresql-15; needs no node.
 *
 *     node bench/claims.ts [EXECUTIONS]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dispatcher } from '../src/actors/executions/cluster/dispatcher.ts';
import { NodeTime } from '../src/actors/time/node-time.ts';
import { systemClock } from '../src/actors/time/system-clock.ts';
import { Durations } from '../src/domain/durations.ts';
import { readEngineAddress } from '../src/domain/engine-address.ts';
import { leafOf, lineOf } from '../src/domain/scheduling/line.ts';
import type { Priority } from '../src/domain/scheduling/priority.ts';
import { openArtifacts } from '../src/stores/artifacts.ts';
import type { ClusterQueue } from '../src/stores/cluster-queue.ts';
import { openPostgresStore, type PostgresStoreParts } from '../src/stores/postgres/store.ts';
import { executionId, recordOf, transition } from '../test/stores/samples.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { processorTime } from './processor-time.ts';
import { printTable, type Row } from './table.ts';

const executions = Number(process.argv[2] ?? 30_000);
const slots = 256;
const atOnce = 500;
const lines: readonly Priority[] = ['low', 'normal', 'high'];
const nothing = { slots: 0, memoryBytes: 0, processors: 0 };

const engine = await startPostgres();
const folder = await mkdtemp(join(tmpdir(), 'spear-bench-claims-'));

async function open(url: string, name: string): Promise<PostgresStoreParts> {
  const address = readEngineAddress(url);
  if ('wrong' in address) throw new Error(address.wrong);
  return openPostgresStore({
    ...{ address, nodeId: name, clock: systemClock },
    facts: { name, address: '', labels: {}, capacity: { slots } },
    files: await openArtifacts(join(folder, name)),
  });
}

/** A fresh database in which so many wait that nobody has, in turn of each line. */
async function filled(count: number): Promise<{ readonly url: string; readonly ids: readonly string[] }> {
  const { url } = await engine.database();
  const { store, queue } = await open(url, 'filler');
  const ids = Array.from({ length: count }, (_, index) => executionId(index + 1));
  for (let from = 0; from < count; from += atOnce) {
    const part = ids.slice(from, from + atOnce);
    await store.commit(
      part.map((id, index) => {
        const priority = lines[(from + index) % lines.length] ?? 'normal';
        const record = recordOf(id, 'pending', { lastSequence: 1, state: 'pending.queued', priority });
        return {
          ...{
            executionId: id,
            expectedLastSequence: 0,
            events: [transition(1, '', 'pending.queued')],
            record,
          },
          waiting: { line: lineOf(leafOf(record)), since: from + index, wakesAt: Number.POSITIVE_INFINITY },
        };
      }),
    );
    await queue.release(part);
  }
  await store.close();
  return { url, ids };
}

/** Seconds for all of them, and how many were given before one that came earlier in their own line. */
async function dispatched(): Promise<{
  readonly seconds: number;
  readonly passed: number;
  readonly us: number;
}> {
  const { url } = await filled(executions);
  const [giver, taker] = [await open(url, 'giver'), await open(url, 'taker')];
  const node = taker.membership.incarnation;
  const last = new Map<number, string>();
  let given = 0;
  let passed = 0;
  const done = Promise.withResolvers<void>();
  const queue = new Proxy(giver.queue, {
    get(target, key): unknown {
      if (key !== 'give') {
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...args: Parameters<ClusterQueue['give']>) => {
        const got = await target.give(...args);
        for (const id of [...got].sort()) {
          const line = (Number(id.slice(5)) - 1) % lines.length;
          if (id < (last.get(line) ?? '')) passed += 1;
          last.set(line, id);
        }
        given += got.size;
        if (given >= executions) done.resolve();
        taker.queue.leave([...got], nothing).catch(done.reject);
        return got;
      };
    },
  });
  const dispatcher = new Dispatcher({
    ...{ time: new NodeTime(systemClock), store: giver.store, queue, durations: new Durations() },
    nodes: () => [{ id: node, name: 'taker', place: { labels: {}, runtimes: ['wasm'] }, slots }],
    quarantines: async () => {},
    quarantined() {},
    wake: async () => {},
    failed: (error) => done.reject(error),
  });
  giver.queue.onSaying((saying) => dispatcher.heard(saying));
  const [begun, used] = [performance.now(), processorTime(process.pid).node];
  await dispatcher.open();
  dispatcher.heard({ kind: 'freed', node, own: 0, ids: [] });
  await done.promise;
  const seconds = (performance.now() - begun) / 1000;
  const us = (processorTime(process.pid).node - used) / executions;
  dispatcher.close();
  await Promise.all([giver.store.close(), taker.store.close()]);
  return { seconds, passed, us };
}

/** Seconds for all of them, by statements that give so many. */
async function given(batch: number): Promise<number> {
  const count = batch === 1 ? Math.ceil(executions / 5) : executions;
  const { url, ids } = await filled(count);
  const [giver, taker] = [await open(url, 'giver'), await open(url, 'taker')];
  const node = taker.membership.incarnation;
  const begun = performance.now();
  for (let from = 0; from < count; from += batch) {
    const part = ids.slice(from, from + batch);
    const got = await giver.queue.give(
      part.map((id) => ({ executionId: id, node })),
      [],
    );
    if (got.size !== part.length) throw new Error(`${got.size} of ${part.length} were given`);
  }
  const seconds = (performance.now() - begun) / 1000;
  await Promise.all([giver.store.close(), taker.store.close()]);
  return seconds / count;
}

try {
  const { seconds, passed, us } = await dispatched();
  const rate = executions / seconds;
  const rows: Row[] = [
    {
      what: `executions given away by one dispatcher and freed again, of ${executions}, a second`,
      ...{ spear: rate.toFixed(0), limit: '10000', ratio: rate / 10_000, goal: '>= 1' },
    },
    {
      what: 'the same, processor time of the process that gives and frees, µs each',
      ...{ spear: us.toFixed(0), limit: '', ratio: Number.NaN, goal: '' },
    },
    {
      what: 'given before one that came earlier in their line',
      ...{ spear: String(passed), limit: '0', ratio: passed, goal: '<= 0' },
    },
  ];
  for (const batch of [1, 10, 100]) {
    const each = 1 / (await given(batch));
    rows.push({
      what: `the statement alone, ${batch} at a time, executions a second`,
      ...{ spear: each.toFixed(0), limit: '10000', ratio: each / 10_000, goal: batch === 10 ? '>= 1' : '' },
    });
  }
  printTable(rows);
} finally {
  await engine.remove();
  await rm(folder, { recursive: true, force: true });
}
// Leases of stores that were closed keep timers.
process.exit();
