import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { LeasedUsers } from '../../../src/runtimes/containment/leased-users.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { firstOutput, run } from '../attempt.ts';
import { needsCgroups, openRuntime, Programs, start } from './fixtures.ts';
import { pidOf } from './processes.ts';

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
    const first = (await run(runtime, task)).stdout.toString();
    expect((await run(runtime, task)).stdout.toString()).toBe(first);
  });

  it('are not those that a task names', async (context) => {
    needsRoot(context);
    const task = await programs.script('named', 'id -u; id -g', { user: '1234:56' });
    expect((await run(runtime, task)).stdout.toString()).toBe('1234\n56\n');
  });

  it('run out, and none is given twice', () => {
    const users = new LeasedUsers();
    const taken = Array.from({ length: 3816 }, () => users.take()?.uid);
    expect(new Set(taken).size).toBe(3816);
    expect(users.take()).toBeUndefined();
    users.giveBack({ uid: 61_200, gid: 61_200 });
    expect(users.take()).toEqual({ uid: 61_200, gid: 61_200 });
  });
});
