/**
 * Calls of two checkouts in turn: sync no-ops at 256 and at 1 in flight, and the processor time of the node and of all
 * its processes for each call. Wants h2load, and Linux.
 *
 *     node bench/against.ts OTHER-CHECKOUT
 */
import { resolve } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, InvokeFunctionRequestSchema } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { type BenchServer, startSpear } from './server.ts';
import { median } from './table.ts';

const slots = { SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' };
const loads = [
  { inFlight: 256, requests: 40_000, rounds: 6 },
  { inFlight: 1, requests: 4000, rounds: 6 },
];

const [, , other] = process.argv;
if (other === undefined) {
  console.error('usage: node bench/against.ts OTHER-CHECKOUT');
  process.exit(64);
}
const message = toBinary(
  InvokeFunctionRequestSchema,
  create(InvokeFunctionRequestSchema, {
    task: 'noop',
    functionName: 'noop',
    executionMode: ExecutionMode.SYNC,
  }),
);
const servers: [name: string, server: BenchServer][] = [
  ['this', await startSpear(slots)],
  ['other', await startSpear(slots, resolve(other, 'src/main.ts'))],
];
for (const [, server] of servers) {
  const connection = connect(server.grpcAddress);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
}
for (const { inFlight, requests, rounds } of loads) {
  const results = new Map(servers.map(([name]) => [name, { rate: [], node: [], all: [] } as Results]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, server] of round % 2 === 0 ? servers : servers.toReversed()) {
      const before = processorTime(server.pid);
      const { requestsPerSecond } = await load({
        address: server.grpcAddress,
        path: invokePath,
        message,
        requests,
        inFlight,
      });
      const after = processorTime(server.pid);
      results.get(name)?.rate.push(requestsPerSecond);
      results.get(name)?.node.push((after.node - before.node) / requests);
      results.get(name)?.all.push((after.all - before.all) / requests);
    }
  }
  for (const [name, { rate, node, all }] of results) {
    console.log(
      `${inFlight} in flight, ${name}: ${median(rate).toFixed(0)} calls/s, processor time a call ${median(node).toFixed(0)} µs of the node, ${median(all).toFixed(0)} µs in all`,
    );
  }
}
await Promise.all(servers.map(([, server]) => server.stop()));

interface Results {
  readonly rate: number[];
  readonly node: number[];
  readonly all: number[];
}
