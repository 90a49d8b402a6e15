/**
 * Builds the image on a base of the Debian packages that are installed here, and uses it: it is small and healthy, a
 * task runs in it as a user that is not root, what it keeps is in a volume, SIGTERM drains it. Exits with 1 where any
 * of it fails. Wants a Docker engine and Debian.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { importDebianBase } from './debian-base.ts';
import { buildImage } from './image.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const name = `spear-check-image-${process.pid}`;
const image = `${name}:checked`;
const base = `${name}:base`;
/** PRODUCTION.md, in bytes. */
const mostBytes = 250e6;
const mostWaitMs = 120_000;
/** What docs/install.md, packaging/compose and packaging/helm take from it. */
const walls = [
  ...['--read-only', '--tmpfs', '/tmp:mode=1777'],
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
];

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

function check(what: string, found: string | number, isGood: boolean): void {
  process.stdout.write(`${isGood ? 'ok    ' : 'FAILED'}  ${what}: ${found}\n`);
  if (!isGood) throw new Error(docker('logs', name));
}

function run(): void {
  const place = ['--name', name, '--volume', `${name}:/var/lib/spear`];
  const ports = ['--publish', '127.0.0.1::50051'];
  docker('run', '--detach', '--init', '--health-interval', '2s', ...walls, ...place, ...ports, image);
}

function spear(input: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', ['exec', '--interactive', name, 'spear', ...args], {
    encoding: 'utf8',
    input,
  });
  if (status !== 0) throw new Error(`spear ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout.trim();
}

async function untilHealthy(): Promise<void> {
  const end = Date.now() + mostWaitMs;
  let state = '';
  while (state !== 'healthy' && Date.now() < end) {
    state = docker('inspect', '--format', '{{.State.Health.Status}}', name);
    if (state === 'unhealthy') break;
    if (state !== 'healthy') await sleep(500);
  }
  check('the engine finds it', state, state === 'healthy');
}

/** By somebody at the machine of the engine, with a token. */
function invokeFromOutside(): void {
  const token = spear('', 'token', 'create', 'outside', '--role', 'develop');
  const address = docker('port', name, '50051').split('\n')[0] ?? '';
  const stdout = execFileSync(join(root, 'bin/spear'), ['invoke', 'wordcount', '--address', address], {
    encoding: 'utf8',
    input: 'one two\n',
    env: { ...process.env, SPEAR_TOKEN: token },
  });
  check('the same from outside', stdout.trim(), stdout.trim() === '1 2 8');
}

function drain(): void {
  docker('stop', '-t', '60', name);
  const code = docker('inspect', '--format', '{{.State.ExitCode}}', name);
  check('SIGTERM drains it, exit code', code, code === '0');
}

try {
  importDebianBase(base);
  buildImage(image, base);
  const bytes = Number(docker('image', 'inspect', '--format', '{{.Size}}', image));
  check('its size in MB', Math.round(bytes / 1e6), bytes < mostBytes);
  run();
  await untilHealthy();
  const user = docker('exec', name, 'id', '-u');
  check('its user', user, user === '65532');
  const program = readFileSync(join(root, 'examples/wordcount/wordcount.wasm'));
  execFileSync('docker', ['exec', '--interactive', name, 'sh', '-c', 'cat >/tmp/wordcount.wasm'], {
    input: program,
  });
  spear('', 'task', 'register', 'wordcount', '--runtime', 'wasm', '--artifact', '/tmp/wordcount.wasm');
  const counted = spear('one two three\n', 'invoke', 'wordcount', '--input', '-');
  check('a task of it counts', counted, counted === '1 3 14');
  invokeFromOutside();
  drain();
  docker('rm', name);
  run();
  await untilHealthy();
  const again = spear('one two\n', 'invoke', 'wordcount', '--input', '-');
  check('another container with its volume has the task, which counts', again, again === '1 2 8');
  drain();
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  spawnSync('docker', ['rm', '--force', name], { stdio: 'ignore' });
  spawnSync('docker', ['volume', 'rm', name], { stdio: 'ignore' });
  spawnSync('docker', ['image', 'rm', image, base], { stdio: 'ignore' });
}
