import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { MachineClock } from '../../domain/clock.ts';

const boot = bootId();

export const systemClock: MachineClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // Elsewhere than on Linux `uptime` is too coarse, and follows the wall clock.
  uptime: () => ({ boot, ms: boot === '' ? performance.now() : uptime() * 1000 }),
  setTimer(delayMs, ring) {
    const timer = setTimeout(ring, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Empty where there is none, and in a container whose /proc/uptime is its own and begins anew with it (LXCFS). */
function bootId(): string {
  try {
    if (readFileSync('/proc/self/mountinfo', 'utf8').includes(' /proc/uptime ')) return '';
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
