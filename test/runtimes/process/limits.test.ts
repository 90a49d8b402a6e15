import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { hoardScript } from '../../support/socket-hoard.ts';
import { run } from '../attempt.ts';
import { needsCgroups, openRuntime, Programs, withLimits } from './fixtures.ts';

const mebibyte = 1024 * 1024;
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

describe('the limits of a process', () => {
  it('has limits by default, where cgroups can be made', (context) => {
    if (process.geteuid?.() !== 0)
      context.skip('not root: cgroups cannot be made, and their limits are not tested');
    expect(runtime.defaultLimits).toEqual({ memory: 128 * mebibyte, processes: 128 });
  });

  it('ends one that needs more memory, children included, and lets the next run', async (context) => {
    if (runtime.defaultLimits.memory === undefined)
      context.skip('no cgroup with the memory controller can be made');
    // tail keeps a line until it has read all of it.
    const task = withLimits(await programs.script('greedy', 'head -c 200000000 /dev/zero | tail'), {
      memory: 32 * mebibyte,
    });
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'MEMORY_LIMIT',
      message: expect.stringContaining(String(32 * mebibyte)),
    });
    expect(outcome.resourceUse.peakMemoryBytes).toBeGreaterThan(16 * mebibyte);
    const modest = withLimits(await programs.script('modest', 'exit 5'), { memory: 32 * mebibyte });
    const next = await run(runtime, modest);
    expect(next.outcome).toMatchObject({ code: 'FUNCTION_EXIT', exitCode: 5 });
    expect(next.outcome.resourceUse.peakMemoryBytes).toBeLessThan(16 * mebibyte);
  });

  it('does not charge one run for the files that another left in memory', async (context) => {
    if (runtime.defaultLimits.memory === undefined)
      context.skip('no cgroup with the memory controller can be made');
    const file = '/dev/shm/spear-test-left';
    const leaves = await programs.script('fills', `head -c 20000000 /dev/zero >${file}; chmod 666 ${file}`);
    const needs = await programs.script('needs', 'head -c 16000000 /dev/zero | tail | wc -c');
    try {
      for (let round = 0; round < 3; round += 1) {
        expect((await run(runtime, withLimits(leaves, { memory: 32 * mebibyte }))).outcome.kind).toBe(
          'completed',
        );
        const { outcome, stdout } = await run(runtime, withLimits(needs, { memory: 32 * mebibyte }));
        expect([outcome.kind, stdout.toString().trim()]).toEqual(['completed', '16000000']);
      }
    } finally {
      await run(runtime, await programs.script('frees', `rm ${file}`));
    }
  });

  it.for(['STREAM', 'DGRAM'])('counts what its sockets hold: %s', async (kind, context) => {
    if (runtime.defaultLimits.memory === undefined)
      context.skip('no cgroup with the memory controller can be made');
    const task = withLimits(await programs.script('hoards', `exec perl -e '${hoardScript}' "$1"`), {
      memory: 32 * mebibyte,
    });
    const { outcome, stdout } = await run(runtime, { ...task, args: [kind] });
    // Version 2 counts them as memory, and may end it for that; version 1 holds them to as much again.
    if (outcome.kind !== 'completed') {
      expect(outcome).toMatchObject({ code: 'MEMORY_LIMIT' });
      return;
    }
    const held = Number(/^held (\d+)$/.exec(stdout.toString().trim())?.[1]);
    expect(held).toBeGreaterThan(mebibyte);
    expect(held).toBeLessThan(64 * mebibyte);
  });

  it('ends one whose sockets are so many that they hold more than its memory', async (context) => {
    if (runtime.defaultLimits.memory === undefined)
      context.skip('no cgroup with the memory controller can be made');
    const hoards = await programs.script(
      'hoards-in-many',
      `for n in 1 2 3 4 5 6 7 8 9 10; do perl -e '${hoardScript} sleep 60' STREAM & done; wait`,
    );
    const { outcome } = await run(runtime, withLimits(hoards, { memory: 64 * mebibyte }));
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'MEMORY_LIMIT',
      message: expect.stringContaining(String(64 * mebibyte)),
    });
    expect(outcome).not.toHaveProperty('remains');
  });

  it('holds a fork bomb to its processes, and kills all of it', async (context) => {
    if (runtime.defaultLimits.processes === undefined)
      context.skip('no cgroup with the pids controller can be made');
    const bomb = withLimits(
      await programs.script('bomb', 'bomb() { bomb | bomb & }\nbomb\nsleep 0.3\nexit 0'),
      {
        processes: 32,
      },
    );
    const [bombed, other] = await Promise.all([
      run(runtime, bomb),
      run(runtime, await programs.script('beside', 'echo fine')),
    ]);
    expect(bombed.outcome).not.toHaveProperty('remains');
    expect(other.stdout.toString()).toBe('fine\n');
    expect((await run(runtime, await programs.script('after', 'echo fine'))).stdout.toString()).toBe(
      'fine\n',
    );
  });

  it('ends one whose processes together used up the CPU time', async (context) => {
    needsCgroups(context, runtime);
    const task = withLimits(
      await programs.script('busy', 'for n in 1 2 3; do (while :; do :; done) & done; wait'),
      {
        cpuTimeMs: 300,
      },
    );
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'CPU_LIMIT',
      message: expect.stringContaining('300 ms'),
    });
    expect(outcome.resourceUse.cpuTimeUs).toBeGreaterThanOrEqual(300_000);
    expect(outcome.resourceUse.cpuTimeUs).toBeLessThan(450_000);
  });

  it('counts the CPU time of each run anew', async (context) => {
    needsCgroups(context, runtime);
    const task = withLimits(
      await programs.script('some', 'n=0; while [ $n -lt 30000 ]; do n=$((n + 1)); done'),
      {
        cpuTimeMs: 1000,
      },
    );
    let sum = 0;
    for (let round = 0; sum < 1_200_000 && round < 200; round += 1) {
      const { outcome } = await run(runtime, task);
      expect(outcome.kind).toBe('completed');
      sum += outcome.resourceUse.cpuTimeUs ?? 0;
    }
    expect(sum).toBeGreaterThan(1_000_000);
  });

  it('gives one its share of a core and no more', async (context) => {
    needsCgroups(context, runtime);
    const script = await programs.script('share', 'n=0; while [ $n -lt 200000 ]; do n=$((n + 1)); done');
    const before = performance.now();
    const { outcome } = await run(runtime, withLimits(script, { cpu: 0.2 }));
    const tookUs = (performance.now() - before) * 1000;
    expect(outcome.kind).toBe('completed');
    expect((outcome.resourceUse.cpuTimeUs ?? 0) / tookUs).toBeLessThan(0.5);
  });

  it('names the limit of a file that became too large', async () => {
    const task = withLimits(await programs.script('writes', 'exec head -c 100000 /dev/zero >file'), {
      fileSize: 10_000,
    });
    const { outcome } = await run(runtime, task);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'SIGNALED',
      exitCode: 153,
      message: expect.stringContaining('limits.file_size'),
    });
  });

  it('refuses a file that one process has open too many', async () => {
    const task = withLimits(await programs.script('opens', 'exec 5</dev/null 6</dev/null 7</dev/null'), {
      openFiles: 6,
    });
    expect((await run(runtime, task)).outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT' });
  });
});
