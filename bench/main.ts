/**
 * Measures Spear against the raw limit, both in the same run, and prints ratios. Wants h2load (Debian's
 * nghttp2-client) on the PATH; all traffic stays on loopback. Exits 1 where a goal is missed.
 *
 *     npm run bench
 */
import { execFileSync } from 'node:child_process';
import { connect } from '../src/client/channel.ts';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { asyncRow, register, syncRows } from './calls.ts';
import { containerRows } from './containers.ts';
import { durabilityRow } from './durability.ts';
import { estimateRow } from './estimates.ts';
import { fileRows } from './files.ts';
import { freshRow, registrationRow } from './fresh.ts';
import { keyRow } from './keys.ts';
import { deadlineRow, pendingRow } from './limits.ts';
import { processRows } from './processes.ts';
import { recoveryRow } from './recovery.ts';
import { startBare, startSpear } from './server.ts';
import { snapshotRows } from './snapshots.ts';
import { streamRows } from './streams.ts';
import { meets, printTable, type Row } from './table.ts';
import { visualizerRows } from './visualizer.ts';

try {
  execFileSync('h2load', ['--version'], { stdio: 'ignore' });
} catch {
  console.error("bench: h2load is not on the PATH; Debian has it in the package 'nghttp2-client'");
  process.exit(69);
}

const rows: Row[] = [];
const bare = await startBare();
// As many slots as calls in flight: what is measured is the way of a call, not the wait for a slot.
const slots = '256';
const spear = await startSpear({ SPEAR_SLOTS: slots, SPEAR_QUEUE_LIMIT: '100000' });
try {
  const connection = connect(spear.grpcAddress);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
  rows.push(...(await syncRows(bare, spear)));
  rows.push(await asyncRow(bare, spear));
  rows.push(await durabilityRow(spear, slots));
  rows.push(...(await streamRows(bare, spear)));
  rows.push(await registrationRow(spear));
  rows.push(await freshRow(spear));
  rows.push(await deadlineRow(spear));
} finally {
  await Promise.all([bare.stop(), spear.stop()]);
}
rows.push(...(await snapshotRows()));
rows.push(await pendingRow());
rows.push(await keyRow());
rows.push(await estimateRow());
rows.push(await recoveryRow());
rows.push(...(await visualizerRows()));
// Few slots, and nothing else on the machine: what is measured is one start at a time.
const starter = await startSpear({ SPEAR_ALLOW_HOST_ACCESS: 'true', SPEAR_SLOTS: '2' });
try {
  rows.push(...(await fileRows(starter)));
  rows.push(...(await processRows(starter)));
  rows.push(...(await containerRows(starter)));
} finally {
  await starter.stop();
}
printTable(rows);
process.exitCode = rows.every(meets) ? 0 : 1;
