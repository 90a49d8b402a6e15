import { maxTransfer } from '../files/port.ts';
import { clockIds } from './clocks.ts';
import { CallError, errnoOf } from './errno.ts';
import type { GuestHost, HostCalls } from './host.ts';
import { rights } from './rights.ts';
import type { InterfaceVersion } from './version.ts';

const eventBytes = 32;
const eventTypes = { clock: 0, read: 1, write: 2 } as const;
const absoluteTime = 1;
const hangup = 1;

/** The longest single sleep in milliseconds: how late it is noticed that the machine's time was set. */
const maxSleepMs = 1000;

interface Readiness {
  readonly bytes: bigint;
  readonly flags: number;
}

/**
 * `poll_oneoff`. The streams of an execution and files never make a guest wait, and a FIFO counts as ready: only
 * clocks are waited for. Subscriptions are read from the guest's memory again in each round, so that their number
 * costs the host nothing.
 */
export function pollCalls(
  { context, memory, descriptors, clocks }: GuestHost,
  version: InterfaceVersion,
): HostCalls {
  const { subscription: at } = version;
  let sleeper: Int32Array<SharedArrayBuffer> | undefined;

  /** Nanoseconds until it rings, from now on. */
  function untilRing(entry: number, startedAt: bigint): bigint {
    const clock = memory.getU32(entry + at.clock);
    const timeout = memory.getU64(entry + at.timeout);
    const absolute = (memory.getU16(entry + at.clockFlags) & absoluteTime) !== 0;
    if (clock === clockIds.processCpuTime || clock === clockIds.threadCpuTime) throw new CallError('ENOTSUP');
    if (absolute) return timeout - clocks.now(clock);
    // To wait relative to it is to wait on the clock that cannot be set.
    clocks.resolution(clock);
    return startedAt + timeout - clocks.now(clockIds.monotonic);
  }

  function readiness(type: number, fd: number): Readiness {
    if (type === eventTypes.write) {
      descriptors.fileOrStream(fd, rights.fdWrite);
      return { bytes: BigInt(maxTransfer), flags: 0 };
    }
    const node = descriptors.fileOrStream(fd, rights.fdRead);
    if (node.kind === 'stream') {
      const left = context.input.length - context.inputAt;
      return { bytes: BigInt(left), flags: left > 0 ? 0 : hangup };
    }
    if (node.type !== 'regular-file') return { bytes: 1n, flags: 0 };
    const left = node.stat().size - node.tell();
    return { bytes: left > 0n ? left : 0n, flags: 0 };
  }

  function writeEvent(pointer: number, entry: number, errno: number, ready: Readiness): void {
    const userdata = memory.getU64(entry);
    const type = memory.getU8(entry + 8);
    memory.fill(pointer, eventBytes, 0);
    memory.setU64(pointer, userdata);
    memory.setU16(pointer + 8, errno);
    memory.setU8(pointer + 10, type);
    memory.setU64(pointer + 16, ready.bytes);
    memory.setU16(pointer + 24, ready.flags);
  }

  /** The event of one subscription, if it has come; else how long its clock still takes. */
  function look(entry: number, startedAt: bigint, output: number): bigint | undefined {
    const type = memory.getU8(entry + 8);
    let ready: Readiness = { bytes: 0n, flags: 0 };
    let errno = 0;
    try {
      if (type === eventTypes.clock) {
        const left = untilRing(entry, startedAt);
        if (left > 0n) return left;
      } else if (type === eventTypes.read || type === eventTypes.write) {
        ready = readiness(type, memory.getU32(entry + 16));
      } else {
        throw new CallError('EINVAL');
      }
    } catch (error) {
      const number = errnoOf(error);
      if (number === undefined) throw error;
      errno = number;
    }
    writeEvent(output, entry, errno, ready);
    return undefined;
  }

  return {
    poll_oneoff(input: number, output: number, count: number, result: number) {
      const entries = count >>> 0;
      if (entries === 0) throw new CallError('EINVAL');
      memory.checkArray(input, entries, at.bytes);
      memory.checkArray(output, entries, eventBytes);
      memory.check(result, 4);
      const startedAt = clocks.now(clockIds.monotonic);
      for (;;) {
        let events = 0;
        let earliest: bigint | undefined;
        for (let index = 0; index < entries; index += 1) {
          const entry = (input >>> 0) + index * at.bytes;
          const left = look(entry, startedAt, (output >>> 0) + events * eventBytes);
          if (left === undefined) events += 1;
          else if (earliest === undefined || left < earliest) earliest = left;
        }
        if (events > 0 || earliest === undefined) {
          memory.setU32(result, events);
          return;
        }
        // Below 10 µs the system cannot sleep; above, a rest of less is slept again.
        const sleepMs = Math.min(Math.max(Number(earliest) / 1e6, 0.01), maxSleepMs);
        sleeper ??= new Int32Array(new SharedArrayBuffer(4));
        Atomics.wait(sleeper, 0, 0, sleepMs);
      }
    },
  };
}
