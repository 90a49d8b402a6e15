/** The members of a batch, counted: few enough groups to be drawn, however many members there are. Pure. */
import type { ErrorCode } from '../errors.ts';
import { type ExecutionStatus, isTerminal } from '../execution.ts';
import type { Batch, BatchMember } from './batch.ts';

export interface GroupQuery {
  /** Absent means from the first, and to the last. */
  readonly firstLayer?: number;
  readonly lastLayer?: number;
  /** Where there are more layers, neighbours are counted together. */
  readonly maxBands: number;
}

/** How a member stands; `unknown` for one that was deleted before it was known how it ended. */
export type MemberStanding = ExecutionStatus | 'unknown';

export interface MemberGroup {
  readonly firstLayer: number;
  readonly lastLayer: number;
  /** Empty where it has the members of several tasks, or of none that is known any more. */
  readonly taskName: string;
  readonly tasks: number;
  readonly counts: Readonly<Partial<Record<MemberStanding, number>>>;
}

/** Members of the group at `to` follow members of the group at `from`, so many times. */
export interface GroupLink {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

export interface FailureCount {
  readonly status: ExecutionStatus;
  readonly errorCode: ErrorCode | undefined;
  readonly count: number;
}

export interface MemberGroups {
  /** In the order of the layers, the largest of each first. */
  readonly groups: readonly MemberGroup[];
  readonly links: readonly GroupLink[];
  /** Of the whole batch, the most frequent first. */
  readonly failures: readonly FailureCount[];
}

/** Groups of a band; the last of more has the rest. As many as stand side by side and can still be told apart. */
export const mostGroupsOfBand = 6;

interface Cell {
  readonly band: number;
  readonly taskName: string;
  members: number;
  readonly counts: Partial<Record<MemberStanding, number>>;
}

/** Takes the members in their order, all of them. */
export class MemberCounting {
  readonly #first: number;
  readonly #last: number;
  readonly #layersOfBand: number;
  readonly #cells = new Map<string, Cell>();
  /** By member: its cell; undefined for one of another layer. */
  readonly #cellOf: (Cell | undefined)[] = [];
  readonly #follows: (readonly number[])[] = [];
  readonly #failures = new Map<string, { -readonly [K in keyof FailureCount]: FailureCount[K] }>();

  constructor({ layers }: Pick<Batch, 'layers'>, { firstLayer = 0, lastLayer, maxBands }: GroupQuery) {
    this.#first = firstLayer;
    this.#last = Math.min(lastLayer ?? layers - 1, layers - 1);
    this.#layersOfBand = Math.max(1, Math.ceil((this.#last - firstLayer + 1) / maxBands));
  }

  add({ member, layer, taskName, status, follows, errorCode }: BatchMember): void {
    if (status !== undefined && isTerminal(status) && status !== 'completed') {
      const key = `${status} ${errorCode}`;
      const known = this.#failures.get(key);
      if (known === undefined) this.#failures.set(key, { status, errorCode, count: 1 });
      else known.count += 1;
    }
    if (layer < this.#first || layer > this.#last) return;
    const band = Math.floor((layer - this.#first) / this.#layersOfBand);
    const key = `${band} ${taskName}`;
    const cell = this.#cells.get(key) ?? { band, taskName, members: 0, counts: {} };
    this.#cells.set(key, cell);
    cell.members += 1;
    const standing = status ?? 'unknown';
    cell.counts[standing] = (cell.counts[standing] ?? 0) + 1;
    this.#cellOf[member] = cell;
    this.#follows[member] = follows;
  }

  groups(): MemberGroups {
    const groups: MemberGroup[] = [];
    const placeOf = new Map<Cell, number>();
    for (const cells of this.#bands()) {
      const apart = cells.length > mostGroupsOfBand ? mostGroupsOfBand - 1 : cells.length;
      const shown = cells.slice(0, apart).map((cell) => [cell]);
      if (apart < cells.length) shown.push(cells.slice(apart));
      for (const some of shown) {
        for (const cell of some) placeOf.set(cell, groups.length);
        groups.push(this.#group(some));
      }
    }
    const failures = [...this.#failures.values()].sort((a, b) => b.count - a.count);
    return { groups, links: this.#links(placeOf), failures };
  }

  /** The cells of each band, the largest first. */
  #bands(): readonly (readonly Cell[])[] {
    const bands: Cell[][] = [];
    for (const cell of this.#cells.values()) {
      const band = bands[cell.band] ?? [];
      bands[cell.band] = band;
      band.push(cell);
    }
    const bySize = (a: Cell, b: Cell): number => b.members - a.members || (a.taskName < b.taskName ? -1 : 1);
    return bands.filter((band) => band !== undefined).map((band) => band.sort(bySize));
  }

  #group(cells: readonly Cell[]): MemberGroup {
    const counts: Partial<Record<MemberStanding, number>> = {};
    for (const cell of cells) {
      for (const [standing, count] of Object.entries(cell.counts) as [MemberStanding, number][]) {
        counts[standing] = (counts[standing] ?? 0) + count;
      }
    }
    const [{ band, taskName } = { band: 0, taskName: '' }] = cells;
    const firstLayer = this.#first + band * this.#layersOfBand;
    return {
      firstLayer,
      lastLayer: Math.min(this.#last, firstLayer + this.#layersOfBand - 1),
      taskName: cells.length === 1 ? taskName : '',
      tasks: cells.length,
      counts,
    };
  }

  #links(placeOf: ReadonlyMap<Cell, number>): readonly GroupLink[] {
    const links = new Map<string, { readonly from: number; readonly to: number; count: number }>();
    for (const [member, follows] of this.#follows.entries()) {
      const to = this.#placeOf(member, placeOf);
      if (to === undefined) continue;
      for (const other of follows) {
        const from = this.#placeOf(other, placeOf);
        if (from === undefined || from === to) continue;
        const key = `${from} ${to}`;
        const known = links.get(key);
        if (known === undefined) links.set(key, { from, to, count: 1 });
        else known.count += 1;
      }
    }
    return [...links.values()].sort((a, b) => a.from - b.from || a.to - b.to);
  }

  #placeOf(member: number, placeOf: ReadonlyMap<Cell, number>): number | undefined {
    const cell = this.#cellOf[member];
    return cell === undefined ? undefined : placeOf.get(cell);
  }
}
