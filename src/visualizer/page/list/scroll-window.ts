/** Which rows of a long list are on screen. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

export interface ScrollWindow {
  readonly first: number;
  /** Not on screen any more. */
  readonly end: number;
  readonly atTop: boolean;
}

/** Rows drawn beyond the edges, so that a quick scroll meets no gap. */
const margin = 12;

export function useScrollWindow(
  place: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  start: number,
): ScrollWindow {
  const [seen, setSeen] = useState({ top: start, height: 800 });
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    element.scrollTop = start;
    const look = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    look();
    element.addEventListener('scroll', look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      watch.disconnect();
    };
  }, [place, start]);
  const first = Math.max(0, Math.min(count, Math.floor(seen.top / rowHeight)) - margin);
  const end = Math.min(count, Math.ceil((seen.top + seen.height) / rowHeight) + margin);
  return { first, end, atTop: seen.top < rowHeight / 2 };
}
