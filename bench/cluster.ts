/**
 * Calls a second of two and three nodes on one PostgreSQL against one, all on this machine: functions that sleep 100 ms
 * with 32 slots each, asked of all nodes and of one alone, and no-ops. What is measured is how calls are placed and
 * written, so both are of instances that are used again: a fresh one takes some 4 ms of processor time, which bounds two
 * processors to 400 calls a second however many nodes there are. Wants h2load, root and Debian's postgresql-15.
 *
 *     node bench/cluster.ts [ROUNDS [sleeps|noops]]
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, InvokeFunctionRequestSchema } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { startPostgres } from '../test/support/postgres.ts';
import { invocation, invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { type BenchServer, startSpear } from './server.ts';
import { median, printTable, type Row } from './table.ts';

const rounds = Number(process.argv[2] ?? 3);
const which = process.argv[3] ?? 'both';
const slots = 32;
/** So many calls of functions that sleep, for each node: some seconds. */
const sleepsOfNode = 960;
const noops = 5000;

const engine = await startPostgres();
const folder = await mkdtemp(join(tmpdir(), 'spear-bench-'));
const secret = join(folder, 'secret');
await writeFile(secret, randomBytes(32).toString('base64'));

/** Runs `work` on a cluster of its own. */
async function withNodes<Result>(
  count: number,
  ofNode: number,
  work: (nodes: readonly BenchServer[]) => Promise<Result>,
): Promise<Result> {
  const { url } = await engine.database();
  const nodes: BenchServer[] = [];
  try {
    for (let index = 0; index < count; index++) {
      nodes.push(
        await startSpear({
          ...{ SPEAR_STORE: url, SPEAR_SLOTS: String(ofNode), SPEAR_QUEUE_LIMIT: '100000' },
          ...{ SPEAR_CLUSTER_LISTEN: '127.0.0.1:0', SPEAR_CLUSTER_SECRET_FILE: secret },
        }),
      );
    }
    const connection = connect(nodes[0]?.grpcAddress ?? '');
    await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
    await register(connection, 'sleeper', 'sleeper/sleeper.wasm', InstancePolicy.REUSED);
    connection.close();
    return await work(nodes);
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

interface Rate {
  /** Calls a second. */
  readonly rate: number;
  /** Processor time of all nodes and of the database for each call, in microseconds. */
  readonly us: number;
}

/** Asked of the first so many nodes at once. */
async function rateOf(
  nodes: readonly BenchServer[],
  message: Uint8Array,
  requests: number,
  inFlight: number,
  count = nodes.length,
): Promise<Rate> {
  const asked = nodes.slice(0, count);
  const used = (): number =>
    nodes.reduce((sum, { pid }) => sum + processorTime(pid).all, processorTime(engine.pid()).all);
  const before = used();
  const share = {
    requests: Math.ceil(requests / asked.length),
    inFlight: Math.ceil(inFlight / asked.length),
  };
  const begun = performance.now();
  const results = await Promise.all(
    asked.map(({ grpcAddress }) => load({ address: grpcAddress, path: invokePath, message, ...share })),
  );
  const answered = results.reduce((sum, result) => sum + result.answered, 0);
  if (answered !== share.requests * asked.length) throw new Error(`${answered} calls were answered`);
  return { rate: (answered * 1000) / (performance.now() - begun), us: (used() - before) / answered };
}

const sleep = toBinary(
  InvokeFunctionRequestSchema,
  create(InvokeFunctionRequestSchema, {
    ...{ task: 'sleeper', functionName: 'sleep', executionMode: ExecutionMode.SYNC },
    parameters: { ms: { kind: { case: 'numberValue', value: 100 } } },
  }),
);
const noop = invocation(ExecutionMode.SYNC);

/** What nodes do that sleep: asked of all, and of one alone. */
async function sleeps(count: number): Promise<{ readonly all: Rate; readonly one: Rate }> {
  return withNodes(count, slots, async (nodes) => {
    // Guest hosts are started for all slots.
    await rateOf(nodes, sleep, slots * count * 2, slots * count);
    const all = await rateOf(nodes, sleep, sleepsOfNode * count, slots * count);
    const one = count === 1 ? all : await rateOf(nodes, sleep, sleepsOfNode * count, slots * count, 1);
    return { all, one };
  });
}

async function noopsOf(count: number): Promise<Rate> {
  return withNodes(count, 256, async (nodes) => {
    await rateOf(nodes, noop, 1000, 256);
    return rateOf(nodes, noop, noops, 256);
  });
}

function rowsOf(what: string, rates: readonly Rate[], alone: readonly Rate[], goal: string): Row[] {
  const of = (key: keyof Rate): readonly [number, number] => [
    median(rates.map((each) => each[key])),
    median(alone.map((each) => each[key])),
  ];
  const [[rate, one], [us, usOfOne]] = [of('rate'), of('us')];
  return [
    { what, spear: `${rate.toFixed(0)}/s`, limit: `${one.toFixed(0)}/s`, ratio: rate / one, goal },
    {
      what: '  processor time of nodes and database for each, µs',
      ...{ spear: us.toFixed(0), limit: usOfOne.toFixed(0), ratio: us / usOfOne, goal: '' },
    },
  ];
}

try {
  const asleep: { readonly all: Rate; readonly one: Rate }[][] = [];
  const quick: Rate[][] = [];
  for (let round = 0; round < rounds; round++) {
    for (const count of [1, 2, 3]) {
      if (which !== 'noops') asleep[count] = [...(asleep[count] ?? []), await sleeps(count)];
      if (which !== 'sleeps') quick[count] = [...(quick[count] ?? []), await noopsOf(count)];
    }
  }
  const of = (count: number, key: 'all' | 'one') => (asleep[count] ?? []).map((rates) => rates[key]);
  const rows: Row[] = [];
  if (which !== 'noops') {
    const one = of(1, 'all');
    rows.push(
      ...rowsOf('functions that sleep 100 ms, 2 nodes against 1', of(2, 'all'), one, '>= 1.9'),
      ...rowsOf('the same, 3 nodes', of(3, 'all'), one, '>= 2.8'),
      ...rowsOf('the same, 2 nodes of which one is asked', of(2, 'one'), one, ''),
      ...rowsOf('the same, 3 nodes of which one is asked', of(3, 'one'), one, ''),
    );
  }
  if (which !== 'sleeps') {
    const one = quick[1] ?? [];
    rows.push(
      ...rowsOf('sync no-op, 256 in flight, 2 nodes against 1', quick[2] ?? [], one, '>= 1.1'),
      ...rowsOf('the same, 3 nodes', quick[3] ?? [], one, '>= 0.9'),
    );
  }
  printTable(rows);
} finally {
  await engine.remove();
  await rm(folder, { recursive: true, force: true });
}
