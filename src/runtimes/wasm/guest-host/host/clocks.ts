import type { GuestIo } from './io.ts';

const nanosecondsPerMillisecond = 1_000_000n;
const nanosecondsPerSecond = 1_000_000_000n;

/** `wasi:clocks`. These are the guest's clocks, not the node's: they tell the time of the machine. */
export function createClocks(io: GuestIo) {
  const wallClock = createWallClock();
  return {
    monotonicClock: {
      now: () => process.hrtime.bigint(),
      resolution: () => 1n,
      subscribeInstant: (instant: bigint) => io.alarm(instant),
      subscribeDuration: (duration: bigint) => io.alarm(process.hrtime.bigint() + duration),
    },
    wallClock: {
      now: () => {
        const now = wallClock();
        return { seconds: now / nanosecondsPerSecond, nanoseconds: Number(now % nanosecondsPerSecond) };
      },
      resolution: () => ({ seconds: 0n, nanoseconds: 1000 }),
    },
  };
}

/**
 * Nanoseconds since 1970. Node tells the time of the machine in whole milliseconds; between them the monotonic
 * clock counts on, so that the time moves, is never off by more than a millisecond, and follows when it is set.
 */
export function createWallClock(): () => bigint {
  let ahead = 0n;
  return () => {
    const monotonic = process.hrtime.bigint();
    const from = BigInt(Date.now()) * nanosecondsPerMillisecond;
    const to = from + nanosecondsPerMillisecond - 1n;
    if (monotonic + ahead < from) ahead = from - monotonic;
    else if (monotonic + ahead > to) ahead = to - monotonic;
    return monotonic + ahead;
  };
}
