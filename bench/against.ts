/**
 * Calls of two checkouts in turn: sync no-ops at 256 and at 1 in flight, and the processor time of the node and of all
 * its processes for each call. Wants h2load, and Linux.
 *
 *     node bench/against.ts OTHER-CHECKOUT
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from '../src/cli/client.ts';
import { ExecutionMode, InvokeFunctionRequestSchema } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { type BenchServer, startSpear } from './server.ts';
import { median } from './table.ts';

/** Microseconds of one of the kernel's clock ticks. */
const tickUs = 10_000;
const slots = { SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' };
const loads = [
  { inFlight: 256, requests: 40_000, rounds: 6 },
  { inFlight: 1, requests: 4000, rounds: 6 },
];

interface Ticks {
  readonly parent: number;
  readonly used: number;
}

function allTicks(): Map<number, Ticks> {
  const found = new Map<number, Ticks>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      found.set(Number(name), { parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Clock ticks of the process, and of it with all that it has started; what has ended does not count. */
function ticksOf(pid: number): { readonly node: number; readonly all: number } {
  const ticks = allTicks();
  const belongs = (each: number): boolean => {
    for (let at = each; at > 1; at = ticks.get(at)?.parent ?? 0) if (at === pid) return true;
    return false;
  };
  const all = [...ticks].reduce((sum, [each, { used }]) => sum + (belongs(each) ? used : 0), 0);
  return { node: ticks.get(pid)?.used ?? 0, all };
}

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
      const before = ticksOf(server.pid);
      const { requestsPerSecond } = await load({
        address: server.grpcAddress,
        path: invokePath,
        message,
        requests,
        inFlight,
      });
      const after = ticksOf(server.pid);
      results.get(name)?.rate.push(requestsPerSecond);
      results.get(name)?.node.push(((after.node - before.node) * tickUs) / requests);
      results.get(name)?.all.push(((after.all - before.all) * tickUs) / requests);
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
