import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { register } from './calls.ts';
import type { BenchServer } from './server.ts';
import type { Row } from './table.ts';

const rounds = 10;

/** How long after its deadline an endless loop is gone; the slowest of several. */
export async function deadlineRow(spear: BenchServer): Promise<Row> {
  const connection = connect(spear.grpcAddress);
  await register(connection, 'loop', 'misbehaving/loop.wasm');
  const totalMs = 200;
  let worst = 0;
  for (let round = 0; round < rounds; round++) {
    const { result } = await connection
      .service(FunctionService)
      .invokeFunction({ task: 'loop', timeouts: { total: durationFromMs(totalMs) } });
    const whole = Number(result?.queueTimeMs ?? 0n) + (result?.executionTimeMs ?? Number.NaN);
    worst = Math.max(worst, whole - totalMs);
  }
  connection.close();
  return {
    what: 'endless loop, gone after its deadline, ms',
    spear: worst.toFixed(0),
    limit: '100',
    ratio: worst / 100,
    goal: '<= 1',
  };
}

/** Memory of one pending execution, in a node of its own. */
export async function pendingRow(): Promise<Row> {
  const script = fileURLToPath(new URL('./pending.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  const { bytesEach } = JSON.parse(stdout) as { readonly bytesEach: number };
  return {
    what: 'memory of a pending execution, KB',
    spear: (bytesEach / 1024).toFixed(1),
    limit: '12',
    ratio: bytesEach / 1024 / 12,
    goal: '<= 1',
  };
}
