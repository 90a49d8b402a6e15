import { connect, type ServiceClient } from '../src/client/channel.ts';
import { ExecutionStatus, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { SnapshotService } from '../src/server/gen/spearlet/snapshot_pb.js';
import { register } from './calls.ts';
import { startSpear } from './server.ts';
import { median, printTable, type Row } from './table.ts';

const logBytes = 1024 * 1024;
const goalMs = 20;
const warmUp = 5;
const rounds = 25;

/** One execution with a log of a megabyte: its snapshot from the call to the last byte, and the restore of that. */
export async function snapshotRows(): Promise<Row[]> {
  const spear = await startSpear();
  const connection = connect(spear.grpcAddress);
  const functions = connection.service(FunctionService);
  const snapshots = connection.service(SnapshotService);
  try {
    await register(connection, 'flood', 'misbehaving/flood.wasm');
    const { result } = await functions.invokeFunction({ task: 'flood', args: [String(logBytes)] });
    if (result?.status !== ExecutionStatus.COMPLETED) throw new Error('the flood did not complete');
    const { executionId } = result;
    const times: [snapshot: number[], restore: number[]] = [[], []];
    for (let round = 0; round < warmUp + rounds; round++) {
      const began = performance.now();
      const document = await snapshot(snapshots, executionId);
      const taken = performance.now();
      await functions.deleteExecution({ executionId });
      const deleted = performance.now();
      await restore(snapshots, document);
      if (round < warmUp) continue;
      times[0].push(taken - began);
      times[1].push(performance.now() - deleted);
    }
    return [row('snapshot', times[0]), row('restore', times[1])];
  } finally {
    connection.close();
    await spear.stop();
  }
}

function row(what: string, times: readonly number[]): Row {
  return {
    what: `${what} of an execution with a log of 1 MiB, median ms`,
    spear: median(times).toFixed(1),
    limit: String(goalMs),
    ratio: median(times) / goalMs,
    goal: '<= 1',
  };
}

async function snapshot(
  snapshots: ServiceClient<typeof SnapshotService>,
  executionId: string,
): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const { step } of snapshots.snapshotExecution({ executionId })) {
    if (step.case === 'data') parts.push(step.value);
  }
  return parts;
}

/** Resolves when the execution is durable again. */
async function restore(
  snapshots: ServiceClient<typeof SnapshotService>,
  document: readonly Uint8Array[],
): Promise<void> {
  async function* requests() {
    yield { step: { case: 'options' as const, value: {} } };
    for (const value of document) yield { step: { case: 'data' as const, value } };
  }
  await snapshots.restoreExecution(requests());
}

if (import.meta.main) printTable(await snapshotRows());
