/**
 * Where the words of ways stand: beside their own line, over no state, within the drawing, and over no other words.
 * Pure.
 *
 * Each label has many places along its way; the least bad is taken, in turn, and once more when all have one. What is
 * shown only while it is pointed at has to keep clear of what is always shown, and not of its like.
 */
import type { Box, Layout } from './layout.ts';
import type { Route } from './routes.ts';
import type { Point } from './stroke.ts';

export interface LabelWish {
  readonly key: string;
  readonly width: number;
  /** It is seen all the time. */
  readonly shown: boolean;
}

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
}

/** A part of the drawing that is taken. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

interface Place {
  readonly label: Label;
  readonly area: Area;
  /** How far it is from where one would look for it. */
  readonly cost: number;
}

interface Placed {
  readonly wish: LabelWish;
  readonly places: readonly Place[];
  place: Place;
}

/** A letter is about so wide; the bold ones of the last way a little more. */
const letter = 7.4;
const ascent = 10;
const descent = 3;
/** Between a line and words beside it. */
const beside = 6;
/** Above a line that runs level, or under it; further away only where nothing else is left. */
const rows = [
  { dy: -5, far: 0 },
  { dy: 14, far: 3 },
  { dy: -19, far: 400 },
  { dy: 28, far: 400 },
] as const;
const step = 6;
const smallStep = 2;
/** Any overlap with words or states is worse than all else together. */
const forbidden = 100_000;
const crossed = 60;
const grazed = 12;
const border = 8;

/** How wide words are at most, whatever font the browser has. Counts have room to grow, so that words stay in place. */
export function labelWidth(names: string, count: number): number {
  const digits = Math.max(2, String(count).length);
  return (names.length + 2 + digits) * letter;
}

export function labelsOf(
  layout: Layout,
  routes: ReadonlyMap<string, Route>,
  height: number,
  wishes: readonly LabelWish[],
): ReadonlyMap<string, Label> {
  const taken = takenAreas(layout);
  const lines = [...routes.values()].flatMap(({ key, points }) =>
    segments(points).map((area) => ({ key, area })),
  );
  const borders = [...layout.groups.values()].flatMap(outline);
  const inside: Area = { left: 0, top: 0, right: layout.width, bottom: height };
  const fixedCost = ({ area, cost }: Omit<Place, 'label'>, key: string): number => {
    let sum = cost;
    if (!contains(inside, area)) sum += forbidden;
    for (const each of taken) if (overlap(area, each)) sum += forbidden;
    for (const each of borders) if (overlap(area, each)) sum += border;
    for (const line of lines) {
      if (overlap(area, line.area)) sum += crossed;
      else if (line.key !== key && overlap(grown(area, 5), line.area)) sum += grazed;
    }
    return sum;
  };
  const choices = wishes.map((wish) => {
    const points = routes.get(wish.key)?.points ?? [];
    const places = placesOf(points, wish.width)
      .map((place) => ({ ...place, cost: fixedCost(place, wish.key) }))
      .sort((one, other) => one.cost - other.cost);
    return { wish, places, free: places.filter(({ cost }) => cost < forbidden).length };
  });
  // Who has little choice chooses first.
  choices.sort((one, other) => Number(other.wish.shown) - Number(one.wish.shown) || one.free - other.free);
  const placed: Placed[] = [];
  for (const { wish, places } of choices) {
    const place = best(places, wish, placed);
    if (place !== undefined) placed.push({ wish, places, place });
  }
  for (let turn = 0; turn < 3; turn += 1) {
    for (const each of placed) each.place = best(each.places, each.wish, placed) ?? each.place;
  }
  return new Map(placed.map(({ wish, place }) => [wish.key, place.label]));
}

function best(places: readonly Place[], wish: LabelWish, placed: readonly Placed[]): Place | undefined {
  const others = placed.filter((each) => each.wish.key !== wish.key && each.wish.shown);
  let found: Place | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const place of places) {
    if (place.cost >= least) break;
    let cost = place.cost;
    for (const other of others) if (overlap(grown(place.area, 2), other.place.area)) cost += forbidden;
    if (cost >= least) continue;
    found = place;
    least = cost;
  }
  return found;
}

