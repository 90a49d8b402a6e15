import { rm } from 'node:fs/promises';
import { expect, onTestFinished } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type ChildServer, spawnServer, temporaryDataDir } from '../support/server.ts';

export const cleanExit = { code: 0, signal: null };

export async function dataFolder(): Promise<string> {
  const dataDir = await temporaryDataDir();
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

export async function spawn(
  dataDir: string,
  flags: ConfigFlags = {},
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<ChildServer> {
  const server = await spawnServer(dataDir, flags, [], env, process.getuid?.(), wrapper);
  onTestFinished(async () => void (await server.end('SIGKILL')));
  return server;
}

export async function start(
  server: ChildServer,
  request: Parameters<typeof server.functions.invokeFunction>[0],
): Promise<string> {
  const started = await server.functions.invokeFunction({
    ...request,
    executionMode: ExecutionMode.ASYNC,
  } as typeof request);
  return started.executionId;
}

export async function untilState(server: ChildServer, executionId: string, state: string): Promise<void> {
  const now = async () => (await server.functions.getExecutionStatus({ executionId })).result?.state;
  await expect.poll(now).toBe(state);
}
