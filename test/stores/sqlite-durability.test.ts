import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readNodeId } from '../../src/stores/node-id.ts';
import { DataDirError } from '../../src/stores/sqlite/file/data-dir-error.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import type { CommitEntry, Store } from '../../src/stores/store.ts';
import { temporaryFolder } from './folder.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, result, shortLog, taskOf } from './samples.ts';

const all = { from: 1, maxBytes: 1 << 30 };

async function opened(dataDir: string): Promise<Store> {
  const store = await openSqliteStore({ dataDir });
  onTestFinished(() => store.close());
  return store;
}

function creating(number: number, status: 'running' | 'completed' = 'running'): CommitEntry {
  const id = executionId(number);
  return { executionId: id, expectedLastSequence: 0, events: shortLog(), record: recordOf(id, status) };
}

/** A program that holds the store's folder and commits until it is killed, which tells the last acknowledged position. */
function committer(dataDir: string) {
  const program = fileURLToPath(new URL('./committing.ts', import.meta.url));
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const closed = once(lines, 'close');
  let last = 0;
  const acknowledged = (positions: number) =>
    new Promise<void>((resolve, reject) => {
      lines.on('close', () => reject(new Error('the program ended by itself')));
      lines.on('line', (line) => {
        last = Number(line);
        if (last >= positions) resolve();
      });
    });
  const kill = async () => {
    child.kill('SIGKILL');
    await closed;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return last;
  };
  onTestFinished(() => void child.kill('SIGKILL'));
  return { acknowledged, kill };
}

describe('restart', () => {
  test('everything is there after close and open, and positions go on', async () => {
    const dataDir = await temporaryFolder();
    const first = await opened(dataDir);
    const large = invocationOf({ input: bytesOf(300_000) });
    await first.commit([{ ...creating(1), input: large, claimInvocationId: 'key' }, creating(2)]);
    await first.saveTask(taskOf('task_1', 1, 'echo'));
    const before = await first.eventsFromPosition(1, 100);
    await first.close();

    const second = await opened(dataDir);
    expect(await second.eventsFromPosition(1, 100)).toEqual(before);
    expect(await second.executionByInvocation('default', 'key')).toEqual(recordOf(executionId(1), 'running'));
    const input = await second.input(executionId(1));
    expect(input?.input.constructor).toBe(Uint8Array);
    expect(Buffer.compare(input?.input ?? new Uint8Array(), large.input)).toBe(0);
    expect(await second.taskByName('default', 'echo')).toEqual(taskOf('task_1', 1, 'echo'));
    const going = { executionId: executionId(1), expectedLastSequence: 3, events: [result(4)] };
    expect(await second.commit([{ ...going, expectedLastSequence: 0, events: shortLog() }, going])).toEqual([
      { ok: false, conflict: 'sequence', lastSequence: 3 },
      { ok: true, position: 7 },
    ]);
  });

  test('the position goes on after an entry of several rows', async () => {
    const dataDir = await temporaryFolder();
    const first = await opened(dataDir);
    const events = Array.from({ length: 40 }, (_, index) => chunk(index + 1, bytesOf(65_536)));
    await first.commit([{ executionId: executionId(1), expectedLastSequence: 0, events }]);
    await first.close();
    const second = await opened(dataDir);
    expect(await second.commit([creating(2)])).toEqual([{ ok: true, position: 41 }]);
  });

  test('what was staged and not committed is gone, and its positions are not given again', async () => {
    const dataDir = await temporaryFolder();
    const first = await opened(dataDir);
    await first.stage(executionId(1), shortLog());
    await first.stage(executionId(1), [chunk(4, bytesOf(10))]);
    await first.close();
    const second = await opened(dataDir);
    expect(await second.commit([creating(1)])).toEqual([{ ok: true, position: 5 }]);
  });

  test('positions go on after the newest execution was deleted', async () => {
    const dataDir = await temporaryFolder();
    const first = await opened(dataDir);
    await first.commit([creating(1), creating(2, 'completed')]);
    expect(await first.delete(executionId(2))).toBe(true);
    await first.close();
    const second = await opened(dataDir);
    expect(await second.commit([creating(3)])).toEqual([{ ok: true, position: 7 }]);
  });

  test('equal large inputs share a file', async () => {
    const dataDir = await temporaryFolder();
    const store = await opened(dataDir);
    const input = invocationOf({ input: bytesOf(300_000) });
    await store.commit([
      { ...creating(1), input },
      { ...creating(2), input },
    ]);
    expect(await readdir(join(dataDir, 'blobs'))).toHaveLength(1);
  });

  test('a large input whose file is gone is a StoreError, and the rest stays readable', async () => {
    const dataDir = await temporaryFolder();
    const store = await opened(dataDir);
    await store.commit([{ ...creating(1), input: invocationOf({ input: bytesOf(300_000) }) }]);
    await rm(join(dataDir, 'blobs'), { recursive: true });
    await expect(store.input(executionId(1))).rejects.toMatchObject({ name: 'ArtifactError' });
    expect(await store.execution(executionId(1))).toBeDefined();
  });
});

