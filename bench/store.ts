/**
 * Commits executions that are created and completed in one entry of three small events, and prints how many
 * a second the embedded store takes, what an entry costs in CPU, and how long a commit blocks.
 *
 *     node bench/store.ts --seconds 3 --sizes 1,10,25,100 --dir /tmp
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { monotonicFactory } from 'ulid';
import { openSqliteStore } from '../src/stores/sqlite/store.ts';
import type { CommitEntry } from '../src/stores/store.ts';
import { recordOf, shortLog } from '../test/stores/samples.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '1,10,25,100' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const nextId = monotonicFactory();
for (const size of values.sizes.split(',').map(Number)) await measure(size, Number(values.seconds) * 1000);

async function measure(size: number, durationMs: number): Promise<void> {
  const dataDir = await mkdtemp(join(values.dir, 'spear-bench-'));
  const store = await openSqliteStore({ dataDir });
  const tookMs: number[] = [];
  const cpuBefore = process.cpuUsage();
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    const entries = Array.from({ length: size }, () => completed(`exec_${nextId()}`));
    const start = performance.now();
    await store.commit(entries);
    tookMs.push(performance.now() - start);
  }
  const cpu = process.cpuUsage(cpuBefore);
  await store.close();
  await rm(dataDir, { recursive: true });

  const count = tookMs.length * size;
  const busyMs = tookMs.reduce((sum, one) => sum + one, 0);
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => (tookMs[Math.floor((tookMs.length - 1) * share)] ?? 0).toFixed(2);
  console.log(
    `${size} a commit: ${Math.round((count / busyMs) * 1000)} entries/s,`,
    `${((cpu.user + cpu.system) / count).toFixed(1)} µs CPU an entry,`,
    `commit p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)} ms`,
  );
}

function completed(executionId: string): CommitEntry {
  const record = recordOf(executionId, 'completed');
  return { executionId, expectedLastSequence: 0, events: shortLog(), record };
}
