/** Numbers of stored records as their fields can hold them: one that cannot be encoded would break every list that it is in. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** What a Timestamp can be in JSON: the years 1 to 9999. */
const earliestMs = -62_135_596_800_000;
const latestMs = 253_402_300_799_000;

export function int32(value: number): number {
  return bounded(value, -(2 ** 31), 2 ** 31 - 1);
}

export function int64(value: number): bigint {
  // Most counters of most records are 0.
  return value === 0 ? 0n : BigInt(bounded(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER));
}

/** Milliseconds since the epoch. */
export function time(ms: number): Timestamp {
  const whole = bounded(ms, earliestMs, latestMs);
  const seconds = Math.floor(whole / 1000);
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: BigInt(seconds),
    nanos: (whole - seconds * 1000) * 1_000_000,
  };
}

/** 0 for what is no number. */
function bounded(value: number, least: number, most: number): number {
  return Number.isNaN(Number(value)) ? 0 : Math.round(Math.min(Math.max(value, least), most));
}
