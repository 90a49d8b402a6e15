import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { lockDatabase } from '../crash/disk.ts';
import { spawnServer, temporaryDataDir } from '../support/server.ts';
import { start } from './spear.ts';

test('an answer that waits for the disk says so, and comes with the disk', async () => {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const server = await spawnServer(dataDir);
  onTestFinished(async () => void (await server.end('SIGKILL')));
  await server.register('loop', 'misbehaving/loop.wasm');
  const { executionId } = await server.functions.invokeFunction({
    task: 'loop',
    executionMode: ExecutionMode.ASYNC,
  });
  let unlock: (() => void) | undefined;
  await expect.poll(() => (unlock = lockDatabase(dataDir))).toBeDefined();
  const cancel = start(['cancel', executionId], { address: server.grpcAddress });
  await cancel.says('spear: no answer yet; the server gives it when the change is on its disk');
  unlock?.();
  const ended = await cancel.ended;
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain(`${executionId} is being cancelled`);
});
