import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import type { Identity } from '../../../src/runtimes/containment/users/identity.ts';
import { LeasedUsers } from '../../../src/runtimes/containment/users/leased-users.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { firstOutput, run } from '../attempt.ts';
import { needsCgroups, openRuntime, Programs, start } from './fixtures.ts';
import { pidOf, until } from './processes.ts';

describe('the users of instances', () => {
  let runtime: Runtime;
  let programs: Programs;

  beforeAll(async () => {
    programs = await Programs.make();
    runtime = await openRuntime();
  });

  afterAll(async () => {
    await runtime.close();
    await programs.remove();
  });

  function needsRoot(context: TestContext): void {
    if (process.geteuid?.() !== 0) context.skip('not root: a node runs programs as itself only');
    needsCgroups(context, runtime);
  }

  it('are different while they run, so that one cannot signal or look into the other', async (context) => {
    needsRoot(context);
    const sleeper = start(runtime, await programs.script('sleeper', 'echo "runs $$"; exec sleep 1000'));
    await firstOutput(sleeper.io, sleeper.running);
    const pid = pidOf('runs', sleeper.io.of('stdout'));
    const intruder = await programs.script(
      'intruder',
      `kill -0 ${pid}; echo "kill $?"; cat /proc/${pid}/environ; echo "look $?"; ls /proc/${pid}/cwd/; echo "enter $?"`,
    );
    const { stdout } = await run(runtime, intruder);
    expect(stdout.toString().match(/^(kill|look|enter) [1-9]\d*$/gm)).toHaveLength(3);
    sleeper.controller.abort();
    expect(await sleeper.running).toMatchObject({ kind: 'stopped' });
  });

  it('go back when an instance has ended', async (context) => {
    needsRoot(context);
    const task = await programs.script('who', 'id -u');
    const seen = new Set<string>();
    const comesAgain = async () => {
      const uid = (await run(runtime, task)).stdout.toString();
      return seen.size < seen.add(uid).size ? 'new' : 'seen before';
    };
    await expect.poll(comesAgain).toBe('seen before');
  });

  it('are not those that a task names', async (context) => {
    needsRoot(context);
    const task = await programs.script('named', 'id -u; id -g', { user: '1234:56' });
    expect((await run(runtime, task)).stdout.toString()).toBe('1234\n56\n');
  });

  it('run out, and none is given twice', async (context) => {
    needsRoot(context);
    const users = new LeasedUsers({
      range: { first: 70_000, last: 70_149, block: 64 },
      folder: await usersFolder(),
    });
    const taken = Array.from({ length: 150 }, () => users.take()?.uid);
    expect(new Set(taken).size).toBe(150);
    expect(taken).not.toContain(undefined);
    expect(users.take()).toBeUndefined();
    users.giveBack({ uid: 70_020, gid: 70_020 });
    expect(users.take()).toEqual({ uid: 70_020, gid: 70_020 });
  });

  it('are not those of another node on the machine', async (context) => {
    needsRoot(context);
    const other = await openRuntime();
    onTestFinished(() => other.close());
    const task = await programs.script('whose', 'id -u');
    const [one, two] = [await run(runtime, task), await run(other, task)];
    const block = ({ stdout }: typeof one) => Math.floor((Number(stdout.toString()) - 61_184) / 64);
    expect(block(one)).toBeGreaterThanOrEqual(0);
    expect(block(two)).not.toBe(block(one));
  });

  it('are another’s when their node is closed, or dead', async () => {
    const folder = await usersFolder();
    const range = { first: 70_000, last: 70_001, block: 2 };
    const [one, two] = [new LeasedUsers({ range, folder }), new LeasedUsers({ range, folder })];
    expect(one.take()).toEqual({ uid: 70_000, gid: 70_000 });
    expect(two.take()).toBeUndefined();
    one.close();
    expect(two.take()).toEqual({ uid: 70_000, gid: 70_000 });
    two.close();
    const namespace = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    // Of this process id, but not started when it was: that process is dead.
    await writeFile(join(folder, `70000.${namespace}.${process.pid}.1.1`), '');
    expect(new LeasedUsers({ range, folder }).take()).toEqual({ uid: 70_000, gid: 70_000 });
  });

  it('come back without the keys that a program has left in the kernel', async (context) => {
    needsRoot(context);
    const keyctl = { x64: { add: 248, control: 250 }, arm64: { add: 217, control: 219 } }[
      process.arch as 'x64'
    ];
    if (keyctl === undefined || !existsSync('/usr/bin/perl')) context.skip('no perl to call the kernel with');
    const range = { first: 70_200, last: 70_200, block: 1 };
    const users = new LeasedUsers({ range, folder: await usersFolder() });
    onTestFinished(() => users.close());
    const identity = await untilTaken(users);
    const as = (script: string) => promisify(execFile)('/usr/bin/perl', ['-e', script], identity);
    const words = 'my ($type, $name, $value) = ("user", "leak", "secret");';
    const find = `${words} print syscall(${keyctl.control}, 10, -4, $type, $name, 0) > 0 ? "found" : "none";`;
    await as(`${words} exit(syscall(${keyctl.add}, $type, $name, $value, 6, -4) > 0 ? 0 : 1)`);
    expect((await as(find)).stdout).toBe('found');
    users.giveBack(identity);
    expect(users.take()).toBeUndefined();
    expect(await untilTaken(users)).toEqual(identity);
    expect((await as(find)).stdout).toBe('none');
  });

  it('are not those that something of an earlier node still runs as', async (context) => {
    needsRoot(context);
    const left = spawn('/bin/sleep', ['1000'], { uid: 70_000, gid: 70_000 });
    onTestFinished(() => void left.kill('SIGKILL'));
    await once(left, 'spawn');
    const users = new LeasedUsers({
      range: { first: 70_000, last: 70_001, block: 2 },
      folder: await usersFolder(),
    });
    expect(users.take()).toEqual({ uid: 70_001, gid: 70_001 });
    expect(users.take()).toBeUndefined();
  });
});

async function untilTaken(users: LeasedUsers): Promise<Identity> {
  let taken: Identity | undefined;
  await until('a user is free', () => {
    taken = users.take();
    return taken !== undefined;
  });
  if (taken === undefined) throw new Error('no user is free');
  return taken;
}

async function usersFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-users-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
