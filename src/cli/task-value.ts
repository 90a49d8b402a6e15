/**
 * Values that a task's flags and its file share, beside durations and sizes. Each throws a UsageError that names
 * `field`; the bounds are the ones that the server holds them to.
 */
import { quote } from '../domain/errors.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './usage-error.ts';

const leastCores = 0.01;
const mostCores = 1024;
const leastCpuTimeMs = 1000;

function refuse(field: string, text: string, allowed: string): UsageError {
  return new UsageError(`${field}: is ${quote(text)}; allowed is ${allowed}`);
}

export const parseProcesses = wholeFrom(1, 1_000_000);
export const parseOpenFiles = wholeFrom(16, 1_000_000);
export const parseAttempts = wholeFrom(1, 1000);
/** How many lost attempts an execution survives. */
export const parseRecoveries = wholeFrom(0, 1000);
/** How many warm instances. */
export const parseInstances = wholeFrom(0, 1000);
/** Executions of one instance: as many as the wire has bits for. */
export const parseUses = wholeFrom(1, 0xffff_ffff);

function wholeFrom(least: number, most: number) {
  return (field: string, text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw refuse(field, text, `a whole number from ${least} to ${most}`);
    }
    return value;
  };
}

/** Processor cores: `0.5` is half of one. */
export function parseCores(field: string, text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < leastCores || value > mostCores) {
    throw refuse(field, text, `a number of cores from ${leastCores} to ${mostCores}, such as 0.5`);
  }
  return value;
}

/** Milliseconds of CPU time. */
export function parseCpuTime(field: string, text: string): number {
  const ms = parseDuration(field, text);
  if (ms < leastCpuTimeMs) throw refuse(field, text, 'a duration of 1s or more');
  return ms;
}

/** Lower-case hex of a SHA-256; `sha256:` before it is how others write it. */
export function parseDigest(field: string, text: string): string {
  const digest = text.replace(/^sha256:/, '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digest)) throw refuse(field, text, 'a SHA-256 of 64 hex digits');
  return digest;
}

/** `USER` or `USER:GROUP`. */
export function parseUser(field: string, text: string): string {
  const one = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}';
  if (!new RegExp(`^${one}(:${one})?$`).test(text)) {
    throw refuse(field, text, 'USER or USER:GROUP, as names or numbers');
  }
  return text;
}

/** A path on the server or in the container: relative to nothing of ours. */
export function parseAbsolutePath(field: string, text: string): string {
  if (!text.startsWith('/')) throw refuse(field, text, 'an absolute path');
  return text;
}

export function parseNetwork(field: string, text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text)) {
    throw refuse(field, text, 'the name of a docker network, such as bridge');
  }
  return text;
}