describe('crash', () => {
  test('after kill -9 every acknowledged commit is there, whole, and no sequence has a gap', async () => {
    const dataDir = await temporaryFolder();
    const child = committer(dataDir);
    await child.acknowledged(400);
    const acknowledged = await child.kill();

    const store = await opened(dataDir);
    const events = await store.eventsFromPosition(1, Number.MAX_SAFE_INTEGER);
    expect(events.length).toBeGreaterThanOrEqual(acknowledged);
    expect(events.map((event) => event.position)).toEqual(events.map((_, index) => index + 1));
    expect(events.length % 4).toBe(0);
    for (const id of [executionId(1), executionId(2)]) {
      const own = events.filter((event) => event.executionId === id);
      expect(own.map((event) => event.sequence)).toEqual(own.map((_, index) => index + 1));
      expect((await store.execution(id))?.lastSequence).toBe(own.length);
    }
    expect(await store.commit([creating(3)])).toEqual([{ ok: true, position: events.length + 1 }]);
  }, 30_000);
});

describe('folder', () => {
  test('a second open in this process is refused, and possible after the first has closed', async () => {
    const dataDir = await temporaryFolder();
    const first = await opened(dataDir);
    const second = openSqliteStore({ dataDir });
    await expect(second).rejects.toThrow(DataDirError);
    await expect(second).rejects.toThrow(`${dataDir} is in use by another server`);
    expect(await first.commit([creating(1)])).toEqual([{ ok: true, position: 1 }]);
    await first.close();
    await opened(dataDir);
  });

  test('a folder that another process holds is refused, and free once that was killed', async () => {
    const dataDir = await temporaryFolder();
    const child = committer(dataDir);
    await child.acknowledged(1);
    await expect(openSqliteStore({ dataDir })).rejects.toThrow('in use by another server');
    await child.kill();
    await opened(dataDir);
  }, 30_000);

  test('a folder that cannot be made is refused by name', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    for (const dataDir of [file, join(file, 'below')]) {
      const opening = openSqliteStore({ dataDir });
      await expect(opening).rejects.toThrow(DataDirError);
      await expect(opening).rejects.toThrow(dataDir);
    }
  });

  test('a folder that takes no file is refused by name', async () => {
    const dataDir = await temporaryFolder();
    // Root may write anywhere, so a folder stands where the lock would be.
    await mkdir(join(dataDir, 'lock.db'));
    await expect(openSqliteStore({ dataDir })).rejects.toThrow(DataDirError);
  });
});

