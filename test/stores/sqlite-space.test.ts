import { existsSync } from 'node:fs';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { type CommitEntry, type Store, StoreError } from '../../src/stores/store.ts';
import { describeWhere, root } from '../support/needs.ts';
import { smallDisk } from '../support/small-disk.ts';
import { temporaryFolder } from './folder.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, result, shortLog } from './samples.ts';

const kept = { endedBefore: 0, maxBytes: 1e15, now: 0, unusedForMs: 1e15 };
const megabyte = 1024 * 1024;

async function opened(dataDir: string): Promise<Store> {
  const store = await openSqliteStore({ dataDir, reserveBytes: 8 * megabyte });
  onTestFinished(() => store.close());
  return store;
}

function loud(number: number): CommitEntry {
  const id = executionId(number);
  const chunks = Array.from({ length: 8 }, (_, index) => chunk(index + 1, bytesOf(60_000, number)));
  const record = recordOf(id, 'completed', { createdAt: number, completedAt: number, lastSequence: 9 });
  return { executionId: id, expectedLastSequence: 0, events: [...chunks, result(9)], record };
}

function small(number: number): CommitEntry {
  const id = executionId(number);
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record: recordOf(id, 'completed') };
}

/** Commits until the disk is full. Resolves with how many were acknowledged. */
async function fill(store: Store): Promise<number> {
  for (let number = 1; ; number++) {
    try {
      await store.commit([loud(number)]);
    } catch (error) {
      expect(error).toMatchObject({ name: 'StoreError', cause: { errcode: 13 } });
      return number - 1;
    }
  }
}

describeWhere([root()], 'a disk that is full', () => {
  test('gives up the reserve: what was accepted can end, and there is said to be hardly any space', async () => {
    const { path: dataDir } = await smallDisk(32);
    const store = await opened(dataDir);
    await store.retain(kept);
    expect(existsSync(join(dataDir, 'ballast'))).toBe(true);
    expect(store.lowSpace).toBe(false);
    const acknowledged = await fill(store);
    expect(acknowledged).toBeGreaterThan(4);
    expect(store.lowSpace).toBe(true);
    expect(existsSync(join(dataDir, 'ballast'))).toBe(false);
    const arriving = store.stage(executionId(400), shortLog());
    await expect(arriving).rejects.toThrow('cannot stage a log: the disk is full');
    for (let number = 500; number < 600; number++) {
      expect(await store.commit([small(number)])).toMatchObject([{ ok: true }]);
    }
    await store.retain(kept);
    expect(store.lowSpace).toBe(true);
    expect(await store.executions({ statuses: [], limit: 1000 })).toHaveLength(acknowledged + 100);
  });

  test('gives up the reserve for a large input, too, and what follows finds it said', async () => {
    const disk = await smallDisk(32);
    const { path: dataDir } = disk;
    const store = await opened(dataDir);
    await store.retain(kept);
    // The log has room of its own for a few small commits, so that no write of the database tells.
    await store.commit([small(1)]);
    await disk.fill();
    const input = invocationOf({ input: bytesOf(megabyte) });
    await expect(store.commit([{ ...small(2), input }])).rejects.toThrow(StoreError);
    expect(store.lowSpace).toBe(true);
    expect(existsSync(join(dataDir, 'ballast'))).toBe(false);
    expect(await store.commit([small(3)])).toMatchObject([{ ok: true }]);
  });

  test('is no longer full when there is room again, and the reserve is made anew', async () => {
    const { path: dataDir, resize } = await smallDisk(32);
    const store = await opened(dataDir);
    await store.retain(kept);
    await fill(store);
    expect(store.lowSpace).toBe(true);
    resize(64);
    await store.retain(kept);
    expect(store.lowSpace).toBe(false);
    expect(existsSync(join(dataDir, 'ballast'))).toBe(true);
  });

  test('lets retention delete, and what that frees in the database is room as well', async () => {
    const { path: dataDir } = await smallDisk(32);
    const store = await opened(dataDir);
    await store.retain(kept);
    const acknowledged = await fill(store);
    for (let more = true; more; ) ({ more } = await store.retain({ ...kept, endedBefore: acknowledged - 1 }));
    expect(await store.executions({ statuses: [], limit: 1000 })).toHaveLength(2);
    expect(store.lowSpace).toBe(false);
    expect(await store.commit([loud(700), loud(701)])).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test('at the start is seen at the first step of retention', async () => {
    const store = await opened((await smallDisk(10)).path);
    expect(store.lowSpace).toBe(false);
    await store.retain(kept);
    expect(store.lowSpace).toBe(true);
    expect(await store.commit([small(1)])).toMatchObject([{ ok: true }]);
  });
});

test('a reserve that is not whole is made anew', async () => {
  const dataDir = await temporaryFolder();
  const store = await opened(dataDir);
  await store.retain(kept);
  await store.close();
  await truncate(join(dataDir, 'ballast'), 10);
  const again = await opened(dataDir);
  await again.retain(kept);
  expect(again.lowSpace).toBe(false);
  expect(existsSync(join(dataDir, 'ballast'))).toBe(true);
});
