import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClockRecord, Mark, Moment } from '../domain/clock-record.ts';
import { StoreError } from './store.ts';

/** In the data folder, and in its backups: deadlines in the database count in the time that it is about. */
export const clockFile = 'clock.json';

const version = 1;
const latestInstant = 8.64e15;

/** Undefined where there is none, as in the folder of an older version. Rejects with StoreError. */
export async function readClockRecord(dataDir: string): Promise<ClockRecord | undefined> {
  const path = join(dataDir, clockFile);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new StoreError(`cannot read ${path}`, { cause });
  }
  const record = parsed(text);
  if (record === undefined) {
    throw new StoreError(
      `${path} is no clock record of version ${version}: move it away to start without it`,
    );
  }
  return record;
}

/** Replaces it as a whole. Rejects with StoreError. */
export async function writeClockRecord(dataDir: string, record: ClockRecord): Promise<void> {
  const path = join(dataDir, clockFile);
  try {
    await writeFile(`${path}.new`, `${JSON.stringify({ version, ...record })}\n`, {
      mode: 0o600,
      flush: true,
    });
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new StoreError(`cannot write ${path}`, { cause });
  }
}

function parsed(text: string): ClockRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value.version !== version) return undefined;
  const { marks, last, uptime } = value;
  if (!Array.isArray(marks) || marks.length === 0 || !marks.every(isMark) || !isMoment(last))
    return undefined;
  if (!isObject(uptime) || typeof uptime.boot !== 'string' || !isInstant(uptime.ms)) return undefined;
  return { marks, last, uptime: { boot: uptime.boot, ms: uptime.ms } };
}

function isMoment(value: unknown): value is Moment {
  return isObject(value) && isInstant(value.time) && isInstant(value.wall) && isInstant(value.seen);
}

function isMark(value: unknown): value is Mark {
  return isMoment(value) && 'earlyMs' in value && isInstant(value.earlyMs);
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= latestInstant;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
