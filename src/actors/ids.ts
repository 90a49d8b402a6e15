import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { Clock } from '../domain/clock.ts';

/** Makes ids of 26 characters that sort by the clock, each after the one before (https://github.com/ulid/spec). */
export type IdSource = (
  prefix: 'exec_' | 'task_' | 'req_' | 'inst_' | 'node_' | 'batch_' | 'break_',
) => string;

export function createIds(clock: Pick<Clock, 'now'>): IdSource {
  const next = monotonicFactory(bufferedRandom());
  return (prefix) => prefix + next(Math.floor(clock.now())).toLowerCase();
}

/** Numbers from 0 to 1 out of the system's generator, asked for many at a time: one call for each is slow. */
function bufferedRandom(): () => number {
  const pool = new Uint32Array(1024);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    return (pool[used++] ?? 0) / 2 ** 32;
  };
}
