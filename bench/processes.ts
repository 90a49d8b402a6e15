import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Connection, connect } from '../src/client/channel.ts';
import { makeCgroupCells } from '../src/runtimes/containment/cells/cgroup-cells.ts';
import { Rooms } from '../src/runtimes/containment/folders/rooms.ts';
import { Launcher } from '../src/runtimes/containment/launch/launcher.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, type TaskDefinitionSchema, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import type { BareSpawn } from './bare-spawn.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';
import { warmInstance } from './warm.ts';

const runs = 200;
const warmRuns = 30;
const input = Buffer.from('one two three\n');
const limits = { memory: 128 * 1024 * 1024, processes: 128, maxOutputBytes: 1, maxOutputEvents: 1 };
const nobody = { uid: 65534, gid: 65534 };
/** A program whose start takes longer than what it does. */
const script = `process.stdin.pipe(process.stdout);\n`;

/** A process against a bare spawn, and a warm one against a bare spawn of a program that is slow to start. */
export async function processRows(spear: BenchServer): Promise<Row[]> {
  const connection = connect(spear.grpcAddress, spear.credentials);
  const bare = startBareSpawn();
  try {
    await registerProcess(connection, 'bench-cat', { artifact: path('/bin/cat') });
    await registerProcess(connection, 'bench-warm', {
      artifact: path(process.execPath),
      args: ['-e', script],
      limits: { memory: 512n * 1024n * 1024n },
      warm: { startAhead: true },
      user: 'root',
    });
    return [...(await coldRows(connection, bare)), await warmRow(connection, bare)];
  } finally {
    bare.stop();
    connection.close();
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

type Bare = ReturnType<typeof startBareSpawn>;

async function coldRows(connection: Connection, bare: Bare): Promise<Row[]> {
  const launcher = await sameLauncher();
  const times: [plain: number[], launched: number[], spear: number[]] = [[], [], []];
  for (let run = 0; run < 2 * runs; run++) {
    const plain = await bare.run({ file: '/bin/cat', args: [], files: [] });
    const launched = await bare.run(launcher.command);
    const spear = await executionTime(connection, 'bench-cat');
    // The first half warms all of them up.
    if (run < runs) continue;
    times[0].push(plain);
    times[1].push(launched);
    times[2].push(spear);
  }
  await launcher.remove();
  const [plain, launched, spear] = times.map(median) as [number, number, number];
  return [
    row('process, median ms, against spawn with the launcher', spear, launched, '<= 1.3'),
    row('  the launcher itself, against bare spawn', launched, plain, ''),
  ];
}

async function warmRow(connection: Connection, bare: Bare): Promise<Row> {
  const times: [bare: number[], spear: number[]] = [[], []];
  for (let run = 0; run < warmRuns; run++) {
    times[0].push(await bare.run({ file: process.execPath, args: ['-e', script], files: [] }));
    await warmInstance(connection, 'bench-warm');
    times[1].push(await executionTime(connection, 'bench-warm'));
  }
  const [limit, spear] = times.map(median) as [number, number];
  return row('warm process (a Node script), median ms, against bare spawn', spear, limit, '<= 0.5');
}

function row(what: string, spear: number, limit: number, goal: string): Row {
  return { what, spear: spear.toFixed(2), limit: limit.toFixed(2), ratio: spear / limit, goal };
}

/** The launcher that Spear uses, with a cell for it to go into; each gets a room of its own, which Spear makes ahead. */
async function sameLauncher() {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-'));
  await chmod(folder, 0o711);
  const cells = makeCgroupCells(`spear-bench-${process.pid}`);
  if ('reason' in cells) throw new Error(`no cgroups here: ${cells.reason}`);
  const rooms = await Rooms.make({ folder }, []);
  if ('reason' in rooms) throw new Error(`no namespaces here: ${rooms.reason}`);
  const room = rooms.plain;
  const cell = cells.take(limits);
  const { file, args } = new Launcher().request({
    cell,
    room,
    identity: nobody,
    limits,
    directory: '/',
    program: '/bin/cat',
    args: [],
    environment: {},
  });
  return {
    command: { file, args, files: [...cell.joins, '/dev/null'], room: room.command },
    async remove() {
      cell.release(true);
      cells.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** A process that spawns and measures: a start takes the longer the larger the process is that makes it. */
function startBareSpawn() {
  const child = fork(new URL('./bare-spawn.ts', import.meta.url), { stdio: 'inherit' });
  return {
    /** Milliseconds from the spawn to the end of the program and its output. */
    async run(command: Omit<BareSpawn, 'input'>): Promise<number> {
      const measured = once(child, 'message');
      child.send({ ...command, input: input.toString() } satisfies BareSpawn);
      const [took] = (await measured) as [number];
      if (!Number.isFinite(took)) throw new Error(`${command.file} gave something else`);
      return took;
    },
    stop: () => child.disconnect(),
  };
}

async function executionTime(connection: Connection, task: string): Promise<number> {
  const { result } = await connection.service(FunctionService).invokeFunction({ task, input });
  if (result === undefined || !input.equals(Buffer.from(result.output))) {
    throw new Error(`${task} ended with ${result?.errorMessage}`);
  }
  return result.executionTimeMs;
}
