import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConnectOptions } from '../src/client/channel.ts';

export interface BenchServer {
  readonly grpcAddress: string;
  /** Empty where it has none. */
  readonly httpAddress: string;
  readonly pid: number;
  /** What to connect with: the administrator's token, and the certificate of the node, where there are any. */
  readonly credentials: ConnectOptions;
  stop(): Promise<void>;
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** The bare grpc-js server, in a process of its own. */
export function startBare(): Promise<BenchServer> {
  return start([here('bare-server.ts')], {}, async () => {});
}

/**
 * Spear with its durable store in a fresh data folder, in a process of its own; or another program that is one.
 *
 * @param flags of Node
 */
export async function startSpear(
  options: Readonly<Record<string, string>> = {},
  program = '../src/main.ts',
  flags: readonly string[] = [],
): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spear-bench-'));
  const env = {
    SPEAR_GRPC_ADDRESS: '127.0.0.1:0',
    SPEAR_HTTP_ADDRESS: '127.0.0.1:0',
    SPEAR_DATA_DIR: dataDir,
    SPEAR_DRAIN_MS: '0',
    // h2load shows no token.
    SPEAR_ANONYMOUS_ROLE: 'operate',
    ...options,
  };
  const main = here(program);
  const args = [...launcherFlags(main), ...flags, main];
  return start(args, env, () => rm(dataDir, { recursive: true, force: true }));
}

/** What `bin/spear serve` of the program's checkout tells Node of its memory; nothing where it has none. */
function launcherFlags(main: string): string[] {
  const launcher = resolve(dirname(main), '../bin/spear');
  const text = existsSync(launcher) ? readFileSync(launcher, 'utf8') : '';
  return [...text.matchAll(/=(--max-semi-space-size=\d+) ;;$/gm)].map(([, flag = '']) => flag);
}

async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cleanUp: () => Promise<void>,
): Promise<BenchServer> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const addresses = await addressesFrom(child);
  // Asked for now: a server that ended by itself says so no second time.
  const exited = once(child, 'exit');
  return {
    ...addresses,
    pid: child.pid ?? 0,
    credentials: credentialsIn(env.SPEAR_DATA_DIR),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await cleanUp();
    },
  };
}

function credentialsIn(dataDir: string | undefined): ConnectOptions {
  if (dataDir === undefined || !existsSync(join(dataDir, 'admin-token'))) return {};
  const certificate = join(dataDir, 'tls', 'cert.pem');
  return {
    token: readFileSync(join(dataDir, 'admin-token'), 'utf8').trim(),
    ...(existsSync(certificate) && { tls: { ca: readFileSync(certificate) } }),
  };
}

/** Both kinds of server say their addresses in one JSON line. */
async function addressesFrom(
  child: ChildProcess,
): Promise<{ readonly grpcAddress: string; readonly httpAddress: string }> {
  if (child.stdout === null) throw new Error('the server has no stdout');
  let text = '';
  const found = Promise.withResolvers<{ grpcAddress: string; httpAddress: string }>();
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
    const line = /^.*"grpcAddress":"([^"]+)".*$/m.exec(text);
    if (line === null) return;
    const [whole, grpcAddress = ''] = line;
    const httpAddress = /"httpAddress":"([^"]+)"/.exec(whole)?.[1] ?? '';
    text = '';
    found.resolve({ grpcAddress, httpAddress });
  });
  child.once('exit', () => found.reject(new Error(`the server ended before it was ready: ${text}`)));
  return found.promise;
}
