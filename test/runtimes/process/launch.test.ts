import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, symlinkSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { run } from '../attempt.ts';
import { openRuntime, Programs, taskOf, withLimits } from './fixtures.ts';

let programs: Programs;

beforeAll(async () => {
  programs = await Programs.make();
});

afterAll(() => programs.remove());

/** A task that runs a program of the system. */
async function existing(path: string): Promise<TaskDefinition> {
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  return taskOf('existing', path, sha256);
}

/** Shells that can be called sh: the three that systems have. */
const shells = [
  ['dash', '/bin/dash'],
  ['busybox', '/bin/busybox'],
  ['bash', '/bin/bash'],
] as const;

describe.each(shells)('a launcher in %s', (name, path) => {
  let runtime: Runtime;

  beforeAll(async () => {
    const shell = join(programs.folder, `shell-${name}`, 'sh');
    await mkdir(join(shell, '..'));
    // Which of its programs busybox is goes by the name it is called by.
    symlinkSync(existsSync(path) ? path : '/bin/sh', shell);
    runtime = await openRuntime({ shell });
  });

  afterAll(() => runtime.close());

  it('is there', (context) => {
    if (!existsSync(path)) context.skip(`${path} is not installed`);
    expect(execFileSync(join(programs.folder, `shell-${name}`, 'sh'), ['-c', 'echo yes']).toString()).toBe(
      'yes\n',
    );
  });

  it('hands nothing on but the three streams', async () => {
    const task = await programs.script(`fds-${name}`, 'exec ls /proc/self/fd');
    const { stdout } = await run(runtime, task);
    // 3 is the folder that ls reads.
    expect(stdout.toString().split('\n').filter(Boolean)).toEqual(['0', '1', '2', '3']);
  });

  it('hands no variable on but those that were given', async () => {
    const task = await existing('/usr/bin/env');
    const { stdout } = await run(runtime, task, { environment: { ONE: '1' } });
    expect(stdout.toString()).toBe('ONE=1\n');
    expect((await run(runtime, task)).stdout.toString()).toBe('');
  });

  it('hands on variables that mean something to a shell, or that no shell can carry', async () => {
    const environment = {
      'with.dot': 'a b',
      PWD: '/nowhere',
      SHLVL: '7',
      LC_ALL: 'xx_XX',
      IFS: 'x',
      PATH: '/bin:/usr/bin',
    };
    const task = await existing('/usr/bin/env');
    const { stdout, stderr } = await run(runtime, { ...task, environment });
    const given = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    expect(stdout.toString().split('\n').filter(Boolean).sort()).toEqual(given.sort());
    expect(stderr.toString()).toBe('');
  });

  it('keeps every byte of an argument', async () => {
    const task = await programs.script(`args-${name}`, 'for arg; do printf "<%s>" "$arg"; done');
    const args = ['', ' a  b ', '$HOME `id` \'"\\', '-n', 'ünï\n'];
    const { stdout } = await run(runtime, { ...task, args: args.slice(0, 2) }, { args: args.slice(2) });
    expect(stdout.toString()).toBe(args.map((arg) => `<${arg}>`).join(''));
  });

  it('tells a program that exits with 126 or 127 from one that cannot be executed', async () => {
    for (const code of [126, 127]) {
      const task = await programs.script(`exit-${code}-${name}`, `exit ${code}`);
      const { outcome } = await run(runtime, task);
      expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: code });
    }
    const task = await programs.script(`mode-${name}`, ':');
    if (task.artifact.kind !== 'process') throw new Error('not a process');
    // The digest still agrees.
    await chmod(task.artifact.path, 0o644);
    const { outcome, stderr } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'START_FAILED' });
    expect(outcome).not.toHaveProperty('exitCode');
    if (name !== 'bash') expect(stderr.toString()).toMatch(/Permission denied/);
    await run(runtime, await programs.script(`after-${name}`, ':'));
    const next = await run(runtime, await programs.script(`next-${name}`, 'exit 126'));
    expect(next.outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 126 });
  });

  it('holds each process to its open files and to the size of its files', async () => {
    const task = await programs.script(`limits-${name}`, 'cat /proc/self/limits');
    const { stdout } = await run(
      runtime,
      withLimits(task, { openFiles: 33, fileSize: 10_000, cpuTimeMs: 1500 }),
    );
    const soft = (limit: string) => new RegExp(`^${limit}\\s+(\\S+)`, 'm').exec(stdout.toString())?.[1];
    expect(soft('Max open files')).toBe('33');
    expect(soft('Max file size')).toBe('9728');
    expect(soft('Max cpu time')).toBe('2');
    expect(soft('Max core file size')).toBe('0');
  });

  it('names the limit that it could not set', async () => {
    const task = await programs.script(`most-${name}`, ':');
    const { outcome } = await run(runtime, withLimits(task, { openFiles: 2 ** 30 }));
    expect(outcome).toMatchObject({ kind: 'failed', code: 'START_FAILED' });
    expect(outcome).toHaveProperty('message', expect.stringContaining('limits.open_files'));
  });
});

describe('a program and its file', () => {
  let runtime: Runtime;

  beforeAll(async () => {
    runtime = await openRuntime();
  });

  afterAll(() => runtime.close());

  it('is not started when it has changed since it was registered', async () => {
    const task = await programs.script('changing', 'echo first');
    expect((await run(runtime, task)).outcome.kind).toBe('completed');
    if (task.artifact.kind !== 'process') throw new Error('not a process');
    await writeFile(task.artifact.path, '#!/bin/sh\necho other\n');
    const { outcome, stdout } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'ARTIFACT_UNAVAILABLE' });
    expect(stdout.length).toBe(0);
    await writeFile(task.artifact.path, '#!/bin/sh\necho first\n');
    expect((await run(runtime, task)).outcome.kind).toBe('completed');
  });

  it('is not started when it is gone', async () => {
    const task = await programs.script('gone', ':');
    if (task.artifact.kind !== 'process') throw new Error('not a process');
    await rm(task.artifact.path);
    expect((await run(runtime, task)).outcome).toMatchObject({
      kind: 'failed',
      code: 'ARTIFACT_UNAVAILABLE',
    });
  });

  it('is said not to start when its interpreter is missing', async () => {
    const task = await programs.program('no-interpreter', '#!/no/such/interpreter\n');
    expect((await run(runtime, task)).outcome).toMatchObject({ kind: 'failed', code: 'START_FAILED' });
  });

  it('is said not to start when its arguments do not fit, or its folder is gone', async () => {
    const task = await programs.script('starting', ':');
    const large = await run(runtime, task, { args: Array.from({ length: 40 }, () => 'x'.repeat(100_000)) });
    expect(large.outcome).toMatchObject({ kind: 'failed', code: 'START_FAILED' });
    expect(large.outcome).toHaveProperty('message', expect.stringContaining('too large'));
    const lost = await run(runtime, { ...task, workingDirectory: join(programs.folder, 'no-folder') });
    expect(lost.outcome).toMatchObject({ kind: 'failed', code: 'START_FAILED' });
    expect(lost.outcome).toHaveProperty('message', expect.stringContaining('working directory'));
  });
});