/** States with their halo and count, and the names of groups. */
export function takenAreas(layout: Layout): readonly Area[] {
  const leaves = [...layout.leaves.values()].flatMap((box): readonly Area[] => {
    const right = box.x + box.width;
    return [
      grown(areaOf(box), 3),
      { left: right - 36, top: box.y - 10, right: right + 6, bottom: box.y + 10 },
    ];
  });
  const names = [...layout.groups.values()].map(({ path, x, y }) => ({
    left: x + 14,
    top: y + 10,
    right: x + 18 + path.length * letter,
    bottom: y + 26,
  }));
  return [...leaves, ...names];
}

/** Where words may stand along a line, with what each place costs by itself. */
function placesOf(points: readonly Point[], width: number): readonly Place[] {
  const places: Place[] = [];
  let behind = 0;
  points.slice(1).forEach(([x, y], index) => {
    const [fromX, fromY] = points[index] as Point;
    const length = Math.abs(x - fromX) + Math.abs(y - fromY);
    if (length < 10) return;
    if (y === fromY || Math.abs(y - fromY) < Math.abs(x - fromX)) {
      const [low, high] = x > fromX ? [fromX, x] : [x, fromX];
      for (let at = low + 8; at < high - 4; at += step) {
        for (const { dy, far } of rows) {
          const cost = behind + Math.abs(at - fromX) / 12 + far;
          places.push(placeAt(at, fromY + dy, 'start', width, cost + overhang(at + width - high)));
          places.push(placeAt(at, fromY + dy, 'end', width, cost + overhang(low - at + width)));
        }
      }
      const middle = (low + high) / 2;
      for (const { dy, far } of rows)
        places.push(
          placeAt(middle, fromY + dy, 'middle', width, behind + far + overhang(width - high + low)),
        );
    } else {
      const [low, high] = y > fromY ? [fromY, y] : [y, fromY];
      const middle = (low + high) / 2;
      for (let at = 0; at <= length / 2; at += smallStep) {
        for (const offset of at === 0 ? [0] : [-at, at]) {
          const cost = behind + Math.abs(offset) / 12;
          places.push(placeAt(fromX + beside, middle + offset + 4, 'start', width, cost));
          places.push(placeAt(fromX - beside, middle + offset + 4, 'end', width, cost + 1));
        }
      }
    }
    behind += 2;
  });
  return places;
}

/** Words that reach beyond their line are harder to tell apart from those of the next. */
function overhang(by: number): number {
  return Math.max(0, by) / 6;
}

function placeAt(x: number, y: number, anchor: Label['anchor'], width: number, cost: number): Place {
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return {
    label: { x, y, anchor },
    area: { left, top: y - ascent, right: left + width, bottom: y + descent },
    cost,
  };
}

function segments(points: readonly Point[]): readonly Area[] {
  return points.slice(1).map(([x, y], index) => {
    const [fromX, fromY] = points[index] as Point;
    return {
      left: Math.min(x, fromX) - 1,
      top: Math.min(y, fromY) - 1,
      right: Math.max(x, fromX) + 1,
      bottom: Math.max(y, fromY) + 1,
    };
  });
}

function outline(box: Box): readonly Area[] {
  const { left, top, right, bottom } = areaOf(box);
  return [
    { left, top, right, bottom: top },
    { left, top: bottom, right, bottom },
    { left, top, right: left, bottom },
    { left: right, top, right, bottom },
  ];
}

function areaOf({ x, y, width, height }: Box): Area {
  return { left: x, top: y, right: x + width, bottom: y + height };
}

function grown({ left, top, right, bottom }: Area, by: number): Area {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}

export function overlap(one: Area, other: Area): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function contains(outer: Area, inner: Area): boolean {
  return (
    inner.left >= outer.left &&
    inner.right <= outer.right &&
    inner.top >= outer.top &&
    inner.bottom <= outer.bottom
  );
}
