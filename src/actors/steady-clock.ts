import type { Clock } from '../domain/clock.ts';

/**
 * The wall clock as it was when this was made, moved on by monotonic time: instants that a wall clock which is set
 * does not shift. For deadlines (I7).
 */
export function steadyClock(clock: Clock): Clock {
  const offset = clock.now() - clock.monotonic();
  return {
    now: () => offset + clock.monotonic(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, ring) => clock.setTimer(delayMs, ring),
  };
}
