import type { Clock } from '../domain/clock.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, ring) {
    const timer = setTimeout(ring, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
