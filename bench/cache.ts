/**
 * A call whose result is there, against one that runs a no-op on a reused instance, in turn on one node.
 *
 *     node bench/cache.ts [ROUNDS]
 */
import { connect } from '../src/client/channel.ts';
import { ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { invocation, invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { inTurn, pairRow } from './rounds.ts';
import { startSpear } from './server.ts';
import { printTable, type Row } from './table.ts';

const rounds = Number(process.argv[2] ?? 3);
const server = await startSpear({ SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' });
try {
  const connection = connect(server.grpcAddress, server.credentials);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  await register(connection, 'cached', 'noop/noop.wasm', InstancePolicy.REUSED, 3_600_000);
  connection.close();
  const rows: Row[] = [];
  for (const [inFlight, requests] of [
    [256, 10_000],
    [1, 1000],
  ] as const) {
    const rate = (task: string) => async () => {
      const message = invocation(ExecutionMode.SYNC, task);
      const { address, path } = { address: server.grpcAddress, path: invokePath };
      return (await load({ address, path, message, requests, inFlight })).requestsPerSecond;
    };
    const pairs = await inTurn(rate('noop'), rate('cached'), (measure) => measure(), rounds);
    rows.push(pairRow(`cached call, ${inFlight} in flight, against a sync no-op, calls/s`, pairs, '>= 0.9'));
  }
  printTable(rows);
} finally {
  await server.stop();
}
