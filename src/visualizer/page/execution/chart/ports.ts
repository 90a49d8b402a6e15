/** Where ways meet the sides of boxes. Pure. */
import type { Box } from './layout.ts';

export type Side = 'left' | 'right';

/** One end of a way at a box. `toward` is the height to which it leads, so that ways next to each other do not cross. */
export interface PortWish {
  readonly key: string;
  readonly box: Box;
  readonly side: Side;
  readonly toward: number;
  /** It leaves from below the children of a group. */
  readonly low: boolean;
}

const spacing = 15;
const inset = 6;

/** The height of each end, by its key. */
export function portsOf(wishes: readonly PortWish[]): ReadonlyMap<string, number> {
  const sides = new Map<string, PortWish[]>();
  for (const wish of wishes) {
    const place = `${wish.box.path} ${wish.side}`;
    sides.set(place, [...(sides.get(place) ?? []), wish]);
  }
  const heights = new Map<string, number>();
  for (const list of sides.values()) {
    list.sort((left, right) => left.toward - right.toward || left.key.localeCompare(right.key));
    const { box, low } = list[0] as PortWish;
    const room = low ? spacing : box.height - 2 * inset;
    const step = list.length === 1 ? 0 : Math.min(spacing, room / (list.length - 1));
    const middle = low ? box.y + box.height - inset - 6 : box.y + box.height / 2;
    const first = middle - (step * (list.length - 1)) / 2;
    list.forEach((wish, index) => {
      heights.set(wish.key, first + index * step);
    });
  }
  return heights;
}
