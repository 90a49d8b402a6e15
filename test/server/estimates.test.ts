import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer, temporaryDataDir } from '../support/server.ts';

async function dataFolder(): Promise<string> {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** What was guessed, and what it took, in milliseconds. */
async function run(server: LocalServer) {
  const { executionId, estimatedCompletionMs } = await server.functions.invokeFunction({
    task: 'ticker',
    executionMode: ExecutionMode.ASYNC,
  });
  const { result } = await server.functions.waitExecution({ executionId });
  return { estimate: Number(estimatedCompletionMs), took: Math.ceil(result?.executionTimeMs ?? 0) };
}

test('a node that starts again knows how long its functions take', async () => {
  const dataDir = await dataFolder();
  const first = await startServer({ dataDir });
  await first.register('ticker', 'ticker/ticker.wasm', { args: ['3', '50'] });
  const unknown = await run(first);
  // Five seconds, less what has passed, or at least as much.
  expect(unknown.estimate).toBeGreaterThanOrEqual(2500);
  await first.node.drain();
  first.connection.close();
  const second = await startServer({ dataDir });
  onTestFinished(() => second.stop());
  const { estimate } = await run(second);
  expect(estimate).toBeGreaterThanOrEqual(1);
  expect(estimate).toBeLessThanOrEqual(unknown.took);
});

test('a node starts where what it wrote down is damaged, says so, and learns anew', async () => {
  const dataDir = await dataFolder();
  await writeFile(join(dataDir, 'durations.json'), '{"version":1,"dur');
  const server = await startServer({ dataDir });
  onTestFinished(() => server.stop());
  expect(server.log.map(({ msg }) => msg)).toContain(
    'how long functions took is not known any more; it is learned anew',
  );
  await server.register('ticker', 'ticker/ticker.wasm', { args: ['1', '1'] });
  expect((await run(server)).estimate).toBeGreaterThanOrEqual(2500);
});
