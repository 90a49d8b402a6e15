import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { CgroupCells } from '../../../src/runtimes/containment/cells/cgroup-cells.ts';
import { ownHierarchies } from '../../../src/runtimes/containment/cells/hierarchy.ts';
import { newNodeId } from './fixtures.ts';
import { isAlive, pidOf, until } from './processes.ts';

const limits = { maxOutputBytes: 0, maxOutputEvents: 0 };
let cells: CgroupCells | undefined;

beforeAll(() => {
  const read = (name: string) => readFileSync(`/proc/self/${name}`, 'utf8');
  const second = ownHierarchies(read('cgroup'), read('mountinfo')).find(({ version }) => version === 2);
  if (second === undefined || process.geteuid?.() !== 0) return;
  const group = { version: 2, folder: `${second.folder}/spear-${newNodeId()}` } as const;
  mkdirSync(group.folder);
  cells = new CgroupCells({ groups: [group], cpuTime: group, leave: () => {} });
});

afterAll(() => cells?.close());

/** Node hosts where version 1 holds the controllers do not come this way; here it goes without controllers. */
function needsVersionTwo(context: TestContext): CgroupCells {
  if (cells === undefined) context.skip('not root, or cgroups of version 2 are not mounted');
  return cells;
}

async function startIn(path: string, script: string): Promise<{ child: ChildProcess; output: () => Buffer }> {
  const child = spawn('/bin/sh', ['-c', `echo 0 >"$0" || exit 1\n${script}`, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let written = Buffer.alloc(0);
  child.stdout?.on('data', (data: Buffer) => {
    written = Buffer.concat([written, data]);
  });
  await until('it says that it runs', () => written.includes('\n'));
  return { child, output: () => written };
}

describe('a cell of cgroup version 2', () => {
  it('is killed with all that left its session, and used again', async (context) => {
    const all = needsVersionTwo(context);
    for (let round = 0; round < 3; round += 1) {
      const cell = all.take(limits);
      const { child, output } = await startIn(
        cell.joins[0] ?? '',
        'setsid sleep 1000 &\necho "left $!"\nwait',
      );
      expect(cell.isEmpty()).toBe(false);
      cell.kill();
      await until('the cell is empty', () => cell.isEmpty());
      await until('the program was reaped', () => child.signalCode !== null);
      expect(isAlive(pidOf('left', output()))).toBe(false);
      cell.release(true);
    }
  });

  it('counts the time of one use after another from nothing', async (context) => {
    const all = needsVersionTwo(context);
    for (let round = 0; round < 2; round += 1) {
      const cell = all.take(limits);
      expect(cell.cpuTimeUs()).toBe(0);
      await startIn(cell.joins[0] ?? '', 'echo runs\nwhile :; do :; done');
      await until('it used 50 ms', () => (cell.cpuTimeUs() ?? 0) > 50_000);
      cell.kill();
      await until('the cell is empty', () => cell.isEmpty());
      expect(cell.resourceUse()).toEqual({ cpuTimeUs: expect.any(Number) });
      cell.release(true);
    }
  });

  it('is gone with the others when they are closed', (context) => {
    const all = needsVersionTwo(context);
    all.close();
    expect(all.folders.some((folder) => existsSync(folder))).toBe(false);
  });
});