describe('database', () => {
  test('an empty one is begun in a folder that is new, and refused in one that a node has used', async () => {
    const dataDir = await temporaryFolder();
    const path = join(dataDir, 'spear.db');
    await writeFile(path, '');
    await (await opened(dataDir)).close();
    await readNodeId(dataDir, () => `node_${'0'.repeat(26)}`);
    await writeFile(path, '');
    await writeFile(`${path}-wal`, 'what was committed last');
    const opening = openSqliteStore({ dataDir });
    await expect(opening).rejects.toMatchObject({ name: 'StoreError' });
    await expect(opening).rejects.toThrow(`${path} is empty, though a node has used this folder`);
    expect(await readFile(`${path}-wal`, 'utf8')).toBe('what was committed last');
    await rm(path);
    await rm(`${path}-wal`);
    await opened(dataDir);
  });

  test('a schema of a newer version is refused and left as it is', async () => {
    const dataDir = await temporaryFolder();
    await (await opened(dataDir)).close();
    const path = join(dataDir, 'spear.db');
    const raw = new DatabaseSync(path);
    raw.exec('PRAGMA user_version = 1000');
    raw.close();
    const opening = openSqliteStore({ dataDir });
    await expect(opening).rejects.toMatchObject({ name: 'StoreError' });
    await expect(opening).rejects.toThrow(/version 1000/);
    const after = new DatabaseSync(path);
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1000 });
    after.close();
  });

  test('a file that is no database is a StoreError, and the folder is free again', async () => {
    const dataDir = await temporaryFolder();
    const path = join(dataDir, 'spear.db');
    await writeFile(path, bytesOf(8192));
    await expect(openSqliteStore({ dataDir })).rejects.toMatchObject({ name: 'StoreError' });
    await rm(path);
    await opened(dataDir);
  });

  test('while another connection writes a commit rejects, and afterwards it works', async () => {
    const dataDir = await temporaryFolder();
    const store = await opened(dataDir);
    const other = new DatabaseSync(join(dataDir, 'spear.db'));
    other.exec('BEGIN IMMEDIATE');
    await expect(store.commit([creating(1)])).rejects.toMatchObject({ name: 'StoreError' });
    other.exec('ROLLBACK');
    other.close();
    expect(await store.commit([creating(1)])).toEqual([{ ok: true, position: 1 }]);
  });

  test('a commit that fails half-way writes nothing, and takes no position', async () => {
    const dataDir = await temporaryFolder();
    const store = await opened(dataDir);
    await store.commit([creating(1)]);
    const other = new DatabaseSync(join(dataDir, 'spear.db'));
    other.exec(`CREATE TRIGGER broken BEFORE INSERT ON inputs BEGIN SELECT raise(ABORT, 'broken'); END`);
    const going = { executionId: executionId(1), expectedLastSequence: 3, events: [chunk(4, bytesOf(1))] };
    await expect(
      store.commit([going, creating(2), { ...creating(3), input: invocationOf() }]),
    ).rejects.toMatchObject({
      name: 'StoreError',
    });
    other.exec('DROP TRIGGER broken');
    other.close();
    expect(await store.events(executionId(2), all)).toEqual([]);
    expect(await store.commit([going, creating(2)])).toEqual([
      { ok: true, position: 4 },
      { ok: true, position: 5 },
    ]);
  });
});

/** Mounts a file system of that size, or says why it cannot. */
function mountSmall(path: string, megabytes: number): string | undefined {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  return mounted.status === 0 ? undefined : (mounted.error?.message ?? mounted.stderr.trim());
}

describe('full disk', () => {
  test('a commit that does not fit rejects, what was acknowledged stays, and the store recovers with room', async (context) => {
    const dataDir = await temporaryFolder();
    const reason = mountSmall(dataDir, 2);
    if (reason !== undefined) return context.skip(`no small disk can be mounted: ${reason}`);
    onTestFinished(() => void spawnSync('umount', ['-l', dataDir]));

    const store = await openSqliteStore({ dataDir });
    onTestFinished(() => store.close());
    const large = (number: number): CommitEntry => {
      const data = Array.from({ length: 4 }, (_, index) => chunk(index + 4, bytesOf(60_000, number)));
      return { ...creating(number), events: [...shortLog(), ...data] };
    };
    let acknowledged = 0;
    const failure = await (async () => {
      for (;;) {
        try {
          await store.commit([large(acknowledged + 1)]);
          acknowledged += 1;
        } catch (error) {
          return error;
        }
      }
    })();
    expect(failure).toMatchObject({ name: 'StoreError', cause: { errcode: 13 } });
    expect(acknowledged).toBeGreaterThan(0);
    const tooLarge = { ...creating(900), input: invocationOf({ input: bytesOf(2_500_000) }) };
    await expect(store.commit([tooLarge])).rejects.toMatchObject({ name: 'StoreError' });
    expect(await store.eventsFromPosition(1, 1_000_000)).toHaveLength(acknowledged * 7);

    expect(spawnSync('mount', ['-o', 'remount,size=32m', dataDir]).status).toBe(0);
    expect(await store.commit([large(acknowledged + 1), tooLarge])).toEqual([
      { ok: true, position: acknowledged * 7 + 1 },
      { ok: true, position: acknowledged * 7 + 8 },
    ]);
    await store.close();
    const again = await openSqliteStore({ dataDir });
    const events = await again.eventsFromPosition(1, 1_000_000);
    await again.close();
    expect(events.map((event) => event.position)).toEqual(events.map((_, index) => index + 1));
    expect(events).toHaveLength((acknowledged + 1) * 7 + 3);
  });
});
