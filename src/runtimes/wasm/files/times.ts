import type { FileStat, NewTime } from './port.ts';

const second = 1_000_000_000n;

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
 * quarter of a microsecond, and libuv cuts what it makes of one down to a nanosecond: so the nearest double that
 * is still in the same microsecond.
 */
function secondsOf(time: bigint | 'now'): string {
  if (time === 'now') return String(Date.now() / 1000);
  const whole = floor(time, second);
  const rest = time - whole * second;
  let seconds = Number(whole) + Number(rest) / 1e9;
  const step = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(seconds), 1))) - 52);
  const microsecond = rest / 1000n;
  for (let tries = 0; tries < 4; tries += 1) {
    const got = Math.floor((seconds - Number(whole)) * 1e6);
    if (got === Number(microsecond)) break;
    seconds += got < Number(microsecond) ? step : -step;
  }
  return String(seconds);
}

function floor(value: bigint, unit: bigint): bigint {
  return value >= 0n || value % unit === 0n ? value / unit : value / unit - 1n;
}
