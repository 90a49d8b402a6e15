import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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
