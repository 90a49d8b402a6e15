import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Connection, connect } from '../src/cli/client.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type TaskDefinitionSchema, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';
import { warmInstance } from './warm.ts';

const runs = 200;
const warmRuns = 30;
const input = Buffer.from('one two three\n');
/** What Spear's launcher does to a process that has only the default limits, without what it does around it. */
const launcher = ['/bin/sh', '-c', 'ulimit -c 0; exec "$@"', 'sh'];
/** A program whose start takes longer than what it does. */
const script = `process.stdin.pipe(process.stdout);\n`;

/** A process against a bare spawn, and a warm one against a bare spawn of a program that is slow to start. */
export async function processRows(spear: BenchServer): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-process-'));
  const connection = connect(spear.grpcAddress);
  try {
    const program = join(folder, 'echo.js');
    await writeFile(program, script);
    await registerProcess(connection, 'bench-cat', { artifact: path('/bin/cat') });
    await registerProcess(connection, 'bench-warm', {
      artifact: path(process.execPath),
      args: ['-e', script],
      limits: { memory: 512n * 1024n * 1024n },
      warm: { startAhead: true },
      user: 'root',
    });
    return [...(await coldRows(connection)), await warmRow(connection)];
  } finally {
    connection.close();
    await rm(folder, { recursive: true });
  }
}

type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

function path(value: string) {
  return { source: { case: 'path' as const, value } };
}

async function registerProcess(connection: Connection, name: string, more: Definition): Promise<void> {
  const definition = { name, runtime: RuntimeKind.PROCESS, ...more } as Definition;
  await connection.service(TaskService).registerTask({ definition });
}

async function coldRows(connection: Connection): Promise<Row[]> {
  const times: [plain: number[], launched: number[], spear: number[]] = [[], [], []];
  for (let run = 0; run < 2 * runs; run++) {
    const plain = await spawned('/bin/cat', []);
    const launched = await spawned(launcher[0] ?? '', [...launcher.slice(1), '/bin/cat']);
    const spear = await executionTime(connection, 'bench-cat');
    // The first half warms all of them up.
    if (run < runs) continue;
    times[0].push(plain);
    times[1].push(launched);
    times[2].push(spear);
  }
  const [plain, launched, spear] = times.map(median) as [number, number, number];
  return [
    row('process, median ms, against spawn with the launcher', spear, launched, '<= 1.3'),
    row('  the launcher itself, against bare spawn', launched, plain, ''),
  ];
}

async function warmRow(connection: Connection): Promise<Row> {
  const times: [bare: number[], spear: number[]] = [[], []];
  for (let run = 0; run < warmRuns; run++) {
    times[0].push(await spawned(process.execPath, ['-e', script]));
    await warmInstance(connection, 'bench-warm');
    times[1].push(await executionTime(connection, 'bench-warm'));
  }
  const [bare, spear] = times.map(median) as [number, number];
  return row('warm process (a Node script), median ms, against bare spawn', spear, bare, '<= 0.5');
}

function row(what: string, spear: number, limit: number, goal: string): Row {
  return { what, spear: spear.toFixed(2), limit: limit.toFixed(2), ratio: spear / limit, goal };
}

/** Milliseconds from the spawn to the end of the process and its output. */
function spawned(file: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(file, args, { env: {}, stdio: 'pipe' });
    let bytes = 0;
    child.once('error', reject);
    child.stdout.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    child.stderr.resume();
    child.stdin.end(input);
    child.once('close', () => {
      if (bytes === input.length) resolve(performance.now() - start);
      else reject(new Error(`${file} gave ${bytes} bytes`));
    });
  });
}

async function executionTime(connection: Connection, task: string): Promise<number> {
  const { result } = await connection.service(FunctionService).invokeFunction({ task, input });
  if (result === undefined || !input.equals(Buffer.from(result.output))) {
    throw new Error(`${task} ended with ${result?.errorMessage}`);
  }
  return result.executionTimeMs;
}
