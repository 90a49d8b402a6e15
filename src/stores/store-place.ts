import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** In the data folder of a node that keeps its executions elsewhere: says where. */
const file = 'store';

/** Undefined for a node whose executions are in its data folder. */
export function storeElsewhere(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, file), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** `place` is as people may see it; undefined for the data folder itself. */
export function noteStore(dataDir: string, place: string | undefined): void {
  const path = join(dataDir, file);
  if (place === undefined) rmSync(path, { force: true });
  else writeFileSync(path, `${place}\n`, { mode: 0o600 });
}
