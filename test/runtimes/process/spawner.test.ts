import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Spawner } from '../../../src/runtimes/containment/spawner.ts';
import { firstOutput, run } from '../attempt.ts';
import { needsCgroups, newNodeId, openRuntime, Programs, start } from './fixtures.ts';
import { isAlive, pidOf, processesWith, until } from './processes.ts';

let programs: Programs;

beforeAll(async () => {
  programs = await Programs.make();
});

afterAll(() => programs.remove());

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
    const spawner = new Spawner({ nodeId: newNodeId(), markers: programs.folder, wrapper: [] });
    const request = { file: '/bin/true', args: [], environment: {}, cwd: '/', joins: [] };
    expect(await (await spawner.spawn(request)).exited).toMatchObject({ code: 0 });
    await spawner.close();
    expect(await (await spawner.spawn(request)).exited).toMatchObject({ failed: 'EPIPE' });
    expect(spawners()).toEqual([]);
  });
});

describe('the streams of programs', () => {
  function openSpawner(nodeId = newNodeId()): Spawner {
    const spawner = new Spawner({ nodeId, markers: programs.folder, wrapper: [] });
    onTestFinished(() => spawner.close());
    return spawner;
  }

  const request = { args: [], environment: {}, cwd: '/', joins: [] };

  it('are each program’s own, however many start at once', async () => {
    const spawner = openSpawner();
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
    const spawner = openSpawner();
    const child = await spawner.spawn({ ...request, file: '/bin/cat', cwd: '/no/such/folder' });
    expect(await child.exited).toMatchObject({ failed: 'ENOENT' });
    expect([await text(child.stdout), await text(child.stderr)]).toEqual(['', '']);
  });

  it('are not given to one who connects without the token', async () => {
    const nodeId = newNodeId();
    const spawner = openSpawner(nodeId);
    await (await spawner.spawn({ ...request, file: '/bin/true' })).exited;
    const [name] = new RegExp(`spear-${nodeId}-\\w+`).exec(readFileSync('/proc/net/unix', 'latin1')) ?? [];
    const stranger = connect({ path: `\0${name}` });
    stranger.write(`${'0'.repeat(32)} 0000000001 1\n`);
    expect(await text(stranger)).toBe('');
    const child = await spawner.spawn({ ...request, file: '/bin/cat' });
    child.stdin.end('still mine');
    expect(await text(child.stdout)).toBe('still mine');
  });
});
