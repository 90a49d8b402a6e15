import { monotonicFactory } from 'ulid';
import type { Clock } from '../domain/clock.ts';

/** Makes ids of 26 characters that sort by time, each after the one before (https://github.com/ulid/spec). */
export type IdSource = (prefix: 'exec_' | 'task_' | 'req_') => string;

export function createIds(clock: Clock): IdSource {
  const next = monotonicFactory();
  return (prefix) => prefix + next(clock.now()).toLowerCase();
}
