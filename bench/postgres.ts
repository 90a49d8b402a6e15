/**
 * Sync no-ops of a node on PostgreSQL, against one on SQLite, in turn on the same disk. Wants h2load, root and Debian's
 * postgresql-15.
 *
 *     node bench/postgres.ts [ROUNDS]
 */
import { connect } from '../src/client/channel.ts';
import { ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { startPostgres } from '../test/support/postgres.ts';
import { invocation, invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { inTurn, type Pair, pairRow } from './rounds.ts';
import { type BenchServer, startSpear } from './server.ts';
import { printTable, type Row } from './table.ts';

const rounds = Number(process.argv[2] ?? 3);

async function measured({ grpcAddress, pid }: BenchServer, requests: number, inFlight: number) {
  const message = invocation(ExecutionMode.SYNC);
  const before = processorTime(pid).all;
  const result = await load({ address: grpcAddress, path: invokePath, message, requests, inFlight });
  if (result.answered !== requests) throw new Error(`${result.answered} of ${requests} calls were answered`);
  return {
    rate: result.requestsPerSecond,
    medianUs: result.medianMicroseconds,
    processorUs: (processorTime(pid).all - before) / requests,
  };
}

type Measured = Awaited<ReturnType<typeof measured>>;

async function rowsOf(
  sqlite: BenchServer,
  postgres: BenchServer,
  requests: number,
  inFlight: number,
): Promise<Row[]> {
  const pairs = await inTurn(sqlite, postgres, (node) => measured(node, requests, inFlight), rounds);
  const of = (key: keyof Measured): Pair<number>[] =>
    pairs.map(([one, other]) => [one[key], other[key]] as const);
  const what = `sync no-op, ${inFlight} in flight, PostgreSQL against SQLite`;
  return [
    pairRow(`${what}, calls/s`, of('rate'), inFlight > 1 ? '>= 0.8' : ''),
    pairRow(`${what}, median µs`, of('medianUs'), inFlight > 1 ? '' : '<= 1.3'),
    pairRow(`${what}, processor time of the node, µs`, of('processorUs'), ''),
  ];
}

const engine = await startPostgres();
const options = { SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' };
const sqlite = await startSpear(options);
const postgres = await startSpear({ ...options, SPEAR_STORE: (await engine.database()).url });
try {
  for (const { grpcAddress } of [sqlite, postgres]) {
    const connection = connect(grpcAddress);
    await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
    connection.close();
  }
  printTable([
    ...(await rowsOf(sqlite, postgres, 10_000, 256)),
    ...(await rowsOf(sqlite, postgres, 1000, 1)),
  ]);
} finally {
  await Promise.all([sqlite.stop(), postgres.stop()]);
  await engine.remove();
}
