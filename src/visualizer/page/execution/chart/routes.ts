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
  readonly path: string;
  readonly arrow: string;
  readonly label: { readonly x: number; readonly y: number; readonly anchor: 'start' | 'middle' | 'end' };
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
    routes.set(key, routeOf(layout, plan, ends(plan), depth(plan), across, beside.get(key) ?? 0, pair));
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

function routeOf(
  layout: Layout,
  plan: Plan,
  [start, end]: readonly [number, number],
  depth: number,
  tracks: ReadonlyMap<string, number>,
  lane: number,
  pair: boolean,
): Route {
  const { link, from, to, course, sides } = plan;
  const drawn = (points: readonly Point[], label: Route['label']): Route => ({
    key: link.key,
    path: roundedPath(points),
    arrow: arrowPath(points),
    label,
  });
  const outX = sides[0] === 'right' ? from.x + from.width : from.x;
  const inX = sides[1] === 'left' ? to.x : to.x + to.width;
  if (course === 'self') {
    const x = from.x + from.width - 34;
    const top = from.y - 13;
    const points: Point[] = [
      [x, from.y],
      [x, top],
      [x + 20, top],
      [x + 20, from.y],
    ];
    return drawn(points, { x: x + 25, y: top + 5, anchor: 'start' });
  }
  if (course === 'neighbour') {
    const down = to.y > from.y;
    const x = from.x + from.width / 2 + (pair ? (down ? -9 : 9) : 0);
    const points: Point[] = down
      ? [
          [x, from.y + from.height],
          [x, to.y],
        ]
      : [
          [x, from.y],
          [x, to.y + to.height],
        ];
    const y = ((points[0]?.[1] ?? 0) + (points[1]?.[1] ?? 0)) / 2 + 4;
    return drawn(points, pair && down ? { x: x - 7, y, anchor: 'end' } : { x: x + 7, y, anchor: 'start' });
  }
  if (course === 'beside') {
    const x = from.x - 14 - lane * 11;
    const down = to.y > from.y;
    const label = { x: x - 5, y: down ? end - 26 : end + 34, anchor: 'end' } as const;
    return drawn(
      [
        [outX, start],
        [x, start],
        [x, end],
        [inX, end],
      ],
      label,
    );
  }
  const track = tracks.get(`${link.key} out`) ?? outX;
  const forward = sides[0] === 'right';
  const edge = forward
    ? (layout.columns[from.column]?.right ?? outX)
    : (layout.columns[from.column]?.left ?? outX);
  const near: Route['label'] = forward
    ? { x: edge + 8, y: start - 5, anchor: 'start' }
    : { x: edge - 8, y: start - 5, anchor: 'end' };
  // A step of a few pixels says nothing: the target is tall enough for a straight line.
  const straight = Math.abs(start - end) < bow && Math.abs(start - to.y - to.height / 2) < to.height / 2 - 6;
  if (course === 'across')
    return drawn(
      [
        [outX, start],
        [straight ? inX : track, start],
        [straight ? inX : track, straight ? start : end],
        [inX, straight ? start : end],
      ],
      near,
    );
  const back = tracks.get(`${link.key} in`) ?? inX;
  const points: Point[] = [
    [outX, start],
    [track, start],
    [track, depth],
    [back, depth],
    [back, end],
    [inX, end],
  ];
  return drawn(points, { x: (track + back) / 2, y: depth - 4, anchor: 'middle' });
}
