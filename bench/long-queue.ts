/**
 * A long queue of a whole node: no-ops of a reused instance wait behind slots that are taken, and run when they come
 * free. The rate is beside that of a thousand that wait, in the same run, and so is what another tenant's call and an
 * urgent one wait.
 *
 *   node bench/long-queue.ts [WAITING]
 */
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../src/server/gen/spearlet/node_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { register } from './calls.ts';
import { startSpear } from './server.ts';

const waiting = Number(process.argv[2] ?? 100_000);
const measured = 10_000;
const slots = 4;
const inFlight = 256;

const server = await startSpear({ SPEAR_SLOTS: String(slots), SPEAR_QUEUE_LIMIT: '3000000' });
const connection = connect(server.grpcAddress, server.credentials);
const functions = connection.service(FunctionService);
const nodes = connection.service(NodeService);
await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
await register(connection, 'loop', 'misbehaving/loop.wasm');

async function pending(): Promise<number> {
  return Number((await nodes.getNode({})).node?.pending ?? 0);
}

async function occupy(): Promise<readonly string[]> {
  const calls = Array.from({ length: slots }, () =>
    functions.invokeFunction({ task: 'loop', executionMode: ExecutionMode.ASYNC }),
  );
  return (await Promise.all(calls)).map(({ result }) => result?.executionId ?? '');
}

async function send(count: number): Promise<number> {
  const begun = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0)
        await functions.invokeFunction({
          task: 'noop',
          functionName: 'noop',
          executionMode: ExecutionMode.ASYNC,
        });
    }),
  );
  return (count / (performance.now() - begun)) * 1000;
}

async function drain(held: readonly string[], count: number): Promise<number> {
  const before = await pending();
  for (const executionId of held) await functions.cancelExecution({ executionId, reason: 'enough' });
  const begun = performance.now();
  for (;;) {
    const left = await pending();
    if (left <= before - count) return ((before - left) / (performance.now() - begun)) * 1000;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await send(5000);
await drain([], 0);
while ((await pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 100));
for (let round = 0; round < 3; round++) {
  const held = await occupy();
  const short = await send(1000);
  console.log(`1000 waiting: ${short.toFixed(0)} accepted/s, ${(await drain(held, 1000)).toFixed(0)} run/s`);
}
const held = await occupy();
const long = await send(waiting);
console.log(
  `${waiting} waiting: ${long.toFixed(0)} accepted/s, ${(await drain(held, measured)).toFixed(0)} run/s`,
);
connection.close();
await server.stop();
