/**
 * Packs Spear, installs the package into a temporary prefix and uses it from there, far from the checkout: its size, help,
 * serve, register and invoke a preview-1 module and a typed component, stop. Exits with 1 where any of it fails.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { install, pack } from './installed-package.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'spear-package-'));
const away = join(folder, 'away');
const prefix = join(folder, 'prefix');
const spear = join(prefix, 'bin/spear');
/** Without Node: docs/decisions/0049-packaging.md. */
const mostMebibytes = 60;
/** A Node of the machine's own, or none: the package brings its own. */
const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder };

function expectRun(
  args: readonly string[],
  expected: { code: number; stdout: RegExp },
  address?: string,
): void {
  const { status, stdout, stderr } = spawnSync(spear, args, {
    cwd: away,
    encoding: 'utf8',
    env: { ...env, ...(address !== undefined && { SPEAR_ADDRESS: address }) },
  });
  const good = status === expected.code && expected.stdout.test(stdout);
  process.stdout.write(`${good ? 'ok    ' : 'FAILED'}  spear ${args.join(' ')}\n`);
  if (!good) throw new Error(`exit ${status}, wanted ${expected.code}\n${stdout}\n${stderr}`);
}

function expectSize(mebibytes: number): void {
  const good = mebibytes <= mostMebibytes;
  process.stdout.write(
    `${good ? 'ok    ' : 'FAILED'}  it takes ${mebibytes.toFixed(1)} MiB without Node, of ${mostMebibytes}\n`,
  );
  if (!good) throw new Error('the package has grown: du -s node_modules/* of an installation shows by what');
}

/** Resolves with the gRPC address as soon as the server says that it is ready. */
async function ready(server: ChildProcess & { readonly stdout: NodeJS.ReadableStream }): Promise<string> {
  const lines = createInterface({ input: server.stdout });
  for await (const line of lines) {
    const entry = JSON.parse(line) as { readonly msg: string; readonly grpcAddress?: string };
    if (entry.msg !== 'ready' || entry.grpcAddress === undefined) continue;
    server.stdout.resume();
    return entry.grpcAddress;
  }
  throw new Error('the server ended before it was ready');
}

/** A program of somebody who has installed the package: its types, then its run, with the oldest Node at hand. */
const program = `import { connect, type ExecutionEvent, ExecutionFailed } from 'spear/client';
const spear = connect();
const sum = await spear.invoke('typed', { function: 'add', parameters: { a: 1, b: 2 } });
const value: unknown = sum.json();
const failed = await spear.invoke('typed', { function: 'divide', parameters: { a: 1, b: 0 } }).catch((e: unknown) => e);
if (!(failed instanceof ExecutionFailed)) throw failed;
const { code } = failed;
const never: 'FUNCTION_ERROR' | undefined = code === 'FUNCTION_ERROR' ? code : undefined;
const events: ExecutionEvent[] = [];
for await (const event of (await spear.start('wordcount', { input: 'a b' })).events()) events.push(event);
// @ts-expect-error there is no such priority
await spear.invoke('wordcount', { priority: 'SOON' }).catch(() => {});
console.log(value, never, events.at(-1)?.kind);
spear.close();
`;

function useClient(address: string): void {
  mkdirSync(join(away, 'node_modules'));
  symlinkSync(join(folder, 'prefix/lib/node_modules/spear'), join(away, 'node_modules/spear'));
  writeFileSync(join(away, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(away, 'program.ts'), program);
  const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--exactOptionalPropertyTypes'];
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  execFileSync(join(root, 'node_modules/.bin/tsc'), [...options, ...types, 'program.ts'], {
    cwd: away,
    stdio: 'inherit',
  });
  const run = spawnSync('node', ['program.js'], {
    cwd: away,
    encoding: 'utf8',
    env: { ...env, SPEAR_ADDRESS: address },
  });
  const good = run.stdout === '3 FUNCTION_ERROR result\n';
  process.stdout.write(`${good ? 'ok    ' : 'FAILED'}  import { connect } from 'spear/client'\n`);
  if (!good) throw new Error(`exit ${run.status}\n${run.stdout}\n${run.stderr}`);
}

async function useServer(): Promise<void> {
  const places = [
    '--grpc-address',
    '127.0.0.1:0',
    '--http-address',
    '127.0.0.1:0',
    '--data-dir',
    join(folder, 'data'),
  ];
  const server = spawn(spear, ['serve', ...places], { cwd: away, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(server, 'exit');
  try {
    const address = await ready(server);
    for (const name of ['wordcount', 'typed']) {
      const args = ['task', 'register', name, '--runtime', 'wasm', '--artifact', `${name}.wasm`];
      expectRun(args, { code: 0, stdout: /^$/ }, address);
    }
    expectRun(
      ['invoke', 'wordcount', '--input', 'typed.wasm'],
      { code: 0, stdout: /^\d+ \d+ \d+\n$/ },
      address,
    );
    expectRun(['invoke', 'typed', 'add(1, 2)'], { code: 0, stdout: /^3\n$/ }, address);
    expectRun(['invoke', 'typed', 'divide(1, 0)'], { code: 1, stdout: /division/ }, address);
    useClient(address);
  } finally {
    server.kill('SIGTERM');
  }
  const [code] = (await ended) as [number | null];
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'}  SIGTERM drains the server\n`);
  if (code !== 0) throw new Error(`the server ended with ${code}, wanted 0`);
}

try {
  mkdirSync(away);
  for (const name of ['wordcount', 'typed']) {
    copyFileSync(join(root, `examples/${name}/${name}.wasm`), join(away, `${name}.wasm`));
  }
  const tarball = pack(folder);
  expectSize(install(tarball, prefix).mebibytes);
  expectRun(['--help'], { code: 0, stdout: /Exit codes/ });
  expectRun(['--version'], { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  await useServer();
  process.stdout.write(`the package ${basename(tarball)} works\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
