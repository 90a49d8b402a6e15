import { readFile } from 'node:fs/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Connection, connect } from '../src/client/channel.ts';
import {
  ExecutionMode,
  ExecutionStatus,
  FunctionService,
  InvokeFunctionRequestSchema,
} from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy, RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { hopMicroseconds, syncMicroseconds } from './floor.ts';
import { load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { inTurn, pairRow } from './rounds.ts';
import type { BenchServer } from './server.ts';
import type { Row } from './table.ts';

export const invokePath = `/${FunctionService.typeName}/${FunctionService.method.invokeFunction.name}`;

export async function register(
  connection: Connection,
  name: string,
  file: string,
  instancePolicy = InstancePolicy.FRESH,
  /** Of its results that are kept, in milliseconds; 0 keeps none. */
  ttlMs = 0,
): Promise<void> {
  const value = await readFile(new URL(`../examples/${file}`, import.meta.url));
  await connection.service(TaskService).registerTask({
    definition: {
      name,
      runtime: RuntimeKind.WASM,
      artifact: { source: { case: 'content', value } },
      instancePolicy,
      ...(ttlMs > 0 && { cache: { ttl: durationFromMs(ttlMs) } }),
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

/** Sync no-op calls on a reused instance against the bare server. */
export async function syncRows(bare: BenchServer, spear: BenchServer): Promise<Row[]> {
  const connection = connect(spear.grpcAddress);
  const message = invocation(ExecutionMode.SYNC);
  const rows: Row[] = [];
  for (const [inFlight, requests, rounds] of [
    // A single call waits for threads to wake and the disk to sync, which vary more than anything else here.
    [1, 4000, 11],
    [64, 40_000, 3],
    [256, 40_000, 3],
  ] as const) {
    const measure = async (server: BenchServer) => {
      const since = Date.now();
      const address = server.grpcAddress;
      const before = processorTime(server.pid).all;
      const result = await load({ address, path: invokePath, message, requests, inFlight });
      const processorUs = (processorTime(server.pid).all - before) / requests;
      if (server === spear) {
        const done = await count(connection, since, [ExecutionStatus.COMPLETED]);
        if (done !== requests) throw new Error(`${done} of ${requests} calls were completed`);
      }
      return {
        ...result,
        processorUs,
        diskAndHopUs: inFlight === 1 ? (await syncMicroseconds()) + (await hopMicroseconds()) : 0,
      };
    };
    const pairs = await inTurn(bare, spear, measure, rounds);
    if (inFlight !== 64) {
      const times = pairs.map(([a, b]) => [a.processorUs, b.processorUs] as const);
      const goal = inFlight === 256 ? '<= 3.2' : '';
      rows.push(pairRow(`sync no-op, ${inFlight} in flight, processor time, µs`, times, goal));
    }
    const rates = pairs.map(([a, b]) => [a.requestsPerSecond, b.requestsPerSecond] as const);
    const rateGoal = inFlight === 256 ? '>= 0.42' : '';
    rows.push(pairRow(`sync no-op, ${inFlight} in flight, calls/s`, rates, rateGoal));
    if (inFlight === 1) {
      const times = pairs.map(([a, b]) => [a.medianMicroseconds, b.medianMicroseconds] as const);
      rows.push(pairRow('sync no-op, 1 in flight, median µs', times, ''));
      const floors = pairs.map(
        ([a, b]) => [a.medianMicroseconds + a.diskAndHopUs, b.medianMicroseconds] as const,
      );
      rows.push(pairRow('the same, against bare, a sync of the disk and a message', floors, '<= 1.8'));
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
  const rates = await inTurn(bare, spear, async (server) => {
    const since = Date.now();
    const address = server.grpcAddress;
    const result = await load({ address, path: invokePath, message, requests, inFlight: 256 });
    let done = server === spear ? 0 : requests;
    while (done < requests) done = await count(connection, since, [ExecutionStatus.COMPLETED]);
    return result.requestsPerSecond;
  });
  connection.close();
  return pairRow('async accept, 256 in flight, calls/s', rates, '');
}

export function invocation(mode: ExecutionMode, task = 'noop'): Uint8Array {
  return toBinary(
    InvokeFunctionRequestSchema,
    create(InvokeFunctionRequestSchema, { task, functionName: 'noop', executionMode: mode }),
  );
}
