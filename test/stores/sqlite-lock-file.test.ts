import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LockFile } from '../../src/stores/sqlite/file/lock-file.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { type CommitEntry, StoreError } from '../../src/stores/store.ts';
import { temporaryFolder } from './folder.ts';
import { executionId, recordOf, shortLog, taskOf } from './samples.ts';

function creating(number: number): CommitEntry {
  const id = executionId(number);
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record: recordOf(id, 'running') };
}

async function opened() {
  const dataDir = await temporaryFolder();
  const store = await openSqliteStore({ dataDir });
  onTestFinished(() => store.close());
  return { dataDir, store };
}

test.for(['spear.db', 'spear.db-wal'])(
  'nothing is written to a %s that was deleted or replaced',
  async (name) => {
    const { dataDir, store } = await opened();
    await store.commit([creating(1)]);
    const path = join(dataDir, name);
    await rm(path);
    for (const write of [
      () => store.commit([creating(2)]),
      () => store.commit([]),
      () => store.saveTask(taskOf('task_1', 1, 'echo')),
    ]) {
      const error = await write().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(StoreError);
      expect(String(error)).toContain(`${path} is no longer there`);
    }
    await writeFile(path, '');
    await expect(store.commit([creating(2)])).rejects.toThrow(`${path} is another file`);
    expect(await store.execution(executionId(1))).toBeDefined();
  },
);

test('nothing is written while another folder with links to the files is in the place of the data folder', async () => {
  const { dataDir, store } = await opened();
  const away = `${dataDir}-away`;
  onTestFinished(() => rm(away, { recursive: true, force: true }));
  await rename(dataDir, away);
  await mkdir(dataDir);
  for (const name of await readdir(away)) await symlink(join(away, name), join(dataDir, name));
  await expect(store.commit([creating(1)])).rejects.toThrow(`${dataDir} is another file`);
});

test('a data folder that is reached by a link is written, also by another link to it', async () => {
  const folder = await temporaryFolder();
  const dataDir = join(folder, 'link');
  await mkdir(join(folder, 'real'));
  await symlink('real', dataDir);
  const store = await openSqliteStore({ dataDir });
  onTestFinished(() => store.close());
  expect(await store.commit([creating(1)])).toMatchObject([{ ok: true }]);
  await rm(dataDir);
  await symlink(join(folder, 'real'), dataDir);
  expect(await store.commit([creating(2)])).toMatchObject([{ ok: true }]);
});

test('a data folder that was moved away and back is written again', async () => {
  const { dataDir, store } = await opened();
  await rename(dataDir, `${dataDir}-away`);
  await expect(store.commit([creating(1)])).rejects.toThrow(StoreError);
  await rename(`${dataDir}-away`, dataDir);
  expect(await store.commit([creating(1)])).toMatchObject([{ ok: true }]);
});

/** Files as a database has them, and who looks after them, of whom the folder has settled. */
async function settled() {
  const folder = await temporaryFolder();
  const path = join(folder, 'spear.db');
  for (const file of [path, `${path}-wal`, join(folder, 'lock.db')]) await writeFile(file, 'x');
  const time = { now: 0 };
  const files = new LockFile(path, () => time.now);
  files.assert('first');
  time.now = 2000;
  files.assert('when it has settled');
  return { folder, path, files, time };
}

/** Times of files go on in steps: resolves when what happens now has another time than what has happened to `folder`. */
async function nextStep(folder: string): Promise<void> {
  const other = await temporaryFolder();
  const { mtimeMs } = await stat(folder);
  for (let number = 0; (await stat(other)).mtimeMs <= mtimeMs; number++) {
    await writeFile(join(other, String(number)), '');
  }
}

test.for(['spear.db', 'spear.db-wal', 'lock.db'])(
  'that %s is gone or another one is seen where the folder alone is looked at',
  async (name) => {
    const { folder, files } = await settled();
    const path = join(folder, name);
    files.assert('again');
    await nextStep(folder);
    await rm(path);
    expect(() => files.assert('now')).toThrow(`now: ${path} is no longer there`);
    await writeFile(join(folder, 'new'), 'x');
    await rename(join(folder, 'new'), path);
    expect(() => files.assert('now')).toThrow(`now: ${path} is another file`);
  },
);

test('a folder in the place of the one that was looked at is seen', async () => {
  const { folder, files } = await settled();
  await rename(folder, `${folder}-away`);
  onTestFinished(() => rm(`${folder}-away`, { recursive: true, force: true }));
  expect(() => files.assert('now')).toThrow('is no longer there');
  await mkdir(folder);
  expect(() => files.assert('now')).toThrow('is no longer there');
  await rm(folder, { recursive: true });
  await rename(`${folder}-away`, folder);
  files.assert('now');
});

test('a file that a link leads to is looked at each time', async () => {
  const [folder, elsewhere] = [await temporaryFolder(), await temporaryFolder()];
  const path = join(folder, 'spear.db');
  await writeFile(join(elsewhere, 'db'), 'x');
  await symlink(join(elsewhere, 'db'), path);
  let now = 0;
  const files = new LockFile(path, () => now);
  files.assert('first');
  now = 2000;
  files.assert('when it has settled');
  await rm(join(elsewhere, 'db'));
  expect(() => files.assert('now')).toThrow(`${path} is no longer there`);
});

test('what changes nothing of the folder is seen a second later', async (context) => {
  const { path, files, time } = await settled();
  if (spawnSync('mount', ['--bind', `${path}-wal`, path]).status !== 0) {
    return context.skip('nothing can be mounted here');
  }
  onTestFinished(() => void spawnSync('umount', ['-l', path]));
  time.now += 1000;
  expect(() => files.assert('now')).toThrow(`${path} is another file`);
});

test('what happened in the step of the times that was seen is seen when the folder settles', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'spear.db');
  await writeFile(path, 'x');
  let now = 0;
  const files = new LockFile(path, () => now);
  files.assert('first');
  now = 1999;
  files.assert('before it has settled');
  await rm(path);
  now = 2000;
  expect(() => files.assert('now')).toThrow(`${path} is no longer there`);
});
