import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, temporaryFolder } from './spear.ts';

let source: LocalServer;
let target: LocalServer;

beforeAll(async () => {
  [source, target] = await Promise.all([startServer(), startServer()]);
  for (const name of ['env', 'other', 'third']) {
    await source.register(name, 'misbehaving/env.wasm', { environment: { SECRET: 'of the source' } });
  }
  await source.register('cat', 'misbehaving/cat.wasm');
});

afterAll(() => Promise.all([source?.stop(), target?.stop()]));

async function waiting(task = 'env'): Promise<string> {
  const { executionId } = await source.functions.invokeFunction({
    task,
    executionMode: ExecutionMode.ASYNC,
    startAfter: { seconds: 3600n },
  });
  return executionId;
}

const here = () => ({ address: source.grpcAddress });
const there = () => ({ address: target.grpcAddress });

test('an execution goes from one server to another through a file', async () => {
  const id = await waiting();
  const taken = await run(['snapshot', id, '--detach', '--with-env', '--with-artifact'], here());
  expect(taken.code, taken.stderr).toBe(0);
  expect(taken.stderr).toContain(`spear: ${id} in pending.waiting, events 1 to 1, moved from here\n`);
  expect(JSON.parse(taken.stdout.toString())).toMatchObject({ spearSnapshot: 1 });
  const file = join(await temporaryFolder(), 'moved.json');
  await writeFile(file, taken.stdout);

  const restored = await run(['restore', file, '--hold'], there());
  expect(restored.code, restored.stderr).toBe(0);
  expect(restored.stdout.toString()).toBe(`${id}\n`);
  expect(restored.stderr).toContain(`spear: ${id} is pending.held\n`);
  expect(restored.stderr).toContain('task env came with the snapshot');

  const again = await run(['restore', file], there());
  expect(again.code).toBe(64);
  expect(errorLine(again)).toContain(`${id} is here already`);
});

test('through a pipe, with a value that was left out', async () => {
  const id = await waiting('other');
  const taken = await run(['snapshot', id, '--with-artifact'], here());
  expect(taken.stderr).toContain('spear: not carried: the values of the environment variables SECRET');
  expect(taken.stdout.toString()).not.toContain('of the source');
  const without = await run(['restore', '-', '--as-new'], { ...there(), input: taken.stdout });
  expect(without.code).toBe(64);
  expect(errorLine(without)).toContain('SECRET');
  const args = ['restore', '-', '--as-new', '--env', 'SECRET=new', '--json'];
  const restored = await run(args, { ...there(), input: taken.stdout });
  expect(restored.code, restored.stderr).toBe(0);
  const answer = JSON.parse(restored.stdout.toString()) as { result: { executionId: string } };
  expect(answer).toMatchObject({ originExecutionId: id, signedBy: '', result: { originExecutionId: id } });
  expect(answer.result.executionId).not.toBe(id);
  const copied = await run(['restore', '-', '--allow-copy', '--env', 'SECRET=new'], {
    ...there(),
    input: taken.stdout,
  });
  expect(copied.stdout.toString()).toBe(`${id}\n`);
});

test('a refusal names flags, as people have them', async () => {
  const id = await waiting('third');
  const document = async (...flags: string[]) => (await run(['snapshot', id, ...flags], here())).stdout;
  const refused = async (input: Buffer, ...flags: string[]) => {
    const ended = await run(['restore', '-', ...flags], { ...there(), input });
    expect(ended.code).toBe(64);
    return errorLine(ended);
  };
  const redacted = await document('--with-artifact');
  expect(await refused(redacted)).toContain(
    'take the snapshot with --detach, or restore it under a new id (--as-new), or let both go on (--allow-copy)',
  );
  expect(await refused(redacted, '--as-new')).toContain(
    'SECRET; give each with --env, or take it with --with-env',
  );
  expect(await refused(redacted, '--as-new', '--env', 'SECRET=x', '--env', 'OTHER=x')).toContain(
    'spear: --env OTHER: is not left out of this snapshot',
  );
  const many = Array.from({ length: 1025 }, (_, number) => ['--env', `V${number}=x`]).flat();
  expect(await refused(redacted, ...many)).toContain('spear: --env: has 1025 entries');
  const whole = await document('--detach', '--with-env', '--with-artifact');
  expect((await run(['restore', '-', '--hold'], { ...there(), input: whole })).code).toBe(0);
  expect(await refused(whole)).toContain('restore it under a new id (--as-new)');
});

test('a refusal for want of the artifact names the flag that takes it along', async () => {
  const { stdout } = await run(['snapshot', await waiting('cat')], here());
  const ended = await run(['restore', '-', '--as-new'], { ...there(), input: stdout });
  expect(errorLine(ended)).toContain('take the snapshot with its artifact (--with-artifact)');
});

test('with --json a snapshot is its messages, a line each', async () => {
  const id = await waiting();
  const { code, stdout, stderr } = await run(['snapshot', id, '--json'], here());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [first, second] = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(first).toMatchObject({ summary: { executionId: id, notCarried: expect.any(Array) } });
  expect(second).toMatchObject({ data: expect.any(String) });
});

test('what cannot be read or found is said in a line', async () => {
  const folder = await temporaryFolder();
  const missing = await run(['restore', join(folder, 'none.json')], there());
  expect(missing.code).toBe(64);
  expect(errorLine(missing)).toContain('there is no such file');
  expect(errorLine(await run(['restore', folder], there()))).toContain('is a folder');
  const unknown = await run(['snapshot', `exec_${'0'.repeat(26)}`], here());
  expect(unknown.code).toBe(127);
  const file = join(folder, 'broken.json');
  await writeFile(file, (await readFile(new URL(import.meta.url))).subarray(0, 500));
  const broken = await run(['restore', file], there());
  expect(broken.code).toBe(64);
  expect(errorLine(broken)).toContain('line 1');
});
