import { createWallClock } from '../guest-host/host/clocks.ts';
import type { FileStat, NewTime } from './port.ts';

const second = 1_000_000_000n;

/** Right to a millisecond, as the clock of the guest is, and moving between two of them. */
const wallClock = createWallClock();

/** Both times as Node takes them; the old ones are asked for only where one is to stay. */
export function timesToSet(accessed: NewTime, modified: NewTime, old: () => FileStat): [string, string] {
  const stat = accessed === 'omit' || modified === 'omit' ? old() : undefined;
  return [
    secondsOf(accessed === 'omit' ? (stat?.accessed ?? 0n) : accessed),
    secondsOf(modified === 'omit' ? (stat?.modified ?? 0n) : modified),
  ];
}

/**
 * Seconds as text, for Node takes a negative number for now. They are a double, whose steps at our times are a
 * quarter of a microsecond, and libuv cuts what it makes of one to a nanosecond: so the double that is nearest
 * and still in the same microsecond.
 */
function secondsOf(newTime: bigint | 'now'): string {
  const time = newTime === 'now' ? wallClock() : newTime;
  const wanted = microsecondOf(time);
  let seconds = Number(time / second) + Number(time % second) / 1e9;
  const step = Math.max(2 ** (Math.floor(Math.log2(Math.abs(seconds))) - 52), 0.5e-9);
  for (let tries = 0; tries < 4; tries += 1) {
    const got = microsecondOf(nanosecondsOf(seconds));
    if (got === wanted) break;
    seconds += got < wanted ? step : -step;
  }
  return String(seconds);
}

/** What libuv makes of a double. */
function nanosecondsOf(seconds: number): bigint {
  const whole = Math.trunc(seconds);
  return BigInt(whole) * second + BigInt(Math.trunc((seconds - whole) * 1e9));
}

/** Downwards, also before 1970. */
function microsecondOf(time: bigint): bigint {
  const cut = time / 1000n;
  return cut * 1000n > time ? cut - 1n : cut;
}
