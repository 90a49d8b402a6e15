/** A real node on free ports over a temporary data folder, in this process or in a child, and clients of its public API. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Connection, connect, type ServiceClient } from '../../src/client/channel.ts';
import { type ConfigFlags, resolveConfig } from '../../src/config.ts';
import { type Node, type NodeParts, startNode } from '../../src/node/node.ts';
import { BatchService } from '../../src/server/gen/spearlet/batch_pb.js';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { InstanceService } from '../../src/server/gen/spearlet/instance_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { SnapshotService } from '../../src/server/gen/spearlet/snapshot_pb.js';
import {
  RuntimeKind,
  type Task,
  type TaskDefinitionSchema,
  TaskService,
} from '../../src/server/gen/spearlet/task_pb.js';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { openLog } from '../../src/telemetry/logger.ts';
import { keepChecked, takeChecked } from './checked-artifacts.ts';
import { inheritedEnvironment } from './environment.ts';
import { storeFlags } from './postgres-store.ts';
import { serverMain } from './program-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The bytes of a file under `examples/`. */
export function example(path: string): Promise<Buffer> {
  return readFile(join(root, 'examples', path));
}

type LogLine = Readonly<Record<string, unknown>>;
type Definition = MessageInitShape<typeof TaskDefinitionSchema>;

/** What a test does with a server, wherever that runs. */
export class Peer {
  readonly grpcAddress: string;
  readonly httpAddress: string;
  readonly functions: ServiceClient<typeof FunctionService>;
  readonly batches: ServiceClient<typeof BatchService>;
  readonly tasks: ServiceClient<typeof TaskService>;
  readonly instances: ServiceClient<typeof InstanceService>;
  readonly snapshots: ServiceClient<typeof SnapshotService>;
  readonly nodes: ServiceClient<typeof NodeService>;
  readonly connection: Connection;
  /** Empty where a test does not know it. */
  readonly dataDir: string;

  constructor(grpcAddress: string, httpAddress: string, dataDir = '') {
    this.dataDir = dataDir;
    this.grpcAddress = grpcAddress;
    this.httpAddress = httpAddress;
    this.connection = connect(grpcAddress, tokenOf(dataDir));
    this.functions = this.connection.service(FunctionService);
    this.batches = this.connection.service(BatchService);
    this.tasks = this.connection.service(TaskService);
    this.instances = this.connection.service(InstanceService);
    this.snapshots = this.connection.service(SnapshotService);
    this.nodes = this.connection.service(NodeService);
  }

  /** Registers an example under a name; another node of this test run may have checked it already. */
  async register(name: string, path: string, definition: Definition = {}): Promise<Task> {
    const artifact = await example(path);
    if (this.dataDir !== '') await takeChecked(this.dataDir, artifact);
    const { task } = await this.tasks.registerTask({
      definition: {
        name,
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content', value: artifact } },
        ...definition,
      } as Definition,
    });
    if (task === undefined) throw new Error(`no task in the answer for ${name}`);
    if (this.dataDir !== '') await keepChecked(this.dataDir, artifact);
    return task;
  }
}

/** The administrator's, where the node's data folder is known. */
function tokenOf(dataDir: string): { readonly token?: string } {
  return dataDir === '' ? {} : { token: adminToken(dataDir) };
}

/** The administrator's token of a node. */
export function adminToken(dataDir: string): string {
  return readFileSync(join(dataDir, adminTokenFile), 'utf8').trim();
}

export class LocalServer extends Peer {
  readonly node: Node;
  readonly log: readonly LogLine[];

  constructor(node: Node, dataDir: string, log: readonly LogLine[]) {
    super(node.grpcAddress, node.httpAddress, dataDir);
    this.node = node;
    this.log = log;
  }

  /** Bugs of ours that the node has written to its log: none, whatever a test does. */
  get bugs(): readonly LogLine[] {
    return this.log.filter((line) => String(line.msg).startsWith('bug:'));
  }

  /** Also removes its data folder. */
  async stop(): Promise<void> {
    this.connection.close();
    const drained = this.node.drain();
    void this.node.drain();
    await drained;
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

export function temporaryDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'spear-server-'));
}

/** Free ports, callers without a token where that is not what is tested, and no engine where a test does not ask for one: looking for one makes every start slower. */
const defaults = {
  grpcAddress: '127.0.0.1:0',
  httpAddress: '127.0.0.1:0',
  anonymousRole: 'operate',
  dockerHost: 'unix:///nonexistent/docker.sock',
} as const;

/** Starts a node in this process. Whoever starts it stops it. */
export async function startServer(flags: ConfigFlags = {}, parts: NodeParts = {}): Promise<LocalServer> {
  const log: LogLine[] = [];
  const dataDir = flags.dataDir === undefined ? await temporaryDataDir() : String(flags.dataDir);
  const kept = parts.store === undefined ? await storeFlags(dataDir) : {};
  const config = resolveConfig({ ...defaults, ...kept, ...flags, dataDir }, inheritedEnvironment());
  const settings = { level: config.logLevel, format: 'json' } as const;
  const opened = openLog(settings, (line) => void log.push(JSON.parse(line) as LogLine));
  try {
    return new LocalServer(await startNode(config, opened, parts), dataDir, log);
  } catch (error) {
    if (flags.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ChildServer extends Peer {
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  /** What it has written on stdout and stderr, line by line. */
  readonly output: readonly string[];

  constructor(child: ChildProcess, exited: Promise<Exit>, output: readonly string[], ready: LogLine) {
    super(String(ready.grpcAddress), String(ready.httpAddress), String(ready.dataDir));
    this.process = child;
    this.exited = exited;
    this.output = output;
  }

  /** Sends a signal and waits for the end; a server that has ended already is fine. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.process.kill(signal);
    const exit = await this.exited;
    this.connection.close();
    return exit;
  }
}

/**
 * Starts the server in a child process on a data folder. Whoever starts it ends it.
 *
 * @param entry a program with its arguments, which becomes the server
 */
export async function spawnServer(
  dataDir: string,
  flags: ConfigFlags = {},
  execArgv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  uid = process.getuid?.(),
  entry: readonly string[] = [],
): Promise<ChildServer> {
  const options = { ...defaults, dataDir, ...(await storeFlags(dataDir)), ...flags };
  const variables = Object.entries(options).map(([key, value]) => [
    `SPEAR_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    String(value),
  ]);
  const [program = '', ...args] = [...entry, process.execPath, '--no-warnings', ...execArgv, serverMain];
  const child = spawn(program, args, {
    env: { ...inheritedEnvironment(), ...env, ...Object.fromEntries(variables) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const output: string[] = [];
  const ready = Promise.withResolvers<LogLine>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream as NonNullable<typeof stream> }).on('line', (line) => {
      output.push(line);
      if (line.includes('"msg":"ready"')) ready.resolve(JSON.parse(line) as LogLine);
    });
  }
  void exited.then(() => ready.reject(new Error(`the server did not start:\n${output.join('\n')}`)));
  return new ChildServer(child, exited, output, await ready.promise);
}
