/** How much output there was when, in a bounded number of bars however long the log is. Pure. */
import type { LogIndex } from '../log/log-index.ts';
import type { TimeScale } from './scale.ts';

export interface Density {
  /** Bytes in each bar. */
  readonly stdout: Float64Array;
  readonly stderr: Float64Array;
  readonly most: number;
}

/** Bars across the part of the picture from `start` to `end`. */
export function densityOf(
  index: LogIndex,
  scale: TimeScale,
  start: number,
  end: number,
  bars: number,
): Density {
  const stdout = new Float64Array(bars);
  const stderr = new Float64Array(bars);
  const width = (end - start) / bars;
  let chunk = index.chunksBefore(scale.time(start));
  let most = 0;
  // Times ascend, so that each bar ends where the next one begins: one look at the scale for each.
  for (let bar = 0; bar < bars; bar += 1) {
    const until = bar === bars - 1 ? scale.time(end) : scale.time(start + (bar + 1) * width);
    let out = 0;
    let err = 0;
    for (; chunk < index.chunks && index.chunkTime(chunk) <= until; chunk += 1) {
      if (index.isStderr(chunk)) err += index.chunkBytes(chunk);
      else out += index.chunkBytes(chunk);
    }
    stdout[bar] = out;
    stderr[bar] = err;
    most = Math.max(most, out + err);
  }
  return { stdout, stderr, most };
}
