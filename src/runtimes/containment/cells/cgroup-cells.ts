import { rmdirSync } from 'node:fs';
import type { Limits } from '../../../domain/task.ts';
import { maxOpenFiles } from '../open-files.ts';
import type { Cell, Cells } from './cell.ts';
import { CgroupCell } from './cgroup-cell.ts';
import { type Layout, makeLayout } from './layout.ts';

/**
 * Cells kept for the next instance; making and removing one costs more than a start. Each has about twelve files open, and
 * together they take no more than a quarter of what the node may open.
 */
const maxFree = Math.min(64, Math.floor(maxOpenFiles() / 48));

/** Cells made of cgroups. They are used again, because to make and remove them for each run is slow. */
export class CgroupCells implements Cells {
  readonly holds: Cells['holds'];
  readonly folders: readonly string[];
  readonly #layout: Layout;
  readonly #free: CgroupCell[] = [];
  readonly #stuck = new Set<CgroupCell>();
  #made = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.folders = layout.groups.map(({ folder }) => folder);
    this.holds = {
      memory: layout.memory !== undefined,
      processes: layout.processes !== undefined,
      cpu: layout.cpu !== undefined,
      cpuTime: layout.cpuTime !== undefined,
    };
  }

  take(limits: Partial<Limits>): Cell {
    const used = this.#free.pop();
    if (used !== undefined) {
      try {
        used.begin(limits);
        return used;
      } catch {
        // What is left in it does not fit below the new limit; a new one has nothing in it.
        used.remove();
      }
    }
    this.#made += 1;
    const cell = new CgroupCell(this.#layout, `c${this.#made}`, (cell, reusable) =>
      this.#putBack(cell, reusable),
    );
    try {
      cell.begin(limits);
    } catch (error) {
      cell.remove();
      throw error;
    }
    return cell;
  }

  close(): void {
    for (const cell of this.#free.splice(0)) cell.remove();
    for (const cell of this.#stuck) cell.remove();
    for (const folder of this.folders) {
      try {
        rmdirSync(folder);
      } catch {
        // A cell that could not be emptied is below; the watchdog tries again.
      }
    }
    this.#layout.leave();
  }

  #putBack(cell: CgroupCell, reusable: boolean): void {
    if (reusable && this.#free.length < maxFree) this.#free.push(cell);
    else if (!cell.remove()) this.#stuck.add(cell);
  }
}

/** Cells below the node's own cgroups, or why there are none. */
export function makeCgroupCells(name: string): CgroupCells | { readonly reason: string } {
  const layout = makeLayout(name);
  return 'reason' in layout ? layout : new CgroupCells(layout);
}
