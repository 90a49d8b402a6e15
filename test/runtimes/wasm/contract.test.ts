import { afterAll } from 'vitest';
import { runtimeContract } from '../contract.ts';
import { WasmBench } from './fixture.ts';

const bench = new WasmBench();
afterAll(() => bench.close());

runtimeContract(
  'wasm',
  () => bench.runtime(),
  async () => {
    const [cat, exit, env, loop, flood] = await Promise.all(
      ['cat', 'exit', 'env', 'loop', 'flood'].map((name) => bench.example(`misbehaving/${name}`)),
    );
    if (!cat || !exit || !env || !loop || !flood) throw new Error('an example is missing');
    return { cat, exit, env, loop, flood };
  },
);
