import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layoutFolders } from '../../../src/runtimes/containment/cells/layout.ts';
import { makeNamespaceCells } from '../../../src/runtimes/containment/cells/namespace-cells.ts';
import { mountsOf } from '../../support/mounts.ts';
import { attemptOf, run } from '../attempt.ts';
import { launchOf, newNodeId, open, openRuntime, Programs } from './fixtures.ts';
import { isAlive, pidOf, processesWith, until } from './processes.ts';

let programs: Programs;

beforeAll(async () => {
  programs = await Programs.make();
});

afterAll(() => programs.remove());

const scratchBytes = 16 * 1024 * 1024;

const twoSessions = [
  "trap '' TERM INT HUP",
  'setsid sh -c \'echo "child $$"; while :; do sleep 1; done\' &',
  'echo "main $$"',
  'while :; do sleep 1; done',
].join('\n');

/** Starts a node that runs the program, and resolves with what the program wrote, when it wrote all. */
async function doomed(nodeId: string, ...way: string[]) {
  const { artifact } = await programs.script('two-sessions', twoSessions);
  if (artifact.kind !== 'process') throw new Error('not a process');
  const script = join(import.meta.dirname, 'doomed-node.ts');
  const node = spawn(process.execPath, [script, nodeId, artifact.path, artifact.sha256, ...way], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let written = Buffer.alloc(0);
  node.stdout.on('data', (data: Buffer) => {
    written = Buffer.concat([written, data]);
  });
  await until('both processes say that they run', () => written.toString().split('\n').length === 3);
  return { node, written: () => written };
}

function foldersOf(nodeId: string): string[] {
  const name = `spear-${nodeId}`;
  return [join(tmpdir(), name), ...layoutFolders(name)].filter((folder) => existsSync(folder));
}

/** Of the instances of a node. */
function leftFolders(nodeId: string): string[] {
  const scratch = join(tmpdir(), `spear-${nodeId}`);
  const volumes = existsSync(`${scratch}/volumes`) ? readdirSync(`${scratch}/volumes`) : [];
  return [scratch, ...volumes.map((name) => `${scratch}/volumes/${name}`)]
    .flatMap((folder) => readdirSync(folder))
    .filter((name) => name.startsWith('run-'));
}

describe('a node that is killed', () => {
  it('leaves no process, no cgroup and no folder', async (context) => {
    if (process.geteuid?.() !== 0) context.skip('not root: no cgroups are made');
    const nodeId = newNodeId();
    const { node, written } = await doomed(nodeId);
    const pids = [pidOf('main', written()), pidOf('child', written())];
    expect(pids.every(isAlive)).toBe(true);
    node.kill('SIGKILL');
    await until('the program is gone', () => !pids.some(isAlive));
    await until('what it has mounted is gone', () => mountsOf(nodeId).length === 0);
    await until('its folders are gone', () => foldersOf(nodeId).length === 0);
    await until('its watchdog is gone', () => processesWith(`spear-${nodeId}`).length === 0);
  });

  it('leaves nothing behind that the next of its name does not end, where its watchdog was killed too', async (context) => {
    if (process.geteuid?.() !== 0) context.skip('not root: no cgroups are made');
    const nodeId = newNodeId();
    const { node, written } = await doomed(nodeId);
    const pids = [pidOf('main', written()), pidOf('child', written())];
    const helpers = () =>
      processesWith(`/spear-${nodeId}`).filter((pid) => pid !== node.pid && !pids.includes(pid));
    // Its launcher is among them: a node that is not stopped would see that end, and end the program.
    node.kill('SIGSTOP');
    for (const helper of helpers()) process.kill(helper, 'SIGKILL');
    await until('its helpers are gone', () => !helpers().some(isAlive));
    node.kill('SIGKILL');
    await until('the node is gone', () => node.pid !== undefined && !isAlive(node.pid));
    expect(pids.every(isAlive)).toBe(true);
    expect(mountsOf(nodeId).length).toBeGreaterThan(1);
    const next = await openRuntime({ nodeId });
    await until('the program is gone', () => !pids.some(isAlive));
    const { stdout } = await run(next, await programs.script('goes-on', 'echo fine'));
    expect(stdout.toString()).toBe('fine\n');
    await next.close();
    expect(foldersOf(nodeId)).toEqual([]);
    expect(mountsOf(nodeId)).toEqual([]);
  });

  it('has a watchdog that does not hear what is sent to the node’s process group', async () => {
    const nodeId = newNodeId();
    const runtime = await open({ nodeId });
    const attempt = attemptOf(await programs.script('waiting', 'read -r line'));
    await runtime.launch(launchOf(attempt), new AbortController().signal);
    const group = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[2];
    const [watchdog = 0] = processesWith(`/spear-${nodeId}`);
    expect(isAlive(watchdog)).toBe(true);
    expect(group(watchdog)).not.toBe(group(process.pid));
    await runtime.close();
    expect(isAlive(watchdog)).toBe(false);
    expect(foldersOf(nodeId)).toEqual([]);
  });
});

describe('a node that is killed and could make no cgroups', () => {
  it('leaves no process', async (context) => {
    const cells = await makeNamespaceCells();
    if ('reason' in cells) context.skip(cells.reason);
    const nodeId = newNodeId();
    const { node } = await doomed(nodeId, 'namespaces');
    const program = join(programs.folder, 'two-sessions');
    const pids = processesWith(program).filter((pid) => pid !== node.pid);
    expect(pids.length).toBeGreaterThan(0);
    node.kill('SIGKILL');
    await until('the program is gone', () => !pids.some(isAlive));
    await until('its child is gone', () => processesWith('echo "child $$"').length === 0);
  });
});

describe('a runtime that goes on', () => {
  it('has no more folders, cgroups and descriptors after 100 runs than after 10', async () => {
    const nodeId = newNodeId();
    const runtime = await openRuntime({ nodeId, scratchBytes });
    const task = await programs.script(
      'leaves-files',
      'mkdir -p a/b; echo x >a/b/c; chmod 500 a/b; chmod 0 a; exec cat',
    );
    const count = () => ({
      descriptors: readdirSync('/proc/self/fd').length,
      folders: foldersOf(nodeId)
        .flatMap((folder) => readdirSync(folder, { withFileTypes: true }))
        .filter((entry) => entry.isDirectory()).length,
      mounts: mountsOf(nodeId).length,
    });
    const runMany = async (rounds: number) => {
      for (let round = 0; round < rounds; round += 1) {
        const input = Buffer.from('same');
        const [one, two] = await Promise.all([run(runtime, task, { input }), run(runtime, task, { input })]);
        expect([one.stdout.toString(), two.stdout.toString()]).toEqual(['same', 'same']);
        await until('what they left is gone', () => leftFolders(nodeId).length === 0);
      }
    };
    await runMany(5);
    const before = count();
    await runMany(50);
    const after = count();
    // Cells of runs that are not cleared yet when the next starts, and streams that wait for a program, come and go;
    // whatever a run leaks would be there a hundred times.
    expect(after.folders - before.folders).toBeLessThan(50);
    expect(after.mounts).toBeLessThan(10);
    expect(after.descriptors - before.descriptors).toBeLessThan(50);
    await runtime.close();
    expect(foldersOf(nodeId)).toEqual([]);
  });

  it('shares nothing with another on the same machine', async () => {
    const [one, two] = await Promise.all([openRuntime(), openRuntime()]);
    const task = await programs.script('echoes', 'echo fine');
    expect((await run(one, task)).stdout.toString()).toBe('fine\n');
    await one.close();
    expect((await run(two, task)).stdout.toString()).toBe('fine\n');
    await two.close();
  });
});
