/** Lines of a chart: right angles with round corners, and the arrow at their end. Pure. */

export type Point = readonly [x: number, y: number];

const radius = 9;

/** SVG path data through the points. */
export function roundedPath(points: readonly Point[]): string {
  const bends = distinct(points);
  const [start, ...rest] = bends;
  if (start === undefined) return '';
  let path = `M${at(start)}`;
  rest.forEach((corner, index) => {
    const before = bends[index] as Point;
    const after = bends[index + 2];
    if (after === undefined) {
      path += `L${at(corner)}`;
      return;
    }
    const reach = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2);
    path += `L${at(toward(corner, before, reach))}Q${at(corner)} ${at(toward(corner, after, reach))}`;
  });
  return path;
}

/** A filled arrow whose tip is the last point. */
export function arrowPath(points: readonly Point[]): string {
  const bends = distinct(points);
  const tip = bends.at(-1);
  const before = bends.at(-2);
  if (tip === undefined || before === undefined) return '';
  const [x, y] = tip;
  const length = distance(before, tip);
  const along: Point = [(x - before[0]) / length, (y - before[1]) / length];
  const back: Point = [x - along[0] * 8, y - along[1] * 8];
  const left: Point = [back[0] - along[1] * 4, back[1] + along[0] * 4];
  const right: Point = [back[0] + along[1] * 4, back[1] - along[0] * 4];
  return `M${at(tip)}L${at(left)}L${at(right)}Z`;
}

function distinct(points: readonly Point[]): readonly Point[] {
  return points.filter((point, index) => {
    const before = points[index - 1];
    return before === undefined || distance(before, point) > 0.5;
  });
}

function toward(from: Point, to: Point, reach: number): Point {
  const length = distance(from, to);
  return [from[0] + ((to[0] - from[0]) / length) * reach, from[1] + ((to[1] - from[1]) / length) * reach];
}

function distance([x, y]: Point, [otherX, otherY]: Point): number {
  return Math.hypot(x - otherX, y - otherY);
}

function at([x, y]: Point): string {
  return `${round(x)} ${round(y)}`;
}

const round = (value: number) => Math.round(value * 10) / 10;
