import type { GuestIo } from './io.ts';

const nanosecondsPerMillisecond = 1_000_000n;

/** `wasi:clocks`. These are the guest's clocks, not the node's: they tell the time of the machine. */
export function createClocks(io: GuestIo) {
  return {
    monotonicClock: {
      now: () => process.hrtime.bigint(),
      resolution: () => 1n,
      subscribeInstant: (instant: bigint) => io.alarm(instant),
      subscribeDuration: (duration: bigint) => io.alarm(process.hrtime.bigint() + duration),
    },
    wallClock: {
      now: () => {
        const now = Date.now();
        return { seconds: BigInt(Math.floor(now / 1000)), nanoseconds: (now % 1000) * 1_000_000 };
      },
      resolution: () => ({ seconds: 0n, nanoseconds: Number(nanosecondsPerMillisecond) }),
    },
  };
}
