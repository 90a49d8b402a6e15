/** Who else may look into a data folder: nobody, whatever mode it was made with. */
import { chmod, chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { StoreError } from '../../src/stores/store.ts';
import { temporaryFolder } from './folder.ts';
import { executionId, recordOf, shortLog } from './samples.ts';

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o7777).toString(8);

async function folderWith(mode: number): Promise<string> {
  const dataDir = join(await temporaryFolder(), 'data');
  await mkdir(dataDir);
  await chmod(dataDir, mode);
  return dataDir;
}

async function openedAndWritten(dataDir: string) {
  const store = await openSqliteStore({ dataDir });
  const id = executionId(1);
  await store.commit([
    { executionId: id, expectedLastSequence: 0, events: shortLog(), record: recordOf(id, 'running') },
  ]);
  return store;
}

test.each([0o755, 0o777, 0o750, 0o1777])(
  'a folder of the node with mode %o is closed to others',
  async (mode) => {
    const dataDir = await folderWith(mode);
    const store = await openedAndWritten(dataDir);
    onTestFinished(() => store.close());
    expect(await modeOf(dataDir)).toBe('700');
    for (const name of ['spear.db', 'spear.db-wal', 'spear.db-shm', 'lock.db', 'high-water']) {
      expect(await modeOf(join(dataDir, name)), name).toBe('600');
    }
  },
);

test('a folder of an earlier node, and its files, are closed to others', async () => {
  const dataDir = await folderWith(0o700);
  await (await openedAndWritten(dataDir)).close();
  await chmod(dataDir, 0o755);
  for (const name of ['spear.db', 'lock.db']) await chmod(join(dataDir, name), 0o644);
  const store = await openSqliteStore({ dataDir });
  onTestFinished(() => store.close());
  expect(await modeOf(dataDir)).toBe('700');
  for (const name of ['spear.db', 'lock.db']) expect(await modeOf(join(dataDir, name)), name).toBe('600');
});

test.each([[0o755], [0o1777]])(
  'a folder with mode %o that has something else in it is refused and left as it is',
  async (mode) => {
    const dataDir = await folderWith(mode);
    await writeFile(join(dataDir, 'notes.txt'), '');
    const error = await openSqliteStore({ dataDir }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(StoreError);
    expect(String(error)).toContain(`${dataDir} of the user ${process.geteuid?.()} is open to others`);
    expect(await modeOf(dataDir)).toBe(mode.toString(8));
    expect(await readdir(dataDir)).toEqual(['notes.txt']);
  },
);

test('a folder that is everybody’s is refused', async () => {
  const { mode } = await stat('/tmp');
  const error = await openSqliteStore({ dataDir: '/tmp' }).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(StoreError);
  expect((await stat('/tmp')).mode).toBe(mode);
});

// Only root can give a folder away.
test.skipIf(process.geteuid?.() !== 0)('a folder of another user is refused', async () => {
  const dataDir = await folderWith(0o700);
  await chown(dataDir, 61_000, 61_000);
  const error = await openSqliteStore({ dataDir }).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(StoreError);
  expect(String(error)).toContain(`${dataDir} belongs to the user 61000, and this runs as the user 0`);
});
