import type { Clock } from '../../../domain/clock.ts';

/** Resolves after `ms`, by the clock. */
export function passed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}

/** Resolves after `ms`, by the clock, or when `signal` is aborted. */
export async function passedOrAborted(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = Promise.withResolvers<void>();
  const timer = clock.setTimer(ms, over.resolve);
  signal.addEventListener('abort', () => over.resolve(), { once: true });
  await over.promise;
  timer.cancel();
}

/** Whether `promise`, which must not reject, resolves before `ms` have passed. */
export async function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = clock.setTimer(ms, () => late.resolve(false));
  const inTime = await Promise.race([promise.then(() => true), late.promise]);
  timer.cancel();
  return inTime;
}
