import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { amplifier } from './amplifier.ts';
import { limits, readExample, WasmBench } from './fixture.ts';

const bench = new WasmBench();
let runtime: Runtime;
beforeAll(async () => {
  runtime = await bench.runtime();
});
afterAll(() => bench.close());

const mebibyte = 1024 * 1024;

function threadNames(): string[] {
  return readdirSync('/proc/self/task').map((id) =>
    readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim(),
  );
}

describe('a guest that', () => {
  it('takes memory without end is held to the limit and ends as MEMORY_LIMIT, with numbers', async () => {
    const task = await bench.example('misbehaving/hog', limits(16 * mebibyte));
    const { outcome, stderr } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'MEMORY_LIMIT' });
    expect(outcome).toHaveProperty('message', expect.stringMatching(/memory used \d+ of \d+ bytes/));
    expect(outcome.resourceUse.peakMemoryBytes).toBeLessThanOrEqual(16 * mebibyte);
    const got = Number(/^got (\d+) MiB/.exec(stderr.toString())?.[1]);
    expect(got).toBeGreaterThan(8);
    expect(got).toBeLessThan(16);
  });

  it('takes what the limit allows ends well', async () => {
    const task = await bench.example('misbehaving/hog', limits(16 * mebibyte));
    expect((await run(runtime, task, { args: ['8'] })).outcome).toMatchObject({ kind: 'completed' });
  });

  it('grows 64 tables to millions of entries is refused each growth, and the node goes on', async () => {
    const task = await bench.example('misbehaving/table-bomb');
    expect((await run(runtime, task)).outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
  });

  it('traps ends as TRAP and keeps its output', async () => {
    const { outcome, stdout } = await run(runtime, await bench.example('misbehaving/trap'));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
    expect(stdout.toString()).toBe('before the trap\n');
  });

  it('recurses without end ends as TRAP', async () => {
    const { outcome } = await run(runtime, await bench.example('misbehaving/recurse'));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
  });

  it('writes to both streams is heard in its own order', async () => {
    const io = new Collected();
    const task = await bench.example('misbehaving/stderr-mix', { args: ['5'] });
    await runtime.run(attemptOf(task), io, new AbortController().signal);
    expect(io.order).toEqual(Array.from({ length: 5 }, () => ['stdout', 'stderr']).flat());
  });

  it('writes byte by byte loses none', async () => {
    const { stdout } = await run(
      runtime,
      await bench.example('misbehaving/flood-bytes', { args: ['20000'] }),
    );
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    expect(stdout.length).toBeGreaterThanOrEqual(20_000);
    expect(
      stdout
        .toString()
        .replaceAll('\n', '')
        .startsWith(letters + letters),
    ).toBe(true);
  });

  it.skipIf(process.platform !== 'linux')(
    'never ends leaves no thread behind when it was stopped',
    async () => {
      const controller = new AbortController();
      const io = new Collected();
      const one = await bench.runtime(1);
      const before = threadNames().filter((name) => name.startsWith('wasm-')).length;
      const task = await bench.example('misbehaving/loop');
      const running = one.run(attemptOf(task), io, controller.signal);
      await firstOutput(io, running);
      controller.abort();
      expect(await running).toMatchObject({ kind: 'stopped', rung: 'terminate' });
      await one.close();
      expect(threadNames().filter((name) => name.startsWith('wasm-')).length).toBe(before);
    },
  );

  it('is stopped is followed by others: its thread is replaced', async () => {
    const one = await bench.runtime(1);
    const task = await bench.example('misbehaving/loop');
    for (let round = 0; round < 3; round += 1) {
      const controller = new AbortController();
      const io = new Collected();
      const running = one.run(attemptOf(task), io, controller.signal);
      await firstOutput(io, running);
      controller.abort();
      expect(await running).toMatchObject({ kind: 'stopped', rung: 'terminate' });
    }
    const { stdout } = await run(one, await bench.example('misbehaving/cat'), { input: Buffer.from('on') });
    expect(stdout.toString()).toBe('on');
  });
});

describe('a guest that returns the same memory over and over', () => {
  it.each(['list<string>', 'list<list<u8>>', 'list<list<u32>>'])(
    'as %s traps before the host holds it',
    async (type) => {
      const { outcome } = await run(runtime, bench.task(await amplifier(type)), { functionName: 'amplify' });
      expect(outcome).toMatchObject({ kind: 'failed', code: 'TRAP' });
      expect(outcome).toHaveProperty('message', expect.stringContaining('more than its memory can hold'));
    },
  );

  it('as values of the JavaScript heap takes its guest host down and ends as MEMORY_LIMIT, and others go on', async () => {
    const task = bench.task(await amplifier('list<list<tuple<u8, u8>>>'));
    const { outcome } = await run(runtime, task, { functionName: 'amplify' });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'MEMORY_LIMIT' });
    const { stdout } = await run(runtime, await bench.example('misbehaving/cat'), {
      input: Buffer.from('on'),
    });
    expect(stdout.toString()).toBe('on');
  });
});

describe('an artifact', () => {
  it('whose bytes are gone ends an execution as ARTIFACT_UNAVAILABLE', async () => {
    const task = bench.task(Uint8Array.of(...(await readExample('noop/noop')), 0, 1, 0), { name: 'gone' });
    bench.artifacts.clear();
    const { outcome } = await run(runtime, task, { functionName: 'noop' });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'ARTIFACT_UNAVAILABLE' });
  });
});
