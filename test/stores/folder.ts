import { accessSync, constants, statfsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Stores sync each commit, and these tests make thousands that no crash follows: half of their time is the disk's, where
 * they do not lie in memory. 256 MiB is several times what any of them writes; a container may have 64.
 */
const memory = '/dev/shm';
const neededBytes = 256 * 1024 * 1024;
const parent = hasRoomInMemory() ? memory : tmpdir();

/** A folder that goes when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(parent, 'spear-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function hasRoomInMemory(): boolean {
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= neededBytes;
  } catch {
    // Not every system has it.
    return false;
  }
}
