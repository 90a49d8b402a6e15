/** Files beside the database leave it the room that it needs to end what was accepted. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openArtifacts } from '../../src/stores/artifacts.ts';
import { openSpool } from '../../src/stores/spool.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import { StoreError } from '../../src/stores/store.ts';
import { describeWhere, root } from '../support/needs.ts';
import { smallDisk } from '../support/small-disk.ts';
import { bytesOf, executionId, invocationOf, recordOf, shortLog } from './samples.ts';

const megabyte = 1024 * 1024;

describeWhere([root()], 'a disk on which hardly more is free than the database needs', () => {
  test('an artifact is refused that would take it, and a small one is put', async () => {
    const { path } = await smallDisk(20);
    const dir = join(path, 'artifacts');
    const artifacts = await openArtifacts(dir);
    await expect(artifacts.put(bytesOf(5 * megabyte))).rejects.toThrow(StoreError);
    await expect(artifacts.put(bytesOf(5 * megabyte))).rejects.toThrow('are kept for the database');
    expect(await readdir(dir)).toEqual([]);
    expect(await artifacts.put(bytesOf(megabyte))).toMatchObject({ sizeBytes: megabyte });
  });

  test('a document that is spooled ends before it takes it, and gives back what it had', async () => {
    const { path } = await smallDisk(24);
    const dir = join(path, 'spool');
    const file = await (await openSpool(dir)).create();
    const fill = async () => {
      for (let part = 0; part < 24; part++) await file.write(bytesOf(megabyte));
    };
    await expect(fill()).rejects.toThrow('are kept for the database');
    await file.close();
    expect(await readdir(dir)).toEqual([]);
  });

  test('a large input is refused, the reserve stays, and small executions are accepted', async () => {
    const { path: dataDir } = await smallDisk(20);
    const store = await openSqliteStore({ dataDir, reserveBytes: megabyte });
    await store.retain({ endedBefore: 0, maxBytes: 1e15, now: 0, unusedForMs: 1e15 });
    const entry = (number: number) => {
      const id = executionId(number);
      return {
        executionId: id,
        expectedLastSequence: 0,
        events: shortLog(),
        record: recordOf(id, 'running'),
      };
    };
    const input = invocationOf({ input: bytesOf(4 * megabyte) });
    expect(await store.commit([{ ...entry(1), input }])).toEqual([{ ok: false, conflict: 'space' }]);
    expect(await store.commit([entry(3), { ...entry(1), input }, entry(4)])).toMatchObject([
      { ok: true, position: 1 },
      { ok: false, conflict: 'space' },
      { ok: true, position: 4 },
    ]);
    expect(await store.execution(executionId(1))).toBeUndefined();
    expect(store.lowSpace).toBe(false);
    expect(await readdir(dataDir)).toContain('ballast');
    expect(await store.commit([entry(2)])).toMatchObject([{ ok: true }]);
    await store.close();
  });
});
