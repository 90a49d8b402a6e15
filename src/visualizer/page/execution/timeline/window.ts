/** The part of the timeline that is on screen, from 0 to 1. Pure. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

export const whole: Window = { start: 0, end: 1 };
/** Deeper than this a double cannot tell milliseconds of a long run apart. */
const narrowest = 1e-6;

/** Zooms by `factor` (below 1: in) around a place that stays where it is. */
export function zoomed({ start, end }: Window, factor: number, around: number): Window {
  const width = Math.min(1, Math.max(narrowest, (end - start) * factor));
  const share = end === start ? 0.5 : (around - start) / (end - start);
  return within(around - share * width, width);
}

/** Moves by a share of what is on screen. */
export function panned({ start, end }: Window, share: number): Window {
  return within(start + share * (end - start), end - start);
}

/** So much moved, and no more, that a place is on screen. */
export function showing(window: Window, from: number, to: number): Window {
  const width = window.end - window.start;
  if (from >= window.start && to <= window.end) return window;
  return within((from + Math.min(to, from + width)) / 2 - width / 2, width);
}

function within(start: number, width: number): Window {
  const from = Math.min(1 - width, Math.max(0, start));
  return { start: from, end: from + width };
}
