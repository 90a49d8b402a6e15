/**
 * What schedules cost that are not due: processor time of an idle node that has 10 000, beside one that has none, and
 * how long a node with 100 000 takes to start, beside one that has none.
 *
 *     node bench/schedules.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../src/client/channel.ts';
import { ScheduleService } from '../src/server/gen/spearlet/schedule_pb.js';
import { openSqliteStore } from '../src/stores/sqlite/store.ts';
import { register } from './calls.ts';
import { processorTime } from './processor-time.ts';
import { startSpear } from './server.ts';

const [many, most] = [10_000, 100_000];
const idleMs = 30_000;

/** One schedule, made over the wire as the others are, and its rows. */
async function sample(dataDir: string) {
  const spear = await startSpear({ SPEAR_DATA_DIR: dataDir });
  const connection = connect(spear.grpcAddress, spear.credentials);
  await register(connection, 'noop', 'noop/noop.wasm');
  const invocation = { task: 'noop', functionName: 'noop' };
  const when = { case: 'cron', value: '0 0 1 1 *' } as const;
  await connection.service(ScheduleService).createSchedule({ definition: { name: 's', invocation, when } });
  connection.close();
  await spear.stop();
}

/** Copies of it under other names, due in months. */
async function fill(dataDir: string, count: number): Promise<void> {
  const store = await openSqliteStore({ dataDir });
  const kinds = ['schedule', 'schedule_call'];
  const rows = await Promise.all(kinds.map((kind) => store.row({ kind, tenant: 'default', key: 's' })));
  for (let first = 0; first < count; first += 1000) {
    const copies = Array.from({ length: 1000 }, (_, index) => `s${first + index}`).flatMap((key) =>
      rows.flatMap((row) => {
        if (row === undefined) throw new Error('there is no schedule to copy');
        return { ...row, key, value: row.value.replace('"name":"s"', `"name":"${key}"`) };
      }),
    );
    await store.saveRows(copies);
  }
  await store.close();
}

async function idlePercent(dataDir: string): Promise<number> {
  const spear = await startSpear({ SPEAR_DATA_DIR: dataDir });
  await sleep(5000);
  const before = processorTime(spear.pid).node;
  await sleep(idleMs);
  const used = processorTime(spear.pid).node - before;
  await spear.stop();
  return used / 10 / idleMs;
}

async function startMs(dataDir: string): Promise<number> {
  const begun = performance.now();
  const spear = await startSpear({ SPEAR_DATA_DIR: dataDir });
  const ms = performance.now() - begun;
  await spear.stop();
  return ms;
}

const [none, some, full] = await Promise.all(
  [0, 1, 2].map(() => mkdtemp(join(tmpdir(), 'spear-bench-schedules-'))),
);
try {
  for (const dataDir of [none, some, full]) await sample(dataDir ?? '');
  await fill(some ?? '', many);
  await fill(full ?? '', most);
  const idle = { without: await idlePercent(none ?? ''), with: await idlePercent(some ?? '') };
  const start = { without: await startMs(none ?? ''), with: await startMs(full ?? '') };
  console.log(`idle, 1 schedule: ${idle.without.toFixed(2)} % of a processor`);
  console.log(`idle, ${many} schedules: ${idle.with.toFixed(2)} % of a processor (goal: under 1 more)`);
  console.log(`start, 1 schedule: ${start.without.toFixed(0)} ms`);
  console.log(`start, ${most} schedules: ${start.with.toFixed(0)} ms`);
  process.exitCode = idle.with - idle.without < 1 ? 0 : 1;
} finally {
  for (const dataDir of [none, some, full]) await rm(dataDir ?? '', { recursive: true, force: true });
}
