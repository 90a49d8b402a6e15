import { readFile } from 'node:fs/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Connection, connect } from '../src/cli/client.ts';
import {
  ExecutionMode,
  ExecutionStatus,
  FunctionService,
  InvokeFunctionRequestSchema,
} from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy, RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { load } from './h2load.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';

export const invokePath = `/${FunctionService.typeName}/${FunctionService.method.invokeFunction.name}`;

export async function register(
  connection: Connection,
  name: string,
  file: string,
  instancePolicy = InstancePolicy.FRESH,
): Promise<void> {
  const value = await readFile(new URL(`../examples/${file}`, import.meta.url));
  await connection.service(TaskService).registerTask({
    definition: {
      name,
      runtime: RuntimeKind.WASM,
      artifact: { source: { case: 'content', value } },
      instancePolicy,
    },
  });
}

/** Executions created since `since` (milliseconds since the epoch) that have a status in `statuses`. */
export async function count(
  connection: Connection,
  since: number,
  statuses: readonly ExecutionStatus[],
): Promise<number> {
  const functions = connection.service(FunctionService);
  let total = 0;
  let pageToken = '';
  do {
    const page = await functions.listExecutions({
      statuses: [...statuses],
      createdAfter: timestampFromMs(since),
      pageSize: 1000,
      pageToken,
    });
    total += page.executions.length;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return total;
}

const rounds = 3;

/** Sync no-op calls on a reused instance against the bare server, the two in turn. */
export async function syncRows(bare: BenchServer, spear: BenchServer): Promise<Row[]> {
  const connection = connect(spear.grpcAddress);
  const message = invocation(ExecutionMode.SYNC);
  const rows: Row[] = [];
  for (const [inFlight, requests] of [
    [1, 4000],
    [64, 40_000],
    [256, 40_000],
  ] as const) {
    const rates: number[][] = [[], []];
    const medians: number[][] = [[], []];
    for (let round = 0; round <= rounds; round++) {
      for (const [index, server] of [bare, spear].entries()) {
        const since = Date.now();
        const result = await load({
          address: server.grpcAddress,
          path: invokePath,
          message,
          requests,
          inFlight,
        });
        if (server === spear) {
          const done = await count(connection, since, [ExecutionStatus.COMPLETED]);
          if (done !== requests) throw new Error(`${done} of ${requests} calls were completed`);
        }
        // The first round warms both up.
        if (round === 0) continue;
        rates[index]?.push(result.requestsPerSecond);
        medians[index]?.push(result.medianMicroseconds);
      }
    }
    const [bareRate, rate] = rates.map(median) as [number, number];
    const [bareTime, time] = medians.map(median) as [number, number];
    rows.push({
      what: `sync no-op, ${inFlight} in flight, calls/s`,
      spear: rate.toFixed(0),
      limit: bareRate.toFixed(0),
      ratio: ratioOf(rates),
      goal: inFlight === 256 ? '>= 0.25' : '',
    });
    if (inFlight === 1) {
      rows.push({
        what: 'sync no-op, 1 in flight, median µs',
        spear: time.toFixed(0),
        limit: bareTime.toFixed(0),
        ratio: ratioOf(medians),
        goal: '<= 6',
      });
    }
  }
  connection.close();
  return rows;
}

/** How fast async calls are accepted, all of them durable; what they start runs meanwhile. */
export async function asyncRow(bare: BenchServer, spear: BenchServer): Promise<Row> {
  const connection = connect(spear.grpcAddress);
  const message = invocation(ExecutionMode.ASYNC);
  const requests = 20_000;
  const rates: number[][] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    for (const [index, server] of [bare, spear].entries()) {
      const since = Date.now();
      const result = await load({
        address: server.grpcAddress,
        path: invokePath,
        message,
        requests,
        inFlight: 256,
      });
      if (server === spear) {
        let done = 0;
        while (done < requests) done = await count(connection, since, [ExecutionStatus.COMPLETED]);
      }
      if (round > 0) rates[index]?.push(result.requestsPerSecond);
    }
  }
  connection.close();
  const [bareRate, rate] = rates.map(median) as [number, number];
  return {
    what: 'async accept, 256 in flight, calls/s',
    spear: rate.toFixed(0),
    limit: bareRate.toFixed(0),
    ratio: ratioOf(rates),
    goal: '',
  };
}

/** The median of the ratios of each round's pair: [limit, spear]. */
function ratioOf(pairs: readonly number[][]): number {
  const [limits = [], values = []] = pairs;
  return median(values.map((value, index) => value / (limits[index] ?? Number.NaN)));
}

function invocation(mode: ExecutionMode): Uint8Array {
  return toBinary(
    InvokeFunctionRequestSchema,
    create(InvokeFunctionRequestSchema, { task: 'noop', functionName: 'noop', executionMode: mode }),
  );
}
