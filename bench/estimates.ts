/**
 * How far estimates are from what came: two functions of different length that arrive at a steady pace, more than the
 * slots can take for a while, so that most of them queue. Alone: `node bench/estimates.ts`.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { connect, type ServiceClient } from '../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { startSpear } from './server.ts';
import { median, meets, printTable, type Row } from './table.ts';

const tasks = [
  { name: 'short', args: ['2', '20'] },
  { name: 'long', args: ['5', '50'] },
];
const warmUp = 10;
const calls = 160;
const paceMs = 20;

export async function estimateRow(): Promise<Row> {
  const spear = await startSpear({ SPEAR_SLOTS: '4' });
  const connection = connect(spear.grpcAddress);
  try {
    const functions = connection.service(FunctionService);
    const value = await readFile(new URL('../examples/ticker/ticker.wasm', import.meta.url));
    for (const { name, args } of tasks) {
      await connection.service(TaskService).registerTask({
        definition: {
          name,
          args,
          runtime: RuntimeKind.WASM,
          artifact: { source: { case: 'content', value } },
        },
      });
      for (let n = 0; n < warmUp; n++) await functions.invokeFunction({ task: name });
    }
    const errors = await errorsOf(functions);
    const ratio = median(errors);
    return {
      what: `estimate of an execution in a queue, median error of ${calls}, %`,
      spear: (100 * ratio).toFixed(0),
      limit: '100',
      ratio,
      goal: '<= 0.3',
    };
  } finally {
    connection.close();
    await spear.stop();
  }
}

/** Of each call: how far the estimate was off, as a part of the time from there to its end. */
async function errorsOf(functions: ServiceClient<typeof FunctionService>): Promise<number[]> {
  const ends: Promise<number>[] = [];
  for (let n = 0; n < calls; n++) {
    const task = tasks[n % tasks.length]?.name ?? '';
    const { executionId, estimatedCompletionMs } = await functions.invokeFunction({
      task,
      executionMode: ExecutionMode.ASYNC,
    });
    ends.push(
      functions.waitExecution({ executionId }).then(({ result }) => {
        const { createdAt, completedAt } = result ?? {};
        if (createdAt === undefined || completedAt === undefined)
          throw new Error(`${executionId} has not ended`);
        const tookMs = Math.max(1, timestampMs(completedAt) - timestampMs(createdAt));
        return Math.abs(Number(estimatedCompletionMs) - tookMs) / tookMs;
      }),
    );
    await sleep(paceMs);
  }
  return Promise.all(ends);
}

if (import.meta.main) {
  const row = await estimateRow();
  printTable([row]);
  process.exitCode = meets(row) ? 0 : 1;
}
