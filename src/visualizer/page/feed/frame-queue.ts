/**
 * News that comes faster than frames are drawn. Of one key only the latest waits; what waits is taken in order, as much
 * before each frame as leaves time to draw it, and handed on once a frame.
 *
 * Where so much comes that nobody can read it as it goes by, it is handed on a few times a second: what is drawn then
 * is drawn whole, and the page has time for its reader.
 */
import { after, onFrame, stopwatch } from '../clock.ts';

/** A frame has 16 ms, and others work in it. */
const budgetMs = 5;
/** A hidden page has few turns and draws nothing. */
const hiddenBudgetMs = 60;
/** How many are taken before the time is looked at again. */
const step = 32;
/** So many at once are a flood, after which … */
const flood = 60;
/** … the next have to wait, … */
const pauseMs = 250;
/** … unless so many do: then there is no time to lose. */
const maxPaused = 2000;

export interface FrameQueue<Item> {
  push(key: string, item: Item): void;
  /** What waits of it is not handed on. */
  drop(key: string): void;
  readonly waiting: number;
  clear(): void;
}

export function createFrameQueue<Item, Made>(
  make: (item: Item) => Made | undefined,
  deliver: (made: Made[]) => void,
): FrameQueue<Item> {
  const items = new Map<string, Item>();
  let callOff: (() => void) | undefined;

  const run = () => {
    callOff = undefined;
    const spent = stopwatch();
    const budget = document.hidden ? hiddenBudgetMs : budgetMs;
    const made: Made[] = [];
    let taken = 0;
    for (const [key, item] of items) {
      if (taken % step === 0 && taken > 0 && spent() > budget) break;
      taken += 1;
      items.delete(key);
      const one = make(item);
      if (one !== undefined) made.push(one);
    }
    if (made.length > 0) deliver(made);
    if (made.length > flood && items.size < maxPaused) rest();
    else if (items.size > 0) callOff = onFrame(run);
  };
  const rest = () => {
    callOff = after(pauseMs, () => {
      callOff = undefined;
      if (items.size > 0) callOff = onFrame(run);
    });
  };
  return {
    push(key, item) {
      // A key that comes again goes to the end: what is delivered last is what is so now.
      items.delete(key);
      items.set(key, item);
      callOff ??= onFrame(run);
    },
    drop: (key) => void items.delete(key),
    get waiting() {
      return items.size;
    },
    clear() {
      items.clear();
      callOff?.();
      callOff = undefined;
    },
  };
}
