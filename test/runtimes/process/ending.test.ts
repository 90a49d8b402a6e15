import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ownHierarchies } from '../../../src/runtimes/containment/cells/hierarchy.ts';
import type { InstanceRuntime, Runtime } from '../../../src/runtimes/runtime.ts';
import { isSettled } from '../../support/fake-clock.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { attemptOf, Collected, firstOutput, run } from '../attempt.ts';
import { launchOf, needsCgroups, open, openRuntime, Programs, start } from './fixtures.ts';
import { isAlive, pidOf } from './processes.ts';

let programs: Programs;
let runtime: Runtime;

beforeAll(async () => {
  programs = await Programs.make();
  runtime = await openRuntime();
});

afterAll(async () => {
  await runtime.close();
  await programs.remove();
});

/** Starts a process in a session of its own and says its id; it ignores what can be ignored. */
const leaveBehind = `setsid sh -c 'trap "" TERM INT HUP; echo "left $$"; >ready; exec >/dev/null 2>&1; while :; do sleep 1; done' &`;

describe('the end of a program', () => {
  it('takes with it what the program left behind in other sessions', async (context) => {
    needsCgroups(context, runtime);
    const task = await programs.script(
      'leaves',
      `${leaveBehind}\nuntil [ -e ready ]; do sleep 0.01; done\nexit 1`,
    );
    const { outcome, stdout } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT', exitCode: 1 });
    expect(outcome).not.toHaveProperty('remains');
    expect(isAlive(pidOf('left', stdout))).toBe(false);
  });

  it('takes with it what holds its output open', async (context) => {
    needsCgroups(context, runtime);
    const task = await programs.script('holds', 'setsid sleep 1000 &\necho "left $!"\nexit 0');
    const { outcome, stdout } = await run(runtime, task);
    expect(outcome).toMatchObject({ kind: 'completed', exitCode: 0 });
    expect(isAlive(pidOf('left', stdout))).toBe(false);
  });

  it('names the signal that ended it', async () => {
    const task = await programs.script('signalled', 'kill -SEGV $$');
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'SIGNALED',
      exitCode: 139,
      message: expect.stringContaining('SIGSEGV'),
    });
  });

  // All that end a process and are not a matter of memory or CPU time; 32 and 33 are the C library's own.
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 26, 27, 29, 30, 31, 32, 33, 34, 50, 64])(
    'is known by its number where that was signal %i',
    async (number) => {
      const task = await programs.script('signals-itself', `kill -${number} $$\nsleep 5`);
      expect((await run(runtime, task)).outcome).toMatchObject({
        kind: 'failed',
        code: 'SIGNALED',
        exitCode: 128 + number,
      });
    },
  );

  it.each([34, 64])('is known where signal %i went to all of its process group', async (number) => {
    const task = await programs.script('signals-all', `kill -${number} 0\nsleep 5`);
    expect((await run(runtime, task)).outcome).toMatchObject({ code: 'SIGNALED', exitCode: 128 + number });
  });

  it('is not taken for success where nobody knows the signal', async () => {
    const task = await programs.script('signals-launcher', 'kill -32 0\nsleep 5');
    expect((await run(runtime, task)).outcome).toMatchObject({ kind: 'failed', code: 'SIGNALED' });
  });

  it('by a signal is told apart from an exit code over 128', async () => {
    for (const code of [129, 137, 139, 143, 162, 255]) {
      const task = await programs.script(`exits-${code}`, `exit ${code}`);
      expect((await run(runtime, task)).outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: code });
    }
  });

  it('is known although it closed its output long before', async () => {
    const task = await programs.script('closes', 'exec >&- 2>&-\nsleep 0.1\nexit 3');
    expect((await run(runtime, task)).outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 3 });
  });
});

