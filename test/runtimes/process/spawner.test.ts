import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../src/actors/time/system-clock.ts';
import { Spawner } from '../../../src/runtimes/containment/launch/spawner.ts';
import type { SpawnerOptions } from '../../../src/runtimes/containment/launch/spawner-process.ts';
import { firstOutput, run } from '../attempt.ts';
import { needsCgroups, newNodeId, openRuntime, Programs, start } from './fixtures.ts';
import { isAlive, pidOf, processesWith, until } from './processes.ts';

const execute = promisify(execFile);
let programs: Programs;

beforeAll(async () => {
  programs = await Programs.make();
});

afterAll(() => programs.remove());

/** A spawner with a folder of its own. */
async function openSpawner(options: Partial<SpawnerOptions> = {}): Promise<Spawner> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-spawner-'));
  const spawner = new Spawner({ folder, clock: systemClock, wrapper: [], ...options });
  onTestFinished(async () => {
    await spawner.close();
    await rm(folder, { recursive: true });
  });
  return spawner;
}

/** Where a spawner connects to. */
function socketIn(folder: string): string {
  const [name = ''] = readdirSync(folder).filter((entry) => entry.startsWith('streams-'));
  return join(folder, name);
}

/** The spawners of this process that live. */
function spawners(): number[] {
  return processesWith('prepareStreams').filter((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(parent) === process.pid && state !== 'Z';
  });
}

describe('a spawner that is killed', () => {
  it('loses what it has started, which is ended, and is there again for the next', async (context) => {
    const runtime = await openRuntime();
    onTestFinished(() => runtime.close());
    needsCgroups(context, runtime);
    const task = await programs.script('waits', 'echo "runs $$"; sleep 1000');
    const { io, running } = start(runtime, task);
    await firstOutput(io, running);
    const program = pidOf('runs', io.of('stdout'));
    for (const pid of spawners()) process.kill(pid, 'SIGKILL');
    expect(await running).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
    await until('the program is gone', () => !isAlive(program));
    const { outcome, stdout } = await run(runtime, await programs.script('next', 'echo next'));
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(stdout.toString()).toBe('next\n');
  });

  it('is gone with its runtime', async () => {
    const runtime = await openRuntime();
    await run(runtime, await programs.script('one', ':'));
    expect(spawners()).toHaveLength(1);
    await runtime.close();
    expect(spawners()).toEqual([]);
  });
});

describe('a spawner that is closed', () => {
  it('starts nothing more, and no other in its place', async () => {
    const spawner = await openSpawner();
    const request = { file: '/bin/true', args: [], environment: {}, cwd: '/', joins: [] };
    expect(await (await spawner.spawn(request)).exited).toMatchObject({ code: 0 });
    await spawner.close();
    expect(await (await spawner.spawn(request)).exited).toMatchObject({ failed: 'EPIPE' });
    expect(spawners()).toEqual([]);
  });
});

describe('the streams of programs', () => {
  it('carry both directions on stdin, for a program that answers there', async () => {
    const spawner = await openSpawner();
    const file = '/bin/sh';
    const child = await spawner.spawn({
      ...request,
      file,
      args: ['-c', 'read -r line; echo "$line too" >&0'],
    });
    child.stdin.write('there\n');
    expect(await text(child.stdin)).toBe('there too\n');
    child.stdin.end();
  });

  const request = { args: [], environment: {}, cwd: '/', joins: [] };

  it('are each program’s own, however many start at once', async () => {
    const spawner = await openSpawner();
    const outputs = Array.from({ length: 50 }, async (_, index) => {
      const child = await spawner.spawn({ ...request, file: '/bin/cat' });
      child.stdin.end(`input ${index}`);
      const [output, errors, exit] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        child.exited,
      ]);
      return { output, errors, code: exit.code };
    });
    expect(await Promise.all(outputs)).toEqual(
      Array.from({ length: 50 }, (_, index) => ({ output: `input ${index}`, errors: '', code: 0 })),
    );
  });

  it('close for a program that cannot be started, which says why', async () => {
    const spawner = await openSpawner();
    const child = await spawner.spawn({ ...request, file: '/bin/cat', cwd: '/no/such/folder' });
    expect(await child.exited).toMatchObject({ failed: 'ENOENT' });
    expect([await text(child.stdout), await text(child.stderr)]).toEqual(['', '']);
  });

  it('are not given to one who connects without the token', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-spawner-'));
    const spawner = await openSpawner({ folder });
    await (await spawner.spawn({ ...request, file: '/bin/true' })).exited;
    const stranger = connect(socketIn(folder));
    stranger.write(`${'0'.repeat(32)} 0000000001 1\n`);
    expect(await text(stranger)).toBe('');
    const child = await spawner.spawn({ ...request, file: '/bin/cat' });
    child.stdin.end('still mine');
    expect(await text(child.stdout)).toBe('still mine');
  });
});

