/**
 * How ways run between the boxes of a chart: straight between neighbours in a column, beside a column past others,
 * through the space between two columns, and below everything where columns lie between. Pure.
 */
import { gap, type Layout } from './layout.ts';
import { type Course, type Link, lanesOf, type Plan, tracksOf } from './plan.ts';
import { type PortWish, portsOf, type Side } from './ports.ts';
import { arrowPath, type Point, roundedPath } from './stroke.ts';

export interface Route {
  readonly key: string;
  /** Its bends, from its source to its target. */
  readonly points: readonly Point[];
  readonly path: string;
  readonly arrow: string;
}

interface Routed {
  readonly routes: ReadonlyMap<string, Route>;
  /** With the ways below everything. */
  readonly height: number;
}

const channel = 17;
/** A smaller difference in height is drawn straight. */
const bow = 16;

export function routesOf(layout: Layout, links: readonly Link[]): Routed {
  const plans = links.flatMap((link) => planOf(layout, link) ?? []);
  const below = plans.filter(({ course }) => course === 'below');
  const depth = (plan: Plan): number => layout.floor + channel * (below.indexOf(plan) + 1);
  const heights = portsOf(plans.flatMap((plan) => wishesOf(plan, depth(plan))));
  const ends = (plan: Plan): readonly [number, number] => {
    const start = heights.get(`${plan.link.key} out`) ?? 0;
    const end = heights.get(`${plan.link.key} in`) ?? 0;
    return [start, end];
  };
  const across = tracksOf(layout, plans, ends, depth);
  const beside = lanesOf(plans.filter(({ course }) => course === 'beside'));
  const routes = new Map<string, Route>();
  for (const plan of plans) {
    const key = plan.link.key;
    const pair = plans.some((each) => each.from === plan.to && each.to === plan.from);
    const points = pointsOf(plan, ends(plan), depth(plan), across, beside.get(key) ?? 0, pair);
    routes.set(key, { key, points, path: roundedPath(points), arrow: arrowPath(points) });
  }
  return { routes, height: Math.max(layout.height, layout.floor + channel * (below.length + 1) + 4) };
}

function planOf(layout: Layout, link: Link): Plan | undefined {
  const from = layout.leaves.get(link.from) ?? layout.groups.get(link.from);
  const to = layout.leaves.get(link.to) ?? layout.groups.get(link.to);
  if (from === undefined || to === undefined) return undefined;
  const plan = (course: Course, out: Side, into: Side): Plan => ({
    link,
    from,
    to,
    course,
    sides: [out, into],
  });
  if (from === to) return plan('self', 'right', 'right');
  const step = to.column - from.column;
  if (step === 0) {
    const apart = Math.max(to.y - from.y - from.height, from.y - to.y - to.height);
    const near = apart >= 0 && apart <= gap + 1 && from.height === to.height;
    return plan(near ? 'neighbour' : 'beside', 'left', 'left');
  }
  if (step === 1) return plan('across', 'right', 'left');
  if (step === -1) return plan('across', 'left', 'right');
  return step > 0 ? plan('below', 'right', 'left') : plan('below', 'left', 'right');
}

function wishesOf({ link, from, to, course, sides }: Plan, depth: number): readonly PortWish[] {
  if (course === 'self' || course === 'neighbour') return [];
  const isBelow = course === 'below';
  const low = from.height > to.height;
  const out = { key: `${link.key} out`, box: from, side: sides[0], low, toward: isBelow ? depth : to.y };
  const into = {
    key: `${link.key} in`,
    box: to,
    side: sides[1],
    low: false,
    toward: isBelow ? depth : from.y,
  };
  return [out, into];
}

function pointsOf(
  { link, from, to, course, sides }: Plan,
  [start, end]: readonly [number, number],
  depth: number,
  tracks: ReadonlyMap<string, number>,
  lane: number,
  pair: boolean,
): readonly Point[] {
  const outX = sides[0] === 'right' ? from.x + from.width : from.x;
  const inX = sides[1] === 'left' ? to.x : to.x + to.width;
  if (course === 'self') {
    // Beside the count at the corner.
    const x = from.x + from.width - 59;
    const top = from.y - 12;
    return [
      [x, from.y],
      [x, top],
      [x + 17, top],
      [x + 17, from.y],
    ];
  }
  if (course === 'neighbour') {
    const down = to.y > from.y;
    const x = from.x + from.width / 2 + (pair ? (down ? -9 : 9) : 0);
    return [
      [x, down ? from.y + from.height : from.y],
      [x, down ? to.y : to.y + to.height],
    ];
  }
  if (course === 'beside') {
    const x = from.x - 14 - lane * 11;
    return [
      [outX, start],
      [x, start],
      [x, end],
      [inX, end],
    ];
  }
  const track = tracks.get(`${link.key} out`) ?? outX;
  if (course === 'across') {
    // A step of a few pixels says nothing: the target is tall enough for a straight line.
    const straight =
      Math.abs(start - end) < bow && Math.abs(start - to.y - to.height / 2) < to.height / 2 - 6;
    if (straight)
      return [
        [outX, start],
        [inX, start],
      ];
    return [
      [outX, start],
      [track, start],
      [track, end],
      [inX, end],
    ];
  }
  const back = tracks.get(`${link.key} in`) ?? inX;
  return [
    [outX, start],
    [track, start],
    [track, depth],
    [back, depth],
    [back, end],
    [inX, end],
  ];
}
