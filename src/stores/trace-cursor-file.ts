import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const name = 'traces.json';
const version = 1;

/**
 * The first position in the log of the node whose spans may not have been taken by their receiver. Undefined where
 * there is no file, or none that says so: spans are then made from now on.
 */
export async function readTraceCursor(dataDir: string): Promise<number | undefined> {
  try {
    const document: unknown = JSON.parse(await readFile(join(dataDir, name), 'utf8'));
    if (typeof document !== 'object' || document === null || !('version' in document)) return undefined;
    if (document.version !== version || !('position' in document)) return undefined;
    const { position } = document;
    return typeof position === 'number' && Number.isSafeInteger(position) && position >= 0
      ? position
      : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the place of the file at once: a crash leaves the old one or the new one. */
export async function writeTraceCursor(dataDir: string, position: number): Promise<void> {
  const path = join(dataDir, name);
  await writeFile(`${path}.new`, JSON.stringify({ version, position }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}
