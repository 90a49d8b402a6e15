import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Connection, connect } from '../src/client/channel.ts';
import type { TaskDefinition } from '../src/domain/task.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type TaskDefinitionSchema, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../test/support/docker-image.ts';
import { firstByteRow } from './first-byte.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';
import { warmInstance } from './warm.ts';

const coldRuns = 20;
const warmRuns = 30;
const input = Buffer.from('one two three\n');
const execute = promisify(execFile);

/** The engine's own command line with what Spear asks for. */
const hardened = [
  ...['--network', 'none', '--read-only', '--tmpfs', '/tmp:size=16m', '--cap-drop', 'ALL', '--init'],
  ...['--security-opt', 'no-new-privileges', '--user', '65534:65534', '--pids-limit', '128'],
  ...['--memory', '128m', '--memory-swap', '128m', '--cpus', '1', '--log-driver', 'local'],
];

/** A cold container against `docker run`, and warm ones against cold ones. */
export async function containerRows(spear: BenchServer): Promise<Row[]> {
  await makeTestImage();
  const image = testImage;
  const connection = connect(spear.grpcAddress, spear.credentials);
  try {
    await register(connection, 'bench-cold', image, {});
    const cold = await coldTimes(connection, image);
    await register(connection, 'bench-hot', image, { warm: { startAhead: true } });
    const warm = await warmTimes(connection);
    const firstByte = await firstByteRow(hotTask(await imageId(image)));
    return [
      row(
        'cold container, median ms, against docker run',
        median(cold.spear),
        median(cold.docker),
        '<= 1.15',
      ),
      firstByte,
      {
        ...row(
          'warm container, outcome, median ms; how many times faster than cold',
          median(warm),
          median(cold.spear),
          '',
        ),
        ratio: median(cold.spear) / median(warm),
        goal: '>= 4',
      },
    ];
  } finally {
    connection.close();
  }
}

async function register(
  connection: Connection,
  name: string,
  image: string,
  more: MessageInitShape<typeof TaskDefinitionSchema>,
): Promise<void> {
  await connection.service(TaskService).registerTask({
    definition: {
      name,
      runtime: RuntimeKind.DOCKER,
      artifact: { source: { case: 'image', value: image } },
      args: ['/bin/cat'],
      ...more,
    } as MessageInitShape<typeof TaskDefinitionSchema>,
  });
}

async function coldTimes(connection: Connection, image: string) {
  const times: { docker: number[]; spear: number[] } = { docker: [], spear: [] };
  for (let run = 0; run <= coldRuns; run++) {
    const docker = await dockerRun(image);
    const spear = await executionTime(connection, 'bench-cold');
    if (run === 0) continue;
    times.docker.push(docker);
    times.spear.push(spear);
  }
  return times;
}

async function dockerRun(image: string): Promise<number> {
  const start = performance.now();
  const run = execute('docker', ['run', '--rm', '--interactive', ...hardened, image, '/bin/cat']);
  run.child.stdin?.end(input);
  const { stdout } = await run;
  if (stdout !== input.toString()) throw new Error(`docker run gave ${JSON.stringify(stdout)}`);
  return performance.now() - start;
}

async function executionTime(connection: Connection, task: string): Promise<number> {
  const { result } = await connection.service(FunctionService).invokeFunction({ task, input });
  if (result === undefined || !input.equals(Buffer.from(result.output))) {
    throw new Error(`${task} ended with ${result?.errorMessage}`);
  }
  return result.executionTimeMs;
}

async function warmTimes(connection: Connection): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run <= warmRuns; run++) {
    await warmInstance(connection, 'bench-hot');
    const took = await executionTime(connection, 'bench-hot');
    if (run > 0) times.push(took);
  }
  return times;
}

async function imageId(image: string): Promise<string> {
  const { stdout } = await execute('docker', ['image', 'inspect', '--format', '{{.Id}}', image]);
  return stdout.trim().replace('sha256:', '');
}

function hotTask(imageId: string): TaskDefinition {
  return {
    name: 'bench-hot',
    description: '',
    runtime: 'docker',
    artifact: { kind: 'docker', image: testImage, imageId },
    args: ['/bin/cat'],
    environment: {},
    preopens: {},
    allowNetwork: false,
    timeouts: {},
    graceMs: 5000,
    limits: { memory: 2 ** 27, cpu: 1, processes: 128, maxOutputBytes: 2 ** 26, maxOutputEvents: 100_000 },
    retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0, on: [] },
    instancePolicy: 'fresh',
    user: '',
    workingDirectory: '',
    container: {
      command: [],
      pull: 'never',
      network: 'bridge',
      writableRoot: false,
      capabilities: [],
      tmpfsSize: 2 ** 24,
      allowNewPrivileges: false,
    },
    warm: { min: 1, max: 1, idleTimeoutMs: 60_000, maxUses: 1, startAhead: true },
  };
}

function row(what: string, spear: number, limit: number, goal: string): Row {
  return { what, spear: spear.toFixed(2), limit: limit.toFixed(2), ratio: spear / limit, goal };
}
