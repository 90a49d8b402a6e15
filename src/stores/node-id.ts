import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from './store.ts';

/** In the data folder; written once its store is open. */
export const nodeIdFile = 'node-id';

/**
 * The name of the node that a data folder belongs to: whatever it leaves behind on the host carries it, and it is the
 * same after a restart. `make` gives one where there is none. Rejects with StoreError.
 */
export async function readNodeId(dataDir: string, make: () => string): Promise<string> {
  const path = join(dataDir, nodeIdFile);
  try {
    const id = (await readFile(path, 'utf8').catch(emptyWhereMissing)).trim();
    if (/^node_[0-9a-z]{26}$/.test(id)) return id;
    const made = make();
    await writeFile(`${path}.new`, `${made}\n`, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
    return made;
  } catch (cause) {
    throw new StoreError(`cannot use ${path}`, { cause });
  }
}

function emptyWhereMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
