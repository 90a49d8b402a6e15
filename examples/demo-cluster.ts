/**
 * `npm run demo:cluster`: a PostgreSQL and three nodes of their own in temporary folders. Work is spread over them, one
 * node is killed in the middle of it, and a watch on another one goes on to the end. Exits with 0 only where all of it
 * went as it should. Wants Debian's postgresql-15; docs/cluster.md has more.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { statusText } from '../src/cli/outcome.ts';
import { CommandOutput } from '../src/cli/output.ts';
import { Table } from '../src/cli/table.ts';
import { type Connection, connect } from '../src/client/channel.ts';
import { ClusterService } from '../src/server/gen/spearlet/cluster_pb.js';
import { ExecutionMode, ExecutionStatus, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { postgres, startPostgres } from '../test/support/postgres.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = ['anna', 'boris', 'clara'] as const;
/** Ticks of each execution, and milliseconds between them: long enough to be in the middle of it for a while. */
const ticks = ['60', '100'];
/** On each node. */
const each = 3;

interface DemoNode {
  readonly name: string;
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly connection: Connection;
}

function say(head: string, text: string): void {
  process.stdout.write(`${(head.padEnd(10) + text).trimEnd()}\n`);
}

async function ready(log: Readable): Promise<string> {
  for await (const line of createInterface({ input: log })) {
    const entry = JSON.parse(line) as { msg: string; grpcAddress: string };
    if (entry.msg !== 'ready') continue;
    log.resume();
    return entry.grpcAddress;
  }
  throw new Error('a node did not start');
}

async function startNode(name: string, folder: string, store: string, secret: string): Promise<DemoNode> {
  const dataDir = join(folder, name);
  const child = spawn(
    join(root, 'bin/spear'),
    [
      ...['serve', '--node-name', name, '--store', store, '--data-dir', dataDir],
      ...['--cluster-listen', '127.0.0.1:0', '--cluster-secret-file', secret],
      ...['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0', '--slots', '8'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const grpcAddress = await ready(child.stdout);
  const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
  say('node', `${name} answers on ${grpcAddress}`);
  return { name, process: child, ended: once(child, 'exit'), connection: connect(grpcAddress, { token }) };
}

async function show(nodes: readonly DemoNode[]): Promise<void> {
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('there are no nodes');
  const value = await readFile(join(root, 'examples/ticker/ticker.wasm'));
  const artifact = { source: { case: 'content' as const, value } };
  await first.connection
    .service(TaskService)
    .registerTask({ definition: { name: 'ticker', runtime: RuntimeKind.WASM, artifact } });
  say('register', `ticker, on ${first.name}; every node has it`);

  const started: { readonly on: string; readonly executionId: string }[] = [];
  for (const { name, connection } of nodes) {
    const functions = connection.service(FunctionService);
    for (let count = 0; count < each; count++) {
      const { executionId } = await functions.invokeFunction({
        task: 'ticker',
        args: ticks,
        executionMode: ExecutionMode.ASYNC,
      });
      started.push({ on: name, executionId });
    }
  }
  say('start', `${started.length} executions, ${each} on each node`);
  const watched = started.find(({ on }) => on === second.name)?.executionId ?? '';
  say('watch', `${watched}, which runs on ${second.name}, is watched on ${first.name}`);

  const functions = first.connection.service(FunctionService);
  let next = 1;
  let lines = 0;
  let killedAt = 0;
  for await (const { sequence, event } of functions.watchExecution({ executionId: watched })) {
    if (Number(sequence) !== next) throw new Error(`event ${sequence} came, and ${next} was next`);
    next += 1;
    if (event.case === 'chunk') {
      lines += 1;
      if (killedAt === 0 && lines === 10) {
        second.process.kill('SIGKILL');
        killedAt = performance.now();
        say('kill', `${second.name}, with SIGKILL, in the middle of its work (event ${sequence})`);
      }
    }
    if (event.case === 'transition' && killedAt > 0) {
      const after = ((performance.now() - killedAt) / 1000).toFixed(1);
      say('', `${after} s later, event ${sequence}: ${event.value.to} (${event.value.eventType})`);
    }
    if (event.case === 'result')
      say('watch', `event ${sequence}: ${statusText(event.value.status)}, without a gap`);
  }

  const rows: string[][] = [];
  for (const { on, executionId } of started) {
    const { result } = await functions.waitExecution({ executionId });
    if (result?.status !== ExecutionStatus.COMPLETED) throw new Error(`${executionId} did not complete`);
    const attempts = on === second.name ? 2 : 1;
    if (result.attempt !== attempts)
      throw new Error(`${executionId}: attempt ${result.attempt}, not ${attempts}`);
    rows.push([executionId, on, statusText(result.status), String(result.attempt)]);
  }
  say('', '');
  const out = new CommandOutput(process.stdout);
  await new Table(out, ['EXECUTION', 'STARTED ON', 'STATUS', 'ATTEMPTS']).write(rows);
  say('', '');
  const { nodes: left } = await first.connection.service(ClusterService).listNodes({});
  say('nodes', left.map(({ name, state }) => `${name} (${state})`).join(', '));
}

const why = postgres();
if (why !== '') {
  process.stderr.write(`${why}: apt-get install -y --no-install-recommends postgresql-15\n`);
  process.exit(1);
}
const folder = await mkdtemp(join(tmpdir(), 'spear-demo-cluster-'));
const nodes: DemoNode[] = [];
const engine = await startPostgres();
// A Ctrl-C ends the nodes, and with them this, by way of the cleaning up below.
process.on('SIGINT', () => {
  for (const node of nodes) node.process.kill('SIGTERM');
});
try {
  say('engine', `PostgreSQL on 127.0.0.1:${engine.port}`);
  const { url } = await engine.database();
  const secret = join(folder, 'secret');
  await writeFile(secret, randomBytes(32).toString('base64'), { mode: 0o600 });
  for (const name of names) nodes.push(await startNode(name, folder, url, secret));
  await show(nodes);
} catch (error) {
  say('FAILED', error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  for (const { connection, process: child } of nodes) {
    connection.close();
    child.kill('SIGTERM');
  }
  await Promise.all(nodes.map(({ ended }) => ended));
  await engine.remove();
  await rm(folder, { recursive: true, force: true });
}
