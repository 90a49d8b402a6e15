/** Walks through README.md as a newcomer does: every command, in its order, in one bash. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../cli/spear.ts';
import { inheritedEnvironment } from '../support/environment.ts';
import { compiler, describeWhere, dockerEngine, wasiCompiler } from '../support/needs.ts';
import { blocksOf, readDocument, root } from './readme.ts';

/** Whoever runs this has done so already. */
const notWalked = [
  'npm ci && npm run demo    # a server, a few functions, each way to invoke and end them',
  'npm ci && npm test',
  'sudo apt-get install --no-install-recommends postgresql-15',
  // Another test walks it: test/docs/demo-cluster.test.ts.
  'npm run demo:cluster',
  'sudo apt-get install curl clang lld gcc libc6-dev wasi-libc libclang-rt-14-dev-wasm32',
];

const readme = await readDocument('README.md');
const commands = blocksOf(readme).flat();

test('the commands that are not walked are still there', () => {
  expect(commands).toEqual(expect.arrayContaining(notWalked));
});

test('the Chinese page has the same commands in the same order', async () => {
  const bare = (command: string): string => command.replace(/ +# .*$/gm, '');
  expect(blocksOf(await readDocument('README-zh.md')).map((block) => block.map(bare))).toEqual(
    blocksOf(readme).map((block) => block.map(bare)),
  );
});

test('no document ends processes by a pattern', async () => {
  const files = await readdir(root, { recursive: true });
  const documents = files.filter((file) => file.endsWith('.md') && !file.includes('node_modules/'));
  expect(documents.length).toBeGreaterThan(10);
  for (const file of documents) {
    expect(await readDocument(file), file).not.toMatch(/\b(pkill|killall|pgrep)\b/);
  }
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Said by the script after each command: its exit code, on a descriptor that no command writes to. */
function walk(ports: Readonly<Record<string, number>>): string {
  const moved = (text: string): string =>
    Object.entries(ports).reduce(
      (rest, [from, to]) => rest.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`),
      text,
    );
  const lines = ['trap \'kill "$server" "$second" 2>/dev/null\' EXIT'];
  for (const command of commands) {
    if (notWalked.includes(command)) continue;
    lines.push(moved(command), 'echo "$?" >&3');
  }
  return lines.join('\n');
}

describeWhere([await compiler(), await wasiCompiler(), await dockerEngine()], 'on a fresh machine', () => {
  test('every command of the README works as it stands, in its order', { timeout: 300_000 }, async () => {
    const home = await temporaryFolder();
    const ports = {
      50051: await freePort(),
      8080: await freePort(),
      50052: await freePort(),
      8081: await freePort(),
    };
    onTestFinished(async () => {
      await promisify(execFile)('docker', ['rmi', '-f', 'wordcount', 'countdown']);
      await rm('/tmp/wordcount', { force: true });
    });
    const bash = spawn('bash', ['-c', walk(ports)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: {
        HOME: home,
        ...inheritedEnvironment(),
        SPEAR_ADDRESS: `127.0.0.1:${ports[50051]}`,
        SPEAR_GRPC_ADDRESS: `127.0.0.1:${ports[50051]}`,
        SPEAR_HTTP_ADDRESS: `127.0.0.1:${ports[8080]}`,
      },
    });
    onTestFinished(() => void bash.kill());
    const texts = ['', '', ''];
    for (const [index, stream] of [bash.stdout, bash.stderr, bash.stdio[3]].entries()) {
      stream?.on('data', (part: Buffer) => {
        texts[index] += part.toString();
      });
    }
    await once(bash, 'close');
    const [stdout = '', stderr = '', statuses = ''] = texts;
    const walked = commands.filter((command) => !notWalked.includes(command));
    const codes = statuses.trimEnd().split('\n').map(Number);
    const told = walked.map((command, index) => `${codes[index]}: ${command}`);
    expect(told, `${stdout}\n${stderr}`).toEqual(walked.map((command) => `0: ${command}`));
    expect(stdout).toContain('3\n2\n1\nhello, Ada\n');
    expect(stdout).toContain('"Hello, Ada!"\n');
    expect(stdout).toContain('exit code 124\n');
    expect(stdout).toMatch(/"output": ?"Mw=="/);
    // The container that lived through the crash, from its first line to its last.
    const report = Array.from({ length: 15 }, (_, index) => `${15 - index}\n`).join('');
    expect(stdout).toContain(`${report}hello, world\n`);
  });
});
