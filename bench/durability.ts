import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from '../src/client/channel.ts';
import { ExecutionStatus, InvokeFunctionRequestSchema } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { count, invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { inTurn, pairRow } from './rounds.ts';
import { type BenchServer, startSpear } from './server.ts';
import type { Row } from './table.ts';

/** Few enough for a store in memory to hold all rounds. */
const requests = 15_000;
const inFlight = 256;
const rounds = 5;
const message = toBinary(
  InvokeFunctionRequestSchema,
  create(InvokeFunctionRequestSchema, { task: 'noop', functionName: 'noop' }),
);

/** What durability costs: sync no-op calls against the same server with the store in memory. */
export async function durabilityRow(spear: BenchServer, slots: string): Promise<Row> {
  const forgetful = await startForgetful(slots);
  try {
    const pairs = await inTurn(forgetful, spear, callsPerSecond, rounds);
    return pairRow('sync no-op, 256 in flight, calls/s, against the store in memory', pairs, '>= 0.75');
  } finally {
    await forgetful.stop();
  }
}

async function startForgetful(slots: string): Promise<BenchServer> {
  const server = await startSpear({ SPEAR_SLOTS: slots }, './forgetful-server.ts');
  const connection = connect(server.grpcAddress);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
  return server;
}

async function callsPerSecond({ grpcAddress: address }: BenchServer): Promise<number> {
  const since = Date.now();
  const { requestsPerSecond } = await load({ address, path: invokePath, message, requests, inFlight });
  const connection = connect(address);
  const done = await count(connection, since, [ExecutionStatus.COMPLETED]);
  connection.close();
  if (done !== requests) throw new Error(`${done} of ${requests} calls were completed`);
  return requestsPerSecond;
}
