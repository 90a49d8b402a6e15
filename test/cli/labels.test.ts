import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalServer, startServer } from '../support/server.ts';
import { sitDown } from './terminal.ts';

const artifact = fileURLToPath(new URL('../../examples/misbehaving/exit.wasm', import.meta.url));
let server: LocalServer;
let folder: string;

beforeAll(async () => {
  server = await startServer();
  const labels = ['--label', 'team=data', '--label', 'env=test'];
  await done('task', 'register', 'one', '--runtime', 'wasm', '--artifact', artifact, ...labels);
  folder = await mkdtemp(join(tmpdir(), 'spear-labels-'));
  const file = join(folder, 'task.yaml');
  await writeFile(
    file,
    `name: two\nruntime: wasm\nartifact: ${artifact}\nlabels: { team: data, x.org/size: 1.10 }\n`,
  );
  await done('task', 'register', '--file', file);
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function done(...args: string[]): Promise<string> {
  const { out, err, ended } = sitDown(args, server.grpcAddress);
  expect(await ended, err.text).toBe(0);
  return out.text;
}

async function refused(...args: string[]): Promise<string> {
  const { err, ended } = sitDown(args, server.grpcAddress);
  expect(await ended).toBe(64);
  return err.text;
}

test('labels of flags and of a file are shown with their task, as they were written', async () => {
  expect((await done('task', 'show', 'one')).replace(/ {2,}/g, '  ')).toContain(
    'label  env=test\nlabel  team=data\n',
  );
  expect((await done('task', 'show', 'two')).replace(/ {2,}/g, '  ')).toContain('label  x.org/size=1.10\n');
});

test('tasks and executions are listed by their labels', async () => {
  const names = async (...labels: string[]) => {
    const text = await done('task', 'list', '--json', ...labels.flatMap((each) => ['--label', each]));
    const { tasks } = JSON.parse(text) as { tasks: { definition: { name: string } }[] };
    return tasks.map(({ definition }) => definition.name);
  };
  expect(await names('team=data')).toEqual(['one', 'two']);
  expect(await names('team=data', 'env=test')).toEqual(['one']);
  const invoke = ['invoke', 'one', '--mode', 'async', '--arg', '0'];
  const id = (await done(...invoke, '--label', 'env=prod', '--label', 'run=')).trim();
  const other = (await done(...invoke)).trim();
  const listed = async (...labels: string[]) => {
    const text = await done('list', '--json', ...labels.flatMap((each) => ['--label', each]));
    return (JSON.parse(text) as { executions: { executionId: string; labels: object }[] }).executions;
  };
  expect(await listed('env=prod')).toMatchObject([
    { executionId: id, labels: { env: 'prod', run: '', team: 'data' } },
  ]);
  expect((await listed('team=data')).map(({ executionId }) => executionId)).toEqual([other, id]);
  expect((await done('status', id)).replace(/ {2,}/g, '  ')).toContain('label  env=prod\n');
});

test('a label that is not allowed is refused in the words of the command line', async () => {
  const bad = ['--label', 'a b=x'];
  const says = '--label "a b": is not a key; allowed is 1 to 63 of [A-Za-z0-9._/-]';
  const task = ['--runtime', 'wasm', '--artifact', artifact];
  expect(await refused('task', 'register', 'bad', ...task, ...bad)).toContain(says);
  expect(await refused('invoke', 'one', ...bad)).toContain(says);
  expect(await refused('list', ...bad)).toContain(says);
  expect(await refused('task', 'list', ...bad)).toContain(says);
  expect(await refused('invoke', 'one', '--label', 'team')).toContain(
    '--label: is "team"; allowed is KEY=VALUE',
  );
});
