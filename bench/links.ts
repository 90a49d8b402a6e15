/**
 * How long after its acknowledgement on one node an event is heard on another: executions that are started on one and
 * followed on the other, and each first event that comes after a cancel was answered. Wants Debian's postgresql-15.
 *
 *     node bench/links.ts [EVENTS]
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { startPostgres } from '../test/support/postgres.ts';
import { register } from './calls.ts';
import { startSpear } from './server.ts';
import { printTable, type Row } from './table.ts';

const count = Number(process.argv[2] ?? 400);

const folder = await mkdtemp(join(tmpdir(), 'spear-bench-links-'));
const secret = join(folder, 'secret');
await writeFile(secret, randomBytes(32).toString('base64'));
const engine = await startPostgres();
const options = {
  SPEAR_STORE: (await engine.database()).url,
  SPEAR_CLUSTER_LISTEN: '127.0.0.1:0',
  SPEAR_CLUSTER_SECRET_FILE: secret,
};
const one = await startSpear({ ...options, SPEAR_NODE_NAME: 'one' });
const two = await startSpear({ ...options, SPEAR_NODE_NAME: 'two' });
const [near, far] = [connect(one.grpcAddress), connect(two.grpcAddress)];
try {
  await register(near, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  const [owner, other] = [near.service(FunctionService), far.service(FunctionService)];
  const delays: number[] = [];
  for (let event = 0; event < count; event++) {
    // It waits for its start: what is acknowledged is the change that is asked for.
    const { executionId } = await owner.invokeFunction({
      task: 'noop',
      executionMode: ExecutionMode.ASYNC,
      startAfter: { seconds: 1000n },
    });
    const heard = Promise.withResolvers<number>();
    const held = Promise.withResolvers<void>();
    const following = (async () => {
      for await (const { event: what } of other.watchExecution({ executionId })) {
        if (what.case === 'result') heard.resolve(performance.now());
        else if (what.case === 'transition' && what.value.to === 'pending.held') held.resolve();
      }
    })();
    await owner.suspendExecution({ executionId });
    // Once this is heard there, it is followed.
    await held.promise;
    await owner.cancelExecution({ executionId });
    const acknowledged = performance.now();
    delays.push((await heard.promise) - acknowledged);
    await following;
  }
  delays.sort((a, b) => a - b);
  const at = (share: number): number => delays[Math.floor(share * (delays.length - 1))] ?? 0;
  const row = (what: string, value: number, limit: number): Row => ({
    ...{ what: `heard on another node after the acknowledgement, ${what}, ms`, goal: '<= 1' },
    ...{ spear: value.toFixed(2), limit: String(limit), ratio: value / limit },
  });
  printTable([row('median', at(0.5), 1), row('p99', at(0.99), 10)]);
} finally {
  near.close();
  far.close();
  await Promise.all([one.stop(), two.stop()]);
  await engine.remove();
  await rm(folder, { recursive: true, force: true });
}
