import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../src/server/gen/spearlet/node_pb.js';

/** What one execution of `noop` adds to the log: admitted, dispatched, its result. */
const eventsEach = 3;
/** A node that cannot keep the pace is not asked for more. */
const maxInFlight = 256;

export interface Pace {
  /** Events that were logged in a second, from its start until now. */
  reached(): Promise<number>;
  stop(): Promise<void>;
}

/** Keeps a node logging so many events a second, as far as it can. */
export async function keepPace(grpcAddress: string, eventsPerSecond: number): Promise<Pace> {
  const connection = connect(grpcAddress);
  const functions = connection.service(FunctionService);
  const position = async () =>
    Number((await connection.service(NodeService).getNode({})).node?.position ?? 0n);
  const first = await position();
  const begun = performance.now();
  const inFlight = new Set<Promise<unknown>>();
  let sent = 0;
  let going = true;
  const drive = async () => {
    while (going) {
      const due = ((performance.now() - begun) / 1000) * (eventsPerSecond / eventsEach);
      for (; sent < due && inFlight.size < maxInFlight; sent += 1) {
        const call = functions.invokeFunction({ task: 'noop', functionName: 'noop' });
        inFlight.add(call);
        void call.finally(() => inFlight.delete(call));
      }
      // What could not be sent is not made up for.
      sent = Math.max(sent, Math.floor(due));
      await pause(20);
    }
  };
  const driven = drive();
  return {
    async reached() {
      const seconds = (performance.now() - begun) / 1000;
      return ((await position()) - first) / seconds;
    },
    async stop() {
      going = false;
      await driven;
      await Promise.all(inFlight);
      connection.close();
    },
  };
}

/** Fills a node with executions that have ended. */
export async function fill(grpcAddress: string, executions: number): Promise<void> {
  const connection = connect(grpcAddress);
  const functions = connection.service(FunctionService);
  let left = executions;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await functions.invokeFunction({ task: 'noop', functionName: 'noop' });
    }
  };
  await Promise.all(Array.from({ length: 128 }, work));
  connection.close();
}
