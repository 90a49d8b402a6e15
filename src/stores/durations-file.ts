import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredDurations } from '../domain/durations.ts';

const name = 'durations.json';
const version = 1;

/**
 * What an earlier run of the node learned of its functions; nothing where there was none. Rejects where the file is
 * not one of ours: whoever asks goes on without.
 */
export async function readDurations(dataDir: string): Promise<StoredDurations> {
  let text: string;
  try {
    text = await readFile(join(dataDir, name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  const document: unknown = JSON.parse(text);
  if (!isDocument(document)) throw new Error(`${name} is not of version ${version}`);
  return document.durations;
}

/** Takes the place of the file at once: a crash leaves the old one or the new one. */
export async function writeDurations(dataDir: string, durations: StoredDurations): Promise<void> {
  const path = join(dataDir, name);
  await writeFile(`${path}.new`, JSON.stringify({ version, durations }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function isDocument(value: unknown): value is { readonly durations: StoredDurations } {
  if (typeof value !== 'object' || value === null) return false;
  if (!('version' in value) || value.version !== version || !('durations' in value)) return false;
  return Array.isArray(value.durations) && value.durations.every(isEntry);
}

function isEntry(entry: unknown): boolean {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [key, durations] = entry as [unknown, unknown];
  return (
    typeof key === 'string' &&
    Array.isArray(durations) &&
    durations.every((ms) => typeof ms === 'number' && Number.isFinite(ms) && ms >= 0)
  );
}
