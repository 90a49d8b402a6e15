import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../attempt.ts';
import { WasmBench, type WasmRuntime } from '../fixture.ts';

const bench = new WasmBench();
let runtime: WasmRuntime;
beforeAll(async () => {
  runtime = await bench.runtime(1, 1);
});
afterAll(() => bench.close());

async function lookup(name: string): Promise<unknown> {
  const task = await bench.example('misbehaving/net', { allowNetwork: true });
  const { outcome } = await run(runtime, task, { functionName: 'lookup', parameters: { name } });
  return outcome.kind === 'completed' ? 'found' : 'output' in outcome && outcome.output;
}

describe('a guest that looks up', () => {
  it.each(['localhost', 'below.localhost', '127.0.0.1', '::1', '[::1]', '::ffff:1.2.3.4', '127.1'])(
    '%s finds an address',
    async (name) => {
      expect(await lookup(name)).toBe('found');
    },
  );

  it.each(['', 'two words', 'name:80', 'user@name', 'name/path', '[::1', ':::', '1.2.3.4.5'])(
    '%j is told that this is no name',
    async (name) => {
      expect(await lookup(name)).toBe('"resolve-addresses: invalid-argument"');
    },
  );
});
