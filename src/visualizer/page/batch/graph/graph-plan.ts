/** Where the groups of a batch stand and how their links run: a row for each band of layers. Pure; lengths in px. */
import type { GroupLink, MemberGroup, MemberGroups } from '../../model/batch-groups.ts';

export interface Box {
  readonly group: MemberGroup;
  readonly place: number;
  readonly x: number;
  readonly y: number;
}

export interface Band {
  readonly first: number;
  readonly last: number;
  readonly y: number;
}

export interface Way extends GroupLink {
  /** Of an SVG path, in the direction of what happens. */
  readonly path: string;
}

export interface GraphPlan {
  readonly width: number;
  readonly height: number;
  readonly bands: readonly Band[];
  readonly boxes: readonly Box[];
  readonly ways: readonly Way[];
  /** Links that would only blacken the picture: the thinnest. */
  readonly leftOut: number;
}

export const boxWidth = 224;
export const boxHeight = 84;
const gapX = 44;
const gapY = 64;
const left = 92;
const edge = 8;
const mostWays = 150;

export function planOf({ groups, links }: MemberGroups): GraphPlan {
  const bands: Band[] = [];
  const boxes: Box[] = [];
  const rowOf: number[] = [];
  let column = 0;
  let columns = 0;
  for (const [place, group] of groups.entries()) {
    const { first, last } = group.layers;
    if (bands.at(-1)?.first !== first) {
      bands.push({ first, last, y: edge + bands.length * (boxHeight + gapY) });
      column = 0;
    }
    rowOf.push(bands.length - 1);
    boxes.push({ group, place, x: left + column * (boxWidth + gapX), y: bands.at(-1)?.y ?? 0 });
    column += 1;
    columns = Math.max(columns, column);
  }
  const drawn = [...links].sort((a, b) => b.count - a.count).slice(0, mostWays);
  return {
    width: left + columns * (boxWidth + gapX),
    height: Math.max(0, bands.length * (boxHeight + gapY) - gapY) + 3 * edge,
    ...{ bands, boxes },
    ways: drawn.flatMap((link) => {
      const [from, to] = [boxes[link.from], boxes[link.to]];
      if (from === undefined || to === undefined) return [];
      return [{ ...link, path: pathOf(from, to, (rowOf[link.to] ?? 0) - (rowOf[link.from] ?? 0)) }];
    }),
    leftOut: links.length - drawn.length,
  };
}

function pathOf(from: Box, to: Box, rows: number): string {
  const bottom = from.y + boxHeight;
  const [start, end] = [from.x + boxWidth / 2, to.x + boxWidth / 2];
  // The head of the arrow stands before the box.
  const top = to.y - 7;
  // Within one band: below both.
  if (rows <= 0) {
    const side = start < end ? 24 : -24;
    return `M${start + side} ${bottom}C${start + side} ${bottom + 34} ${end - side} ${bottom + 34} ${end - side} ${bottom + 8}`;
  }
  const half = gapY / 2;
  if (rows === 1) return `M${start} ${bottom}C${start} ${bottom + half} ${end} ${top - half} ${end} ${top}`;
  // Past the rows between them: through the space beside the column, so that no box hides it.
  const lane = from.x + boxWidth + 10 + ((from.place * 5 + to.place * 3) % (gapX - 20));
  const turn = to.y - half;
  return `M${start + 40} ${bottom}C${start + 40} ${bottom + half} ${lane} ${bottom} ${lane} ${bottom + half}V${turn - half / 2}C${lane} ${turn + half / 2} ${end} ${turn - half / 2} ${end} ${top}`;
}
