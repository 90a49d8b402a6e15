import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { makeCgroupCells } from '../../../src/runtimes/containment/cells/cgroup-cells.ts';
import { describeWhere, root } from '../../support/needs.ts';
import { newNodeId } from './fixtures.ts';

/** The file that says what a cgroup weighs, by version. */
const weightFiles = ['cpu.shares', 'cpu.weight'];

describeWhere([root()], 'a cell in the background', () => {
  it('weighs a sixteenth, and what uses the cell next weighs as much as all others', () => {
    const cells = makeCgroupCells(`spear-${newNodeId()}`);
    if ('reason' in cells) throw new Error(cells.reason);
    const cell = cells.take({});
    const file = cells.folders
      .flatMap((folder) => weightFiles.map((name) => `${folder}/c1/${name}`))
      .find((path) => existsSync(path));
    const weight = () => Number(readFileSync(file ?? '', 'utf8'));
    const whole = weight();
    cell.setBackground(true);
    expect(weight()).toBe(Math.floor(whole / 16));
    cell.release(true);
    expect(cells.take({})).toBe(cell);
    expect(weight()).toBe(whole);
    cell.release(true);
    cells.close();
  });
});
