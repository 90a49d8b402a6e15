/** What kind of way leads from one box to another, and which line it takes where several run side by side. Pure. */
import type { Box, Layout } from './layout.ts';
import type { Side } from './ports.ts';

/** A way to be drawn. */
export interface Link {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

export type Course = 'self' | 'neighbour' | 'beside' | 'across' | 'below';

export interface Plan {
  readonly link: Link;
  readonly from: Box;
  readonly to: Box;
  readonly course: Course;
  /** The sides that it leaves and enters. */
  readonly sides: readonly [Side, Side];
}

/** A piece of a way that runs up or down between two columns. */
interface Run {
  readonly key: string;
  readonly gutter: number;
  readonly from: number;
  readonly to: number;
}

/** Between a column and the runs before it there is room for words of the ways within it. */
const nearest = 34;

/** Where each run stands, so that few of them cross: what goes down starts higher the further right, what goes up the further left. */
export function tracksOf(
  layout: Layout,
  plans: readonly Plan[],
  ends: (plan: Plan) => readonly [number, number],
  depth: (plan: Plan) => number,
): ReadonlyMap<string, number> {
  const runs = plans.flatMap((plan): readonly Run[] => {
    const { course, from, to, sides, link } = plan;
    const [start, end] = ends(plan);
    const out = sides[0] === 'right' ? from.column : from.column - 1;
    const into = sides[1] === 'left' ? to.column - 1 : to.column;
    if (course === 'across') return [{ key: `${link.key} out`, gutter: out, from: start, to: end }];
    if (course !== 'below') return [];
    return [
      { key: `${link.key} out`, gutter: out, from: start, to: depth(plan) },
      { key: `${link.key} in`, gutter: into, from: depth(plan), to: end },
    ];
  });
  const places = new Map<string, number>();
  layout.columns.forEach(({ right }, gutter) => {
    const here = runs.filter((run) => run.gutter === gutter).sort(leftToRight);
    const left = layout.columns[gutter + 1]?.left ?? right;
    const spacing = Math.min(11, ((left - right) * 0.55) / Math.max(1, here.length));
    here.forEach((run, index) => {
      places.set(run.key, left - nearest - (here.length - 1 - index) * spacing);
    });
  });
  return places;
}

function leftToRight(one: Run, other: Run): number {
  const oneUp = one.to < one.from;
  const otherUp = other.to < other.from;
  if (oneUp !== otherUp) return oneUp ? -1 : 1;
  return oneUp ? one.from - other.from : other.from - one.from;
}

/** Which of the lines beside a column a way takes: the shorter, the nearer, and none over another. */
export function lanesOf(plans: readonly Plan[]): ReadonlyMap<string, number> {
  const lanes: { column: number; low: number; high: number }[][] = [];
  const places = new Map<string, number>();
  const span = ({ from, to }: Plan) => Math.abs(from.y - to.y);
  for (const { link, from, to } of [...plans].sort((one, other) => span(one) - span(other))) {
    const low = Math.min(from.y, to.y);
    const high = Math.max(from.y, to.y) + from.height;
    let lane = 0;
    const clashes = (each: { column: number; low: number; high: number }) =>
      each.column === from.column && each.low < high && low < each.high;
    while (lanes[lane]?.some(clashes)) lane += 1;
    lanes[lane] = [...(lanes[lane] ?? []), { column: from.column, low, high }];
    places.set(link.key, lane);
  }
  return places;
}
