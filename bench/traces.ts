/**
 * Sync no-ops with traces of a tenth of them, against the same without, in turn on two nodes. The receiver takes
 * everything, in a process of its own. Wants h2load.
 *
 *     node bench/traces.ts [ROUNDS [PART]]
 *
 * PART is the part of the calls that is traced, a tenth without it; 0 is an exporter that has nothing to do.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { invocation, invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { inTurn, pairRow } from './rounds.ts';
import { type BenchServer, startSpear } from './server.ts';
import { printTable } from './table.ts';

const requests = 5000;
const inFlight = 256;

if (process.argv[2] === 'receiver') receive();
else await measure(Number(process.argv[2] ?? 4), process.argv[3] ?? '0.1');

/** Reads what comes and takes it. */
function receive(): void {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end('{}'));
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function measure(rounds: number, part: string): Promise<void> {
  const receiver = fork(import.meta.filename, ['receiver']);
  const [port] = (await once(receiver, 'message')) as [number];
  const options = { SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' };
  const [plain, traced] = await Promise.all([
    startSpear(options),
    startSpear({ ...options, SPEAR_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, SPEAR_TRACE_SAMPLE: part }),
  ]);
  try {
    for (const server of [plain, traced]) {
      const connection = connect(server.grpcAddress, server.credentials);
      await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
      connection.close();
    }
    const pairs = await inTurn(plain, traced, loaded, rounds);
    const name = `sync no-op, ${inFlight} in flight, ${part} of the calls traced, against none`;
    printTable([
      pairRow(
        `${name}, calls/s`,
        pairs.map(([one, other]) => [one.requestsPerSecond, other.requestsPerSecond] as const),
        '>= 0.95',
      ),
      pairRow(
        `${name}, processor time, µs`,
        pairs.map(([one, other]) => [one.us, other.us] as const),
        '',
      ),
    ]);
  } finally {
    await Promise.all([plain.stop(), traced.stop()]);
    receiver.kill();
  }
}

async function loaded(server: BenchServer) {
  const before = processorTime(server.pid).all;
  const { requestsPerSecond, answered } = await load({
    ...{ address: server.grpcAddress, path: invokePath, message: invocation(ExecutionMode.SYNC) },
    ...{ requests, inFlight },
    ...(server.credentials.token !== undefined && { token: server.credentials.token }),
  });
  if (answered !== requests) throw new Error(`${answered} of ${requests} calls were answered`);
  return { requestsPerSecond, us: (processorTime(server.pid).all - before) / requests };
}
