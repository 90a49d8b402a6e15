import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { readExample, WasmBench } from './fixture.ts';

let bench: WasmBench;
let cache: string;
let task: TaskDefinition;
beforeEach(async () => {
  bench = new WasmBench({ ownCache: true });
  cache = join(await bench.folder, 'cache');
  task = await bench.example('noop/noop');
});
afterEach(() => bench.close());

async function echo(): Promise<unknown> {
  const { outcome } = await run(await bench.runtime(1), task, { functionName: 'echo', parameters: { n: 6 } });
  return outcome.kind === 'completed' ? outcome.output : outcome;
}

async function onlyFolder(): Promise<string> {
  const names = await readdir(cache);
  expect(names).toHaveLength(1);
  return join(cache, names[0] ?? '');
}

describe('the cache of transpiled artifacts', () => {
  it('serves an artifact whose own bytes are gone', async () => {
    await (await bench.runtime(1)).prepare(task);
    bench.artifacts.clear();
    expect(await echo()).toBe('6');
  });

  it('is made once by two that prepare at the same time, and nothing else is left', async () => {
    const [one, other] = [await bench.runtime(1), await bench.runtime(1)];
    const prepared = await Promise.all([one.prepare(task), one.prepare(task), other.prepare(task)]);
    expect(prepared.map(({ functions }) => functions.length)).toEqual([2, 2, 2]);
    await onlyFolder();
  });

  it.each(['manifest.json', 'component.mjs', 'component.core.wasm'])(
    'makes it again where %s was cut short',
    async (file) => {
      await (await bench.runtime(1)).prepare(task);
      await writeFile(join(await onlyFolder(), file), '{');
      expect(await echo()).toBe('6');
      await onlyFolder();
    },
  );

  it('removes what a process left behind that died while it made one', async () => {
    // No process has this number: it is beyond what Linux gives out.
    await mkdir(join(cache, '.making-99999999-x'), { recursive: true });
    await (await bench.runtime(1)).prepare(task);
    await onlyFolder();
  });

  it('leaves nothing of an artifact that is refused', async () => {
    await expect((await bench.runtime(1)).prepare(bench.task(Buffer.from('no wasm')))).rejects.toThrow(
      'not WebAssembly',
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('is not taken in for another artifact, though its folder has the other’s name', async () => {
    const other = await bench.example('misbehaving/cat');
    await (await bench.runtime(1)).prepare(other);
    const folder = await onlyFolder();
    const [stolen, own] = [other, task].map(({ artifact }) => ('sha256' in artifact ? artifact.sha256 : ''));
    await rename(folder, folder.replace(stolen ?? '', own ?? ''));
    expect(await echo()).toBe('6');
  });
});

describe('an artifact whose bytes are not what they were', () => {
  beforeEach(async () => {
    if (task.artifact.kind !== 'wasm') throw new Error('not wasm');
    bench.artifacts.set(task.artifact.sha256, await readExample('misbehaving/cat'));
  });

  it('is not registered', async () => {
    await expect((await bench.runtime(1)).prepare(task)).rejects.toMatchObject({
      kind: 'failed_precondition',
      reason: 'ARTIFACT_UNAVAILABLE',
    });
    expect(await readdir(await bench.folder)).not.toContain('cache');
  });

  it('is not run', async () => {
    expect(await echo()).toMatchObject({ kind: 'failed', code: 'ARTIFACT_UNAVAILABLE' });
  });
});

describe('a transpiled artifact that is damaged while the node runs', () => {
  it.each<[string, (file: string) => Promise<void>]>([
    ['overwritten', (file) => writeFile(file, 'export const instantiate = () => ({ echo: () => 7 });')],
    ['removed', (file) => rm(file)],
  ])('is not run where it was %s: the node has what it read whole', async (_how, damage) => {
    const runtime = await bench.runtime(1);
    const call = async () =>
      (await run(runtime, task, { functionName: 'echo', parameters: { n: 6 } })).outcome;
    expect(await call()).toMatchObject({ output: '6' });
    await damage(join(await onlyFolder(), 'component.mjs'));
    expect(await call()).toMatchObject({ output: '6' });
    await endHost(runtime);
    expect(await call()).toMatchObject({ output: '6' });
    await runtime.close();
    // Another node reads it, finds it out and makes it again.
    expect(
      (await run(await bench.runtime(1), task, { functionName: 'echo', parameters: { n: 6 } })).outcome,
    ).toMatchObject({ output: '6' });
  });
});

/** Has the only guest host of the runtime run what never ends, and stops it. */
async function endHost(runtime: Runtime): Promise<void> {
  const controller = new AbortController();
  const io = new Collected();
  const loop = bench.task(await readExample('misbehaving/loop'));
  const running = runtime.run(attemptOf(loop), io, controller.signal);
  await firstOutput(io, running);
  controller.abort();
  expect(await running).toMatchObject({ kind: 'stopped', rung: 'terminate' });
}
