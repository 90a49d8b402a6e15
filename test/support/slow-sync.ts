import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileLibrary } from './native.ts';

/** A disk that can be made slow for a server that is started with `env`. */
export interface SlowSync {
  readonly env: Readonly<Record<string, string>>;
  set(slow: boolean): void;
}

/** Each sync of a file takes `ms` longer while it is slow. Needs a compiler; `folder` is for what it makes. */
export async function slowSync(folder: string, ms: number): Promise<SlowSync> {
  const mark = join(folder, 'slow');
  const library = await compileLibrary('slow-sync.c', folder);
  return {
    env: { LD_PRELOAD: library, SLOW_SYNC_MS: String(ms), SLOW_SYNC_WHILE: mark },
    set(slow) {
      if (slow) writeFileSync(mark, '');
      else rmSync(mark, { force: true });
    },
  };
}