describe('a program that is asked to stop', () => {
  it('is stopped at the first rung although it then exits with 0', async () => {
    const task = await programs.script(
      'obeys',
      "trap 'echo cleaned; exit 0' TERM\necho ready\nwhile :; do sleep 0.01; done",
    );
    const going = start(runtime, task);
    await firstOutput(going.io, going.running);
    going.controller.abort();
    expect(await going.running).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(going.io.of('stdout').toString()).toBe('ready\ncleaned\n');
  });

  it('is killed after its grace where it takes no notice, with everything in other sessions', async (context) => {
    needsCgroups(context, runtime);
    const graceMs = 12_345;
    const clock = new HeldClock(graceMs);
    const own = await openRuntime({ clock });
    onTestFinished(() => own.close());
    const lines = `trap '' TERM\n${leaveBehind}\nwhile :; do sleep 1; done`;
    const going = start(own, await programs.script('stubborn', lines, { graceMs }));
    await firstOutput(going.io, going.running);
    const left = pidOf('left', going.io.of('stdout'));
    going.controller.abort();
    await expect.poll(() => clock.held).toBe(1);
    expect(await isSettled(going.running)).toBe(false);
    expect(isAlive(left)).toBe(true);
    clock.ring();
    expect(await going.running).toMatchObject({ kind: 'stopped', rung: 'kill' });
    expect(isAlive(left)).toBe(false);
  });

  it('leaves nothing in other sessions where it obeys', async (context) => {
    needsCgroups(context, runtime);
    const task = await programs.script('half', `${leaveBehind}\nwait`);
    const going = start(runtime, task);
    await firstOutput(going.io, going.running);
    going.controller.abort();
    expect(await going.running).toMatchObject({ kind: 'stopped', rung: 'term' });
    expect(isAlive(pidOf('left', going.io.of('stdout')))).toBe(false);
  });

  it('is stopped although it is stopped as a job', async () => {
    const task = await programs.script(
      'frozen',
      'trap : TERM\necho ready\nkill -STOP $$\nwhile :; do :; done',
      { graceMs: 100 },
    );
    const going = start(runtime, task);
    await firstOutput(going.io, going.running);
    going.controller.abort();
    expect(await going.running).toMatchObject({ kind: 'stopped', rung: 'kill' });
  });

  it('ends also where that is before its launcher became it', async () => {
    const task = await programs.script('early', "trap '' TERM\nwhile :; do :; done", { graceMs: 100 });
    for (let round = 0; round < 20; round += 1) {
      const going = start(runtime, task);
      for (let turn = 0; turn < round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      going.controller.abort();
      expect(await going.running).toMatchObject({ kind: 'stopped' });
    }
  });
});

describe('an instance that was started ahead', () => {
  let instances: InstanceRuntime;

  beforeAll(async () => {
    instances = await open();
  });

  afterAll(() => instances.close());

  it('waits for its input and answers', async () => {
    const attempt = attemptOf(await programs.script('answers', 'exec cat'), { input: Buffer.from('hello') });
    const instance = await instances.launch(launchOf(attempt), new AbortController().signal);
    const io = new Collected();
    const outcome = await instance.serve(attempt, io, new AbortController().signal);
    expect(outcome).toMatchObject({ kind: 'completed', instanceId: 'instance_1' });
    expect(io.of('stdout').toString()).toBe('hello');
    await instance.gone;
  });

  it('is spoiled by what it writes before, which is still delivered where it serves', async () => {
    const attempt = attemptOf(await programs.script('talks', 'echo early >&2\nexec cat'), {
      input: Buffer.from('late'),
    });
    const instance = await instances.launch(launchOf(attempt), new AbortController().signal);
    expect(await instance.spoiled).toMatch(/wrote/);
    const io = new Collected();
    expect(await instance.serve(attempt, io, new AbortController().signal)).toMatchObject({
      kind: 'completed',
    });
    expect([io.of('stderr').toString(), io.of('stdout').toString()]).toEqual(['early\n', 'late']);
  });

  it('is spoiled when it ends, and says so of a program that cannot be executed', async () => {
    const attempt = attemptOf(await programs.script('ends', 'exit 4'));
    const instance = await instances.launch(launchOf(attempt), new AbortController().signal);
    expect(await instance.spoiled).toMatch(/ended/);
    await instance.gone;
    expect(await instance.discard()).toBe(true);
  });

  it('is gone after it was discarded', async () => {
    const attempt = attemptOf(await programs.script('waits', 'trap \'\' TERM\necho "left $$"\nread -r line'));
    const instance = await instances.launch(launchOf(attempt), new AbortController().signal);
    expect(await instance.discard()).toBe(true);
    await instance.gone;
  });

  it('is stopped without input where its attempt was given up before', async () => {
    const attempt = attemptOf(await programs.script('reads', 'exec cat'), { input: Buffer.from('never') });
    const instance = await instances.launch(launchOf(attempt), new AbortController().signal);
    const io = new Collected();
    expect(await instance.serve(attempt, io, AbortSignal.abort())).toMatchObject({
      kind: 'stopped',
      rung: 'cooperative',
    });
    expect(io.bytes).toBe(0);
  });

  it('is not started for a signal that is aborted already', async () => {
    const attempt = attemptOf(await programs.script('aborted', ':'));
    await expect(
      instances.launch(launchOf(attempt), AbortSignal.abort(new Error('given up'))),
    ).rejects.toThrow('given up');
  });

  it('ends with the runtime, and none can be started after', async () => {
    const closing = await open();
    const attempt = attemptOf(await programs.script('stays', 'read -r line'));
    const instance = await closing.launch(launchOf(attempt), new AbortController().signal);
    await closing.close();
    await instance.gone;
    await expect(closing.launch(launchOf(attempt), new AbortController().signal)).rejects.toMatchObject({
      name: 'LaunchError',
      code: 'RUNTIME_UNAVAILABLE',
    });
  });
});

describe('the output of a program', () => {
  it('is whole where it is large', async () => {
    const input = Buffer.alloc(64 * 1024 * 1024);
    for (let index = 0; index < input.length; index += 4)
      input.writeUInt32LE((index * 2654435761) >>> 0, index);
    const task = await programs.script('large', 'exec cat');
    const { stdout, outcome } = await run(runtime, task, { input });
    expect(outcome.kind).toBe('completed');
    expect(stdout.equals(input)).toBe(true);
  });

  it('is all there although the program exits before its input was written', async () => {
    const task = await programs.script('impatient', 'echo done\nexec <&-\nexit 0');
    const { outcome, stdout } = await run(runtime, task, { input: Buffer.alloc(16 * 1024 * 1024) });
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(stdout.toString()).toBe('done\n');
  });

  it('is not waited for where a process outside holds the stream', async (context) => {
    needsCgroups(context, runtime);
    const signal = join(programs.folder, 'moved');
    const lines = 'setsid sleep 1000 &\necho "left $!"\nuntil [ -e "$1" ]; do sleep 0.01; done';
    const going = start(runtime, await programs.script('given', lines), { args: [signal] });
    await firstOutput(going.io, going.running);
    const escaped = pidOf('left', going.io.of('stdout'));
    moveOut(escaped);
    try {
      await writeFile(signal, '');
      expect(await going.running).toMatchObject({ kind: 'completed' });
      expect(isAlive(escaped)).toBe(true);
    } finally {
      process.kill(escaped, 'SIGKILL');
    }
  });
});

/** Takes a process out of the runtime's reach, as only root can. */
function moveOut(pid: number): void {
  const read = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8');
  for (const { folder } of ownHierarchies(read('cgroup'), read('mountinfo'))) {
    writeFileSync(`${folder}/cgroup.procs`, String(pid));
  }
}
