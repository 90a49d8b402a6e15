import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const name = 'stopped';

/** Leaves word for the next start that this run was told to stop. Never rejects: without it the next start assumes a crash. */
export async function leaveStopMark(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, name), '', { mode: 0o600 }).catch(() => undefined);
}

/** Whether the last run was told to stop. The mark is gone then, so that it says nothing of this run. */
export async function takeStopMark(dataDir: string): Promise<boolean> {
  return rm(join(dataDir, name)).then(
    () => true,
    () => false,
  );
}
