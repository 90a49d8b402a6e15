import { CallError } from './errno.ts';

/** The clocks of the interface, by `clockid`. */
export const clockIds = { realtime: 0, monotonic: 1, processCpuTime: 2, threadCpuTime: 3 } as const;

/** Nanoseconds. */
const resolutions: Readonly<Record<number, bigint>> = {
  [clockIds.realtime]: 1000n,
  [clockIds.monotonic]: 1n,
  // The system tells it in microseconds.
  [clockIds.processCpuTime]: 1000n,
  [clockIds.threadCpuTime]: 1000n,
};

/** The clocks of one guest, in nanoseconds. */
export class GuestClocks {
  readonly #realtime: () => bigint;
  #cpuTimeBefore = threadCpuTime();

  /** @param realtime nanoseconds since 1970 */
  constructor(realtime: () => bigint) {
    this.#realtime = realtime;
  }

  /** The guest begins to run now. */
  begin(): void {
    this.#cpuTimeBefore = threadCpuTime();
  }

  resolution(id: number): bigint {
    const resolution = resolutions[id];
    if (resolution === undefined) throw new CallError('EINVAL');
    return resolution;
  }

  /** A guest is a process of one thread, which began when it was entered: its two clocks of processor time are one. */
  now(id: number): bigint {
    if (id === clockIds.realtime) return this.#realtime();
    if (id === clockIds.monotonic) return process.hrtime.bigint();
    if (id === clockIds.processCpuTime || id === clockIds.threadCpuTime) {
      return BigInt(threadCpuTime() - this.#cpuTimeBefore) * 1000n;
    }
    throw new CallError('EINVAL');
  }
}

/** Microseconds. */
function threadCpuTime(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
