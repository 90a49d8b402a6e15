import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import { run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';

let bench: WasmBench;
let cache: string;
let task: TaskDefinition;
beforeEach(async () => {
  bench = new WasmBench();
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
});
