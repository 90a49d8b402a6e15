/**
 * What a command takes from its start to its end, against a Node that does nothing: the installed package, with a node
 * that is up, every command over gRPC. Run it on a quiet machine.
 *
 *     node bench/start.ts
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, pack } from '../scripts/installed-package.ts';
import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { register } from './calls.ts';
import { startSpear } from './server.ts';
import { median, meets, printTable, type Row } from './table.ts';

const rounds = 30;
/** Of PRODUCTION.md, in ms of wall time on a machine whose bare Node takes 13. */
const goal = `<= ${(120 / 13).toFixed(1)}`;

const folder = await mkdtemp(join(tmpdir(), 'spear-bench-start-'));
const server = await startSpear();
try {
  const { spear, node } = install(pack(folder), join(folder, 'prefix'));
  if (node === undefined) throw new Error('npm has no Node for this machine');
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: folder,
    SPEAR_ADDRESS: server.grpcAddress,
    SPEAR_TOKEN: server.credentials.token ?? '',
  };
  const connection = connect(server.grpcAddress, server.credentials);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  const { executionId } = await connection
    .service(FunctionService)
    .invokeFunction({ task: 'noop', functionName: 'noop' });
  connection.close();
  const commands = [
    { what: 'spear status ID', command: [spear, 'status', executionId], goal },
    { what: 'spear task list', command: [spear, 'task', 'list'], goal },
    { what: 'spear --version', command: [spear, '--version'], goal: '' },
  ];
  const bare: number[] = [];
  const taken = commands.map((): number[] => []);
  // In turn, so that what else the machine does weighs on all alike. The first round fills caches.
  for (let round = 0; round <= rounds; round++) {
    const times = [[node, '-e', '0'], ...commands.map(({ command }) => command)].map((each) =>
      time(each, env),
    );
    if (round === 0) continue;
    for (const [index, ms] of times.entries()) (index === 0 ? bare : taken[index - 1])?.push(ms);
  }
  const limit = median(bare);
  const rows = commands.map(({ what, goal: atMost }, index): Row => {
    const ms = median(taken[index] ?? []);
    return {
      what: `${what}, median ms, against node -e 0`,
      spear: ms.toFixed(0),
      limit: limit.toFixed(0),
      ratio: ms / limit,
      goal: atMost,
    };
  });
  printTable(rows);
  if (!rows.every(meets)) process.exitCode = 1;
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}

/** In milliseconds of wall time. Throws where it fails. */
function time([file = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(file, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - start;
}
