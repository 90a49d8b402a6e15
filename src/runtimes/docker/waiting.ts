import type { Clock } from '../../domain/clock.ts';

/** Resolves after `ms`, by the clock. */
export function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}

/** Whether `promise`, which must not reject, resolves before `ms` have passed. */
export async function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = clock.setTimer(ms, () => late.resolve(false));
  const inTime = await Promise.race([promise.then(() => true), late.promise]);
  timer.cancel();
  return inTime;
}
