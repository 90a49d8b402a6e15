import type { Replayed } from '../../machines/replay.ts';

/** An attempt runs, is being stopped or stands still where the machine is in this state. */
export function leavesAttempt({ state, context }: Replayed): boolean {
  return state === 'running.attempting' || state === 'running.stopping' || context.pausedAttempt !== null;
}
