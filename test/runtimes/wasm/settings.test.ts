import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestError } from '../../../src/domain/errors.ts';
import type { ContainerSettings, Limits, TaskDefinition } from '../../../src/domain/task.ts';
import { run } from '../attempt.ts';
import { readExample, WasmBench, type WasmRuntime } from './fixture.ts';

const bench = new WasmBench();
let runtime: WasmRuntime;
let cat: TaskDefinition;
beforeAll(async () => {
  runtime = await bench.runtime(1);
  cat = bench.task(await readExample('misbehaving/cat'));
});
afterAll(() => bench.close());

const container: ContainerSettings = {
  command: [],
  pull: 'missing',
  network: 'bridge',
  writableRoot: false,
  capabilities: [],
  tmpfsSize: 1,
  allowNewPrivileges: false,
};
const files = { preopens: { '/data': '/tmp' } };

function limited(limits: Partial<Limits>, rest: Partial<TaskDefinition> = {}): TaskDefinition {
  return { ...cat, ...rest, limits: { ...cat.limits, ...limits } };
}

function warm(policy: Partial<TaskDefinition['warm']>): Partial<TaskDefinition> {
  return { warm: { ...cat.warm, ...policy } };
}

describe('a task that asks for what a wasm guest cannot be held to or given', () => {
  it.each<[string, () => TaskDefinition]>([
    ['definition.limits.memory', () => limited({ memory: 2 ** 32 + 1 })],
    ['definition.limits.cpu', () => limited({ cpu: 0.99 })],
    ['definition.limits.processes', () => limited({ processes: 0 })],
    ['definition.limits.open_files', () => limited({ openFiles: 1025 }, files)],
    ['definition.limits.open_files', () => limited({ openFiles: 16 }, { allowNetwork: true })],
    ['definition.limits.file_size', () => limited({ fileSize: 1 }, files)],
    ['definition.container', () => ({ ...cat, container })],
    ['definition.user', () => ({ ...cat, user: 'nobody' })],
    ['definition.working_directory', () => ({ ...cat, workingDirectory: '/tmp' })],
    ['definition.warm.start_ahead', () => ({ ...cat, ...warm({ startAhead: true }) })],
    ['definition.warm.max_uses', () => ({ ...cat, ...warm({ maxUses: 2 }) })],
  ])('is refused at registration, naming %s', async (field, task) => {
    const error: unknown = await runtime.prepare(task()).catch((reason: unknown) => reason);
    if (!(error instanceof RequestError)) throw new Error(`not refused: ${String(error)}`);
    expect(error).toMatchObject({ kind: 'invalid_argument', violations: [{ field }] });
  });
});

describe('a task is accepted', () => {
  it.each<[string, () => TaskDefinition]>([
    ['with all the memory that 32 bits reach', () => limited({ memory: 2 ** 32 })],
    ['without a limit of memory', () => ({ ...cat, limits: { maxOutputBytes: 1, maxOutputEvents: 1 } })],
    ['with one core or more, one process or more', () => limited({ cpu: 1, processes: 1 })],
    ['with a limit of open files', () => limited({ openFiles: 16 }, files)],
    ['with limits of files where it has none', () => limited({ openFiles: 16, fileSize: 1 })],
    ['with a limit of CPU time', () => limited({ cpuTimeMs: 1000 })],
    ['with one use of each fresh instance', () => ({ ...cat, ...warm({ min: 1, maxUses: 1 }) })],
  ])('%s', async (_what, task) => {
    expect((await runtime.prepare(task())).functions).toHaveLength(1);
  });

  it('with the memory of the default where it names none', () => {
    expect(runtime.defaultLimits).toEqual({ memory: 128 * 1024 * 1024 });
  });
});

describe('where guests cannot be kept inside their preopens', () => {
  it('a task with preopens is refused at registration', async () => {
    const unable = await bench.runtime(1, 1, { holdsFolders: false });
    const error: unknown = await unable.prepare({ ...cat, ...files }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: 'failed_precondition',
      reason: 'HOST_ACCESS_NOT_ALLOWED',
      message: expect.stringContaining('--unsafe-preopens'),
      violations: [{ field: 'definition.preopens' }],
    });
    await expect(unable.prepare(cat)).resolves.toBeDefined();
  });

  it('a task with preopens from before does not run', async () => {
    const unable = await bench.runtime(1, 1, { holdsFolders: false });
    const { outcome } = await run(unable, { ...cat, ...files });
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'START_FAILED',
      message: expect.stringContaining('--unsafe-preopens'),
    });
  });

  it('a task with preopens is accepted with --unsafe-preopens', async () => {
    const unsafe = await bench.runtime(1, 1, { holdsFolders: false, unsafePreopens: true });
    await expect(unsafe.prepare({ ...cat, ...files })).resolves.toBeDefined();
  });
});
