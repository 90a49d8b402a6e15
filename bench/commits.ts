/**
 * What a commit of short executions costs, each with its admission and its result in one entry: processor time of the
 * session of the engine and of this process, and the median from the call to the answer. Beside it a commit of one row
 * without an index, which no durable statement of that engine is quicker than. Wants root and Debian's postgresql-15.
 *
 *     node bench/commits.ts [COMMITS [SIZE,SIZE…]]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicFactory } from 'ulid';
import { systemClock } from '../src/actors/time/system-clock.ts';
import { readEngineAddress } from '../src/domain/engine-address.ts';
import { openArtifacts } from '../src/stores/artifacts.ts';
import { openPostgresStore } from '../src/stores/postgres/store.ts';
import type { CommitEntry } from '../src/stores/store.ts';
import { recordOf, shortLog } from '../test/stores/samples.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { median } from './table.ts';

const commits = Number(process.argv[2] ?? 1000);
const sizes = (process.argv[3] ?? '1,10,30,100').split(',').map(Number);
/** A commit of many entries is made less often. */
const mostEntries = 20_000;

const engine = await startPostgres();
const folder = await mkdtemp(join(tmpdir(), 'spear-bench-commits-'));
const nextId = monotonicFactory();

function completed(): CommitEntry {
  const executionId = `exec_${nextId()}`;
  return {
    ...{ executionId, expectedLastSequence: 0, events: shortLog() },
    record: recordOf(executionId, 'completed'),
  };
}

/** Microseconds that a process was on a processor, as Linux's schedstat has it. */
function usedUs(pid: number): number {
  const [ns] = readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ');
  return Number(ns) / 1000;
}

async function measure(
  what: string,
  times: number,
  sessionOf: () => Promise<number>,
  act: () => Promise<unknown>,
) {
  // Plans are made, and files grow.
  for (let each = 0; each < 50; each++) await act();
  const pid = await sessionOf();
  const tookUs: number[] = [];
  const [before, ownBefore] = [usedUs(pid), process.cpuUsage()];
  for (let each = 0; each < times; each++) {
    const begun = performance.now();
    await act();
    tookUs.push((performance.now() - begun) * 1000);
  }
  const own = process.cpuUsage(ownBefore);
  const of = (us: number) => (us / times).toFixed(0);
  const node = of(own.user + own.system);
  console.log(
    `${what}: median ${median(tookUs).toFixed(0)} µs, processor time of the session ${of(usedUs(pid) - before)} µs, of this process ${node} µs`,
  );
}

try {
  const { url, name } = await engine.database();
  const bare = await engine.connect(name);
  await bare.query('CREATE TABLE bare (content text)');
  const content = JSON.stringify(recordOf('exec_1', 'completed'));
  const bareId = async () => Number((await bare.query('SELECT pg_backend_pid() AS pid')).rows[0]?.pid);
  await measure('one row without an index', commits, bareId, () =>
    bare.query({ name: 'bare', text: 'INSERT INTO bare VALUES ($1)', values: [content] }),
  );
  await bare.end();

  const address = readEngineAddress(url);
  if ('wrong' in address) throw new Error(address.wrong);
  const { store } = await openPostgresStore({
    ...{ address, nodeId: 'bench', clock: systemClock },
    facts: { name: 'bench', address: '', labels: {}, capacity: {} },
    files: await openArtifacts(folder),
  });
  const committing = async () => {
    const [row] = await engine.query(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'spear' AND query LIKE 'SELECT commit%'",
    );
    return Number(row?.pid);
  };
  for (const size of sizes) {
    await measure(`${size} executions`, Math.min(commits, Math.ceil(mostEntries / size)), committing, () =>
      store.commit(Array.from({ length: size }, completed)),
    );
  }
  await store.close();
} finally {
  await engine.remove();
  await rm(folder, { recursive: true, force: true });
}
