/** Which of many rows are on screen. Rows are of one height; only those in view, and a few around them, are drawn. */
import type { RefObject } from 'preact';
import { useCallback, useLayoutEffect, useState } from 'preact/hooks';
import { useSize } from '../use-size.ts';

/** Browsers give up on elements that are much taller; beyond this the way of the scroll bar stands for more. */
const tallest = 8_000_000;

interface Options {
  /** Rows drawn beyond each edge, so that a quick scroll meets no gap. */
  readonly around?: number;
  /** Where the reader was when the list was there before, in pixels. */
  readonly start?: number;
}

export interface VirtualRows {
  readonly first: number;
  /** Without this one. */
  readonly end: number;
  /** How many fit. */
  readonly fit: number;
  /** Of everything, in pixels. */
  readonly height: number;
  /** Where the first row stands, in pixels. */
  readonly offset: number;
  /** The first row is in view. */
  readonly atTop: boolean;
  readonly onScroll: () => void;
  /** Brings a row into view; `center` where it is not. */
  reveal(row: number, where?: 'near' | 'center'): void;
}

export function useVirtualRows(
  ref: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  { around = 6, start = 0 }: Options = {},
): VirtualRows {
  const { height: view } = useSize(ref);
  const [top, setTop] = useState(start);
  const total = count * rowHeight;
  const height = Math.min(total, tallest);
  const stretch = total > tallest && tallest > view ? (total - view) / (tallest - view) : 1;
  const scrolled = Math.min(top * stretch, Math.max(0, total - view));
  const first = Math.max(0, Math.floor(scrolled / rowHeight) - around);
  const end = Math.min(count, Math.ceil((scrolled + view) / rowHeight) + around);
  const offset = Math.min(top, Math.max(0, height - view)) + (first * rowHeight - scrolled);
  const onScroll = useCallback(() => setTop(ref.current?.scrollTop ?? 0), [ref]);
  useLayoutEffect(() => {
    if (ref.current !== null && start > 0) ref.current.scrollTop = start;
    onScroll();
  }, [ref, start, onScroll]);
  const reveal = (row: number, where: 'near' | 'center' = 'near'): void => {
    const element = ref.current;
    if (element === null) return;
    const at = row * rowHeight;
    const now = Math.min(element.scrollTop * stretch, Math.max(0, total - view));
    if (at >= now && at + rowHeight <= now + view) return;
    const middle = at - view / 2 + rowHeight / 2;
    const nearest = at < now ? at : at + rowHeight - view;
    element.scrollTop = Math.max(0, where === 'center' ? middle : nearest) / stretch;
  };
  const fit = Math.floor(view / rowHeight);
  return { first, end, fit, height, offset, atTop: top < rowHeight / 2, onScroll, reveal };
}
