/** Checks that several requests share. Each throws invalid_argument with the field's path and what is allowed. */
import { type Duration, type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { fits } from '../../domain/schema/check.ts';
import {
  environmentName,
  longestDays,
  longestMs,
  mostArgumentBytes,
  mostArguments,
} from '../../domain/schema/values.ts';

export const longestText = `${longestDays} days`;

/** Milliseconds of a duration that must be above zero; undefined where it is absent. */
export function positiveDuration(field: string, duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const ms = checkedDuration(field, duration);
  if (ms <= 0) throw invalidArgument(field, `is ${ms} ms; allowed is more than 0 and at most ${longestText}`);
  return Math.ceil(ms);
}

/** Milliseconds of a duration that may be zero. */
export function delay(field: string, duration: Duration | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const ms = checkedDuration(field, duration);
  if (ms < 0) throw invalidArgument(field, `is ${ms} ms; allowed is 0 to ${longestText}`);
  return Math.ceil(ms);
}

function checkedDuration(field: string, duration: Duration): number {
  // Not rounded: what is less than a millisecond is still above, or below, zero.
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1e6;
  if (!Number.isFinite(ms) || Math.abs(ms) > longestMs || Math.abs(duration.nanos) > 999_999_999) {
    throw invalidArgument(field, `is out of range; allowed is at most ${longestText}`);
  }
  return ms;
}

export function instant(field: string, time: Timestamp | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = timestampMs(time);
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw invalidArgument(field, 'is not a time');
  return ms;
}

/** A text without NUL and lone surrogates, of at most `most` UTF-8 bytes. */
export function text(field: string, value: string, most: number): string {
  const bytes = Buffer.byteLength(value);
  if (bytes > most) throw invalidArgument(field, `has ${bytes} bytes; allowed are ${most}`);
  if (value.includes('\0')) throw invalidArgument(field, 'contains a NUL character, which is not allowed');
  if (!value.isWellFormed()) throw invalidArgument(field, 'is not well-formed Unicode');
  return value;
}

/** Throws where a list or map has more entries than are allowed. */
export function most(field: string, entries: number, allowed: number): void {
  if (entries > allowed) throw invalidArgument(field, `has ${entries} entries; allowed are ${allowed}`);
}

/** An id or name as something to look up: present, and short enough to quote. */
export function reference(field: string, value: string): string {
  if (value === '') throw invalidArgument(field, 'is required');
  return text(field, value, 256);
}

export function executionId(value: string): string {
  reference('execution_id', value);
  if (!value.startsWith('exec_')) {
    throw invalidArgument('execution_id', `${quote(value)} is not an execution id; allowed is exec_…`);
  }
  return value;
}

export function argumentList(field: string, args: readonly string[]): readonly string[] {
  if (args.length > mostArguments) {
    throw invalidArgument(field, `has ${args.length} entries; allowed are ${mostArguments}`);
  }
  let total = 0;
  for (const [index, arg] of args.entries()) {
    text(`${field}[${index}]`, arg, mostArgumentBytes);
    total += Buffer.byteLength(arg);
  }
  if (total > mostArgumentBytes) {
    throw invalidArgument(field, `has ${total} bytes in all; allowed are ${mostArgumentBytes}`);
  }
  return args;
}

export function environment(
  field: string,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = Object.keys(variables);
  if (names.length === 0) return variables;
  if (names.length > mostArguments) {
    throw invalidArgument(field, `has ${names.length} entries; allowed are ${mostArguments}`);
  }
  let total = 0;
  for (const name of names) {
    if (!fits(environmentName.form, name)) {
      throw invalidArgument(
        `${field}.${quote(name)}`,
        `is not a name; allowed is ${environmentName.form.words?.allowed}`,
      );
    }
    text(field, name, environmentName.form.most);
    const value = variables[name] ?? '';
    text(`${field}.${name}`, value, mostArgumentBytes);
    total += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (total > mostArgumentBytes) {
    throw invalidArgument(field, `has ${total} bytes in all; allowed are ${mostArgumentBytes}`);
  }
  return sorted(variables);
}

/** At most 64 entries and 8 KiB. */
export function metadata(
  field: string,
  entries: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const keys = Object.keys(entries);
  if (keys.length === 0) return entries;
  if (keys.length > 64) throw invalidArgument(field, `has ${keys.length} entries; allowed are 64`);
  let total = 0;
  for (const key of keys) {
    const value = entries[key] ?? '';
    text(field, key, 8192);
    text(`${field}.${quote(key)}`, value, 8192);
    total += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (total > 8192) throw invalidArgument(field, `has ${total} bytes; allowed are 8192`);
  return entries;
}

/** The same entries in the order of their keys, so that equal maps have equal JSON. */
export function sorted<Value>(map: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Throws invalid_argument where a number is out of bounds; NaN always is. */
export function within(path: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw invalidArgument(path, `is ${value}; allowed is ${least} to ${most}`);
}

export function bounded(path: string, value: bigint, least: number, most: number): number {
  if (value >= BigInt(least) && value <= BigInt(most)) return Number(value);
  throw invalidArgument(path, `is ${value}; allowed is ${least} to ${most}`);
}

/** 1 to 1000; 0 means 100. */
export function pageSize(value: number): number {
  if (value > 1000) throw invalidArgument('page_size', `is ${value}; allowed is 1 to 1000, or 0 for 100`);
  return value === 0 ? 100 : value;
}

/** The id of a batch. */
export function batchReference(field: string, value: string): string {
  reference(field, value);
  if (value.startsWith('batch_')) return value;
  throw invalidArgument(field, `${quote(value)} is not the id of a batch; allowed is batch_…`);
}
