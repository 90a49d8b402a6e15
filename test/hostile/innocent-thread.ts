/** Runs the innocent calls in a thread of their own: what attackers send and print keeps them waiting nowhere but at the node. */
import { parentPort, workerData } from 'node:worker_threads';
import { connect } from '../../src/client/channel.ts';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { Random } from '../crash/random.ts';
import type { InnocentAnswer, InnocentOrder } from './innocent-caller.ts';
import { InnocentLoad } from './innocents.ts';

const { grpcAddress, seed } = workerData as { readonly grpcAddress: string; readonly seed: number };
const random = new Random(seed);
const connection = connect(grpcAddress);
const load = new InnocentLoad(connection.service(FunctionService), random.fork());

async function obey(order: InnocentOrder): Promise<InnocentAnswer> {
  if (order.kind === 'phase') load.phase = order.phase;
  if (order.kind === 'burst') await load.burst(order.times, random);
  if (order.kind === 'stop') {
    await load.stop();
    connection.close();
    parentPort?.unref();
  }
  return load.calls;
}

parentPort?.on('message', (order: InnocentOrder) => {
  void obey(order).then((answer) => parentPort?.postMessage(answer));
});
