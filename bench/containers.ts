import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Connection, connect } from '../src/cli/client.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type TaskDefinitionSchema, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { makeTestImage, testImage } from '../test/support/docker-image.ts';
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
  const connection = connect(spear.grpcAddress);
  try {
    await register(connection, 'bench-cold', image, {});
    const cold = await coldTimes(connection, image);
    await register(connection, 'bench-hot', image, { warm: { startAhead: true } });
    const warm = await warmTimes(connection);
    return [
      row(
        'cold container, median ms, against docker run',
        median(cold.spear),
        median(cold.docker),
        '<= 1.15',
      ),
      {
        ...row('warm container, median ms to the first byte at the caller', median(warm.firstByte), 5, ''),
        ratio: median(warm.firstByte),
        goal: '<= 5',
      },
      {
        ...row(
          'warm container, outcome, median ms; how many times faster than cold',
          median(warm.outcome),
          median(cold.spear),
          '',
        ),
        ratio: median(cold.spear) / median(warm.outcome),
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

async function warmTimes(connection: Connection) {
  const times: { firstByte: number[]; outcome: number[] } = { firstByte: [], outcome: [] };
  for (let run = 0; run <= warmRuns; run++) {
    await warmInstance(connection, 'bench-hot');
    const start = performance.now();
    let firstByte = Number.NaN;
    let outcome = Number.NaN;
    for await (const { event } of connection
      .service(FunctionService)
      .streamFunction({ task: 'bench-hot', input })) {
      if (event.case === 'chunk' && Number.isNaN(firstByte)) firstByte = performance.now() - start;
      if (event.case === 'result') outcome = event.value.executionTimeMs;
    }
    if (run === 0) continue;
    times.firstByte.push(firstByte);
    times.outcome.push(outcome);
  }
  return times;
}

function row(what: string, spear: number, limit: number, goal: string): Row {
  return { what, spear: spear.toFixed(2), limit: limit.toFixed(2), ratio: spear / limit, goal };
}
