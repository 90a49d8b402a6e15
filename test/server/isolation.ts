import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import {
  ExecutionMode,
  ExecutionStatus,
  type StreamExecutionResult,
} from '../../src/server/gen/spearlet/function_pb.js';
import { type ChildServer, temporaryDataDir } from '../support/server.ts';
import { collect } from './collect.ts';
import { spawnMeasured } from './measured.ts';

export const mebibyte = 1024 * 1024;
const slots = 4;
export const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** A server in a process of its own, which the tests of this file may measure. */
export let server: ChildServer;
let dataDir: string;

export function withMeasuredServer(): void {
  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    server = await spawnMeasured(dataDir, { slots: String(slots), logLevel: 'info' });
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('typed', 'typed/typed.wasm');
    await server.register('exit', 'misbehaving/exit.wasm');
    await server.register('flood', 'misbehaving/flood.wasm');
  });

  afterAll(async () => {
    const exit = await server.end('SIGTERM');
    await rm(dataDir, { recursive: true, force: true });
    expect(server.output.filter((entry) => entry.includes('bug:'))).toEqual([]);
    expect(exit).toEqual({ code: 0, signal: null });
  });
}

export async function start(request: Parameters<typeof server.functions.invokeFunction>[0]): Promise<string> {
  const started = await server.functions.invokeFunction({
    ...request,
    executionMode: ExecutionMode.ASYNC,
  } as typeof request);
  return started.executionId;
}

export async function log(executionId: string): Promise<StreamExecutionResult[]> {
  return collect(server.functions.watchExecution({ executionId }));
}

export function stateOf(executionId: string) {
  return async () => (await server.functions.getExecutionStatus({ executionId })).result?.state;
}

export async function ping(): Promise<void> {
  const { result } = await server.functions.invokeFunction({ task: 'typed', functionName: 'ping' });
  expect(result?.status).toBe(ExecutionStatus.COMPLETED);
}

/** Takes every slot until the test is over, or until the answer is called. */
export async function occupy(): Promise<() => Promise<void>> {
  const ids = await Promise.all(Array.from({ length: slots }, () => start({ task: 'loop' })));
  const release = async () => {
    for (const executionId of ids) await server.functions.cancelExecution({ executionId });
    for (const executionId of ids) await server.functions.waitExecution({ executionId });
  };
  onTestFinished(release);
  for (const executionId of ids) await expect.poll(stateOf(executionId)).toBe('running.attempting');
  return release;
}
