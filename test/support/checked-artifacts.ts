/**
 * What the nodes of a test run have made of artifacts. To check and transpile one takes over a second, and most tests
 * are about what comes after: they get what another node of the same run has made, and only the first pays.
 */
import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Vitest's global setup: a folder for this run alone, because the next one may check and transpile in another way. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-checked-'));
  process.env.SPEAR_TEST_CHECKED = folder;
  return () => rm(folder, { recursive: true, force: true });
}

/** The folder of this run; undefined where there is none, as outside of vitest. */
export function checkedFolder(): string | undefined {
  return process.env.SPEAR_TEST_CHECKED;
}

/** Gives a node's data folder what is known of an artifact. */
export function takeChecked(dataDir: string, artifact: Uint8Array): Promise<void> {
  const shared = checkedFolder();
  return shared === undefined ? Promise.resolve() : copyMade(shared, join(dataDir, 'cache'), artifact);
}

/** Keeps what a node has made of an artifact for those that come after. */
export function keepChecked(dataDir: string, artifact: Uint8Array): Promise<void> {
  const shared = checkedFolder();
  return shared === undefined ? Promise.resolve() : copyMade(join(dataDir, 'cache'), shared, artifact);
}

async function copyMade(from: string, to: string, artifact: Uint8Array): Promise<void> {
  const digest = createHash('sha256').update(artifact).digest('hex');
  const [made] = (await namesIn(from)).filter((name) => name.startsWith(`${digest}-`));
  if (made === undefined || (await namesIn(to)).includes(made)) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  // Whole or not at all, as the cache itself does it; a node takes what has this name for another's unfinished work.
  const unfinished = join(to, `.making-${process.pid}-${randomUUID()}`);
  await cp(join(from, made), unfinished, { recursive: true });
  try {
    await rename(unfinished, join(to, made));
  } catch (error) {
    await rm(unfinished, { recursive: true });
    // Another was quicker.
    if (!(await namesIn(to)).includes(made)) throw error;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
