import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { run } from '../attempt.ts';
import { WasmBench } from './fixture.ts';

const bench = new WasmBench();
let runtime: Runtime;
beforeAll(async () => {
  runtime = await bench.runtime();
});
afterAll(() => bench.close());

it.each([
  ['-1', 255],
  ['-2147483648', 255],
  ['256', 255],
  ['300', 44],
  ['1', 1],
])('exit(%s) is reported as %i, which fits eight bits and is no success', async (code, exitCode) => {
  const task = await bench.example('misbehaving/exit', { args: [code] });
  const { outcome } = await run(runtime, task);
  expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode });
});
