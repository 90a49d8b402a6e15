/**
 * Memory of one pending execution: a node in this process whose only slot is taken, and many executions that wait
 * for it. Run with --expose-gc; prints bytes for each as JSON.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/cli/client.ts';
import { resolveConfig } from '../src/config.ts';
import { startNode } from '../src/node/node.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { openLog } from '../src/telemetry/logger.ts';
import { register } from './calls.ts';

const waiting = 10_000;
const dataDir = await mkdtemp(join(tmpdir(), 'spear-bench-'));
const config = resolveConfig({
  dataDir,
  grpcAddress: '127.0.0.1:0',
  httpAddress: '127.0.0.1:0',
  slots: '1',
  drainMs: '0',
});
const node = await startNode(config, openLog({ level: 'silent', format: 'json' }));
const connection = connect(node.grpcAddress);
const functions = connection.service(FunctionService);
await register(connection, 'loop', 'misbehaving/loop.wasm');
const request = { task: 'loop', executionMode: ExecutionMode.ASYNC, input: Buffer.alloc(100) };
for (let i = 0; i < 100; i++) await functions.invokeFunction(request);

const before = await used();
for (let sent = 0; sent < waiting; sent += 100) {
  await Promise.all(Array.from({ length: 100 }, () => functions.invokeFunction(request)));
}
const after = await used();
process.stdout.write(`${JSON.stringify({ bytesEach: (after - before) / waiting })}\n`);
connection.close();
await node.drain();
await rm(dataDir, { recursive: true, force: true });

/** Heap and buffers after two collections, so that what only waits to be freed does not count. */
async function used(): Promise<number> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
