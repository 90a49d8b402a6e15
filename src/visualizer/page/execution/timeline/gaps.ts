/** The stretches between two things that happened. Pure. */
import type { LogIndex } from '../log/log-index.ts';
import type { Gap } from './compression.ts';

const busyStates = new Set(['running.attempting', 'running.stopping']);

/** Those that may matter, up to `end`: shorter ones than a thousandth of the whole never do. */
export function gapsOf(index: LogIndex, from: number, end: number): readonly Gap[] {
  const least = (end - from) / 1000;
  const gaps: Gap[] = [];
  const { steps } = index;
  let chunk = 0;
  let at = from;
  let busy = false;
  const reach = (time: number): void => {
    if (time - at > least) gaps.push({ from: at, to: time, busy });
    at = Math.max(at, time);
  };
  for (const step of steps) {
    for (; chunk < index.chunks && index.chunkTime(chunk) <= step.time; chunk += 1)
      reach(index.chunkTime(chunk));
    reach(step.time);
    busy = busyStates.has(step.to);
  }
  for (; chunk < index.chunks; chunk += 1) reach(index.chunkTime(chunk));
  reach(end);
  return gaps;
}
