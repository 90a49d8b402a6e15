import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { transpileBytes } from '@bytecodealliance/jco-transpile';
import { connect } from '../src/cli/client.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { register } from './calls.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';

const runs = 300;
const input = Buffer.from('one two three\nfour five\n');
const expected = '2 5 24\n';

/** A fresh instance of word count, dispatch to outcome, against a bare warm worker that does the same. */
export async function freshRow(spear: BenchServer): Promise<Row> {
  const bare = await startBareWorker();
  const connection = connect(spear.grpcAddress);
  await register(connection, 'wordcount', 'wordcount/wordcount.component.wasm');
  const functions = connection.service(FunctionService);
  const times: [bare: number[], spear: number[]] = [[], []];
  for (let run = 0; run < 2 * runs; run++) {
    const bareTime = await bare.run();
    const { result } = await functions.invokeFunction({ task: 'wordcount', input });
    if (Buffer.from(result?.output ?? []).toString() !== expected) throw new Error('a wrong word count');
    // The first half warms both up.
    if (run < runs) continue;
    times[0].push(bareTime);
    times[1].push(result?.executionTimeMs ?? Number.NaN);
  }
  connection.close();
  await bare.stop();
  return {
    what: 'fresh wasm instance, median ms',
    spear: median(times[1]).toFixed(2),
    limit: median(times[0]).toFixed(2),
    ratio: median(times[1]) / median(times[0]),
    goal: '<= 1.2',
  };
}

async function startBareWorker() {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-bare-'));
  const component = await readFile(
    new URL('../examples/wordcount/wordcount.component.wasm', import.meta.url),
  );
  const { files } = await transpileBytes(component, {
    name: 'component',
    instantiation: 'sync',
    emitTypescriptDeclarations: false,
    nodejsCompat: false,
    base64Cutoff: 0,
  });
  const modules: Record<string, WebAssembly.Module> = {};
  let source = '';
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    if (name.endsWith('.wasm')) modules[name] = await WebAssembly.compile(bytes);
    else {
      source = join(folder, 'component.mjs');
      await writeFile(source, bytes);
    }
  }
  const worker = new Worker(new URL('./bare-worker.ts', import.meta.url), {
    workerData: { source: pathToFileURL(source).href, modules },
  });
  await once(worker, 'message');
  return {
    async run(): Promise<number> {
      const start = performance.now();
      const replied = once(worker, 'message');
      worker.postMessage(input);
      const [output] = (await replied) as [Uint8Array];
      const took = performance.now() - start;
      if (Buffer.from(output).toString() !== expected) throw new Error('a wrong word count');
      return took;
    },
    async stop(): Promise<void> {
      await worker.terminate();
      await rm(folder, { recursive: true });
    },
  };
}
