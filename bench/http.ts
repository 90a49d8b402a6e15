/**
 * Sync no-ops by plain HTTP (`POST /tasks/noop/noop`), against the same by gRPC, in turn on one node. Wants h2load.
 *
 *     node bench/http.ts [ROUNDS]
 */
import { connect } from '../src/client/channel.ts';
import { ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { invocation, invokePath, register } from './calls.ts';
import { type Load, load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { inTurn, pairRow } from './rounds.ts';
import { startSpear } from './server.ts';
import { printTable } from './table.ts';

const requests = 5000;
const inFlight = 64;
const rounds = Number(process.argv[2] ?? 4);

const spear = await startSpear({ SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' });
try {
  const connection = connect(spear.grpcAddress, spear.credentials);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
  const { token } = spear.credentials;
  const measured = (what: Pick<Load, 'address' | 'path' | 'message' | 'http1'>) => async () => {
    const before = processorTime(spear.pid).all;
    const { requestsPerSecond, answered } = await load({
      ...what,
      ...{ requests, inFlight },
      ...(token !== undefined && { token }),
    });
    if (answered !== requests) throw new Error(`${answered} of ${requests} calls were answered`);
    return { requestsPerSecond, us: (processorTime(spear.pid).all - before) / requests };
  };
  const grpc = measured({
    ...{ address: spear.grpcAddress, path: invokePath, message: invocation(ExecutionMode.SYNC) },
  });
  const http = measured({
    ...{ address: spear.httpAddress, path: '/tasks/noop/noop', message: Buffer.from('{}') },
    http1: 'application/json',
  });
  await grpc();
  await http();
  const pairs = await inTurn(grpc, http, (measure) => measure(), rounds);
  const name = `sync no-op, ${inFlight} in flight, POST /tasks/noop against gRPC`;
  printTable([
    pairRow(
      `${name}, calls/s`,
      pairs.map(([one, other]) => [one.requestsPerSecond, other.requestsPerSecond] as const),
      '>= 0.8',
    ),
    pairRow(
      `${name}, processor time, µs`,
      pairs.map(([one, other]) => [one.us, other.us] as const),
      '',
    ),
  ]);
} finally {
  await spear.stop();
}
