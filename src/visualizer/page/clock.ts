/**
 * All time of the page. Instants are milliseconds since 1970.
 *
 * Durations of what still runs are counted against the node's clock, which the feed reports: the reader's own may
 * stand hours apart.
 */
import { type ReadonlySignal, signal } from '@preact/signals';

let offset = 0;
/** Where the node's clock stands while nothing is heard of it. */
let held: number | undefined;

const beat = signal(Date.now());
const readerBeat = signal(Date.now());

/** The reader's clock. */
export function now(): number {
  return Date.now();
}

/** The node's clock, as far as the page knows it. */
export function nodeNow(): number {
  return held ?? Date.now() + offset;
}

/** Lets the node's clock stand while the node is away: nobody knows what goes on there, or for how long. */
export function holdNodeTime(hold: boolean): void {
  held = hold ? nodeNow() : undefined;
  beat.value = nodeNow();
}

/** Takes over what the node says its time is. */
export function setNodeTime(time: number): void {
  const next = time - Date.now();
  // The path of a message takes a while, and a clock that is moved with each one would make durations tremble.
  if (Math.abs(next - offset) > 500) offset = next;
}

/** The node's clock in steps of a second, for what ticks. Only leaves of the page may read it. */
export const seconds: ReadonlySignal<number> = beat;

/** The reader's clock in steps of a second. */
export const readerSeconds: ReadonlySignal<number> = readerBeat;

let ticking: number | undefined;

/** Starts the clock that `seconds` shows; it stands still while the page is hidden. */
export function startClock(): () => void {
  const run = () => {
    stop();
    if (document.hidden) return;
    beatNow();
    ticking = window.setInterval(beatNow, 1000);
  };
  document.addEventListener('visibilitychange', run);
  run();
  return () => {
    document.removeEventListener('visibilitychange', run);
    stop();
  };
}

function beatNow(): void {
  beat.value = nodeNow();
  readerBeat.value = now();
}

function stop(): void {
  if (ticking !== undefined) window.clearInterval(ticking);
  ticking = undefined;
}

/** Does something once, later. Returns what calls it off. */
export function after(ms: number, act: () => void): () => void {
  const timer = window.setTimeout(act, ms);
  return () => window.clearTimeout(timer);
}

/**
 * Does something before the next frame, once; on a hidden page, which has no frames, within a quarter of a second.
 * Returns what calls it off.
 */
export function onFrame(act: () => void): () => void {
  const callOff = () => {
    cancelAnimationFrame(frame);
    window.clearTimeout(timer);
  };
  const once = () => {
    callOff();
    act();
  };
  const frame = requestAnimationFrame(once);
  const timer = window.setTimeout(once, 250);
  return callOff;
}

/** Tells how many milliseconds have gone by since it was made. */
export function stopwatch(): () => number {
  const start = performance.now();
  return () => performance.now() - start;
}