describe('strangers who reach the socket of a spawner', () => {
  it('hold a bounded number of connections, for a bounded time, and keep no program from its streams', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-spawner-'));
    const spawner = await openSpawner({ folder });
    const request = { args: [], environment: {}, cwd: '/', joins: [] };
    await (await spawner.spawn({ ...request, file: '/bin/true' })).exited;
    const path = socketIn(folder);
    const strangers = Array.from({ length: 200 }, () => connect(path));
    const closed = strangers.map((stranger) => {
      stranger.on('error', () => {});
      stranger.resume();
      return new Promise((resolve) => stranger.once('close', resolve));
    });
    const child = await spawner.spawn({ ...request, file: '/bin/cat' });
    child.stdin.end('not theirs');
    expect(await text(child.stdout)).toBe('not theirs');
    await Promise.all(closed);
  });

  it('cannot be other users than the node’s', async (context) => {
    if (process.geteuid?.() !== 0) context.skip('not root: programs run as the node');
    const nodeId = newNodeId();
    const runtime = await openRuntime({ nodeId });
    onTestFinished(() => runtime.close());
    const folder = join(tmpdir(), `spear-${nodeId}`, 'node');
    const task = await programs.script('stranger', 'ls "$1"');
    const { outcome, stdout } = await run(runtime, { ...task, args: [folder] });
    expect(socketIn(folder)).toContain('streams-');
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT' });
    expect(stdout.toString()).toBe('');
    // Abstract sockets have no folder that could keep others out.
    expect(readFileSync('/proc/net/unix', 'latin1')).not.toMatch(new RegExp(`@.*${nodeId}`));
  });
});

describe('a spawner that is stopped', () => {
  it('is noticed and ended with what it has started, and is there again for the next', async (context) => {
    const runtime = await openRuntime();
    onTestFinished(() => runtime.close());
    needsCgroups(context, runtime);
    const task = await programs.script('waits-for-it', 'echo "runs $$"; sleep 1000');
    const { io, running } = start(runtime, task);
    await firstOutput(io, running);
    const program = pidOf('runs', io.of('stdout'));
    const stopped = spawners();
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    expect(await running).toMatchObject({ kind: 'failed', code: 'INSTANCE_LOST' });
    expect(isAlive(program)).toBe(false);
    expect(stopped.some(isAlive)).toBe(false);
    const { stdout } = await run(runtime, await programs.script('after-it', 'echo next'));
    expect(stdout.toString()).toBe('next\n');
  });

  it('is noticed by a start that it does not make', async () => {
    const spawner = await openSpawner();
    const request = { file: '/bin/true', args: [], environment: {}, cwd: '/', joins: [] };
    await (await spawner.spawn(request)).exited;
    for (const pid of spawners()) process.kill(pid, 'SIGSTOP');
    const starts = await Promise.all(Array.from({ length: 8 }, () => spawner.spawn(request)));
    for (const { exited } of starts) {
      const { lost, failed } = await exited;
      expect(lost === true || failed === 'EPIPE').toBe(true);
    }
    expect(await (await spawner.spawn(request)).exited).toMatchObject({ code: 0 });
  });

  it('does not keep the node from its end', async () => {
    const runtime = await openRuntime();
    await run(runtime, await programs.script('before-the-end', ':'));
    const stopped = spawners();
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    await runtime.close();
    expect(stopped.length).toBeGreaterThan(0);
    expect(stopped.some(isAlive)).toBe(false);
  });
});

describe('a node that is short of descriptors', () => {
  it('starts programs again when it has some', async () => {
    const { artifact } = await programs.script('short', 'exec cat');
    if (artifact.kind !== 'process') throw new Error('not a process');
    const script = join(import.meta.dirname, 'short-node.ts');
    const { stdout } = await execute(
      '/bin/sh',
      ['-c', 'ulimit -n 96; exec "$@"', 'sh', process.execPath, script, artifact.path, artifact.sha256],
      { timeout: 50_000 },
    );
    const { burst, without, after } = JSON.parse(stdout) as Record<string, string[]>;
    expect(new Set(burst)).toEqual(new Set(['completed']));
    // Streams that were ready may do for some; the others are told.
    expect(without).toHaveLength(6);
    expect(without).toContain('START_FAILED');
    expect(new Set(after)).toEqual(new Set(['completed']));
  }, 60_000);
});
