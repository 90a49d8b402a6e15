import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { register } from './calls.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';

const runs = 300;
const input = Buffer.from('one two three\nfour five\n');
const expected = '2 5 24\n';

/** A fresh instance of word count, dispatch to outcome, against a bare warm process that does the same. */
export async function freshRow(spear: BenchServer): Promise<Row> {
  const bare = await startBareProcess();
  const connection = connect(spear.grpcAddress);
  await register(connection, 'wordcount', 'wordcount/wordcount.wasm');
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
    what: 'fresh wasm instance (a module), median ms',
    spear: median(times[1]).toFixed(2),
    limit: median(times[0]).toFixed(2),
    ratio: median(times[1]) / median(times[0]),
    goal: '<= 1.2',
  };
}

/** How long it takes to register word count as a module, against the same program as a component. */
export async function registrationRow(spear: BenchServer): Promise<Row> {
  const connection = connect(spear.grpcAddress);
  const took = async (name: string, file: string): Promise<number> => {
    const start = performance.now();
    await register(connection, name, file);
    return performance.now() - start;
  };
  const component = await took('registered-component', 'wordcount/wordcount.component.wasm');
  const module = await took('registered-module', 'wordcount/wordcount.wasm');
  connection.close();
  return {
    what: 'registration of a module, ms, against that of the same program as a component',
    spear: module.toFixed(0),
    limit: component.toFixed(0),
    ratio: module / component,
    goal: '<= 0.33',
  };
}

async function startBareProcess() {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--no-warnings', here('bare-process.ts'), here('../examples/wordcount/wordcount.wasm')],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  );
  // Node types further streams as either; a pipe of ours is both.
  const socket = child.stdio[3] as Duplex;
  const header = Buffer.alloc(4);
  header.writeUInt32LE(input.length);
  const message = Buffer.concat([header, input]);
  return {
    async run(): Promise<number> {
      const start = performance.now();
      const replied = once(socket, 'data');
      socket.write(message);
      const [reply] = (await replied) as [Buffer];
      if (reply.toString('utf8', 4) !== expected) throw new Error('a wrong word count of the bare process');
      return performance.now() - start;
    },
    async stop(): Promise<void> {
      socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
