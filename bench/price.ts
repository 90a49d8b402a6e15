/**
 * The rows of the price of a call alone: sync no-ops against the bare server, and a single call against its floor.
 * Wants h2load.
 *
 *     node bench/price.ts
 */
import { connect } from '../src/client/channel.ts';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { register, syncRows } from './calls.ts';
import { startBare, startSpear } from './server.ts';

const bare = await startBare();
const spear = await startSpear({ SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' });
const connection = connect(spear.grpcAddress);
await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
connection.close();
console.table(await syncRows(bare, spear));
await Promise.all([bare.stop(), spear.stop()]);
