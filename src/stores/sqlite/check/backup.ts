import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ArtifactError, type ArtifactFiles, artifactFolder, makeFolder } from '../../artifacts.ts';
import { readClockRecord, writeClockRecord } from '../../clock-file.ts';
import { StoreError } from '../../store.ts';
import { guardSqlite } from '../file/failure.ts';
import { openReadOnly } from '../read/read-only.ts';
import { artifactNames, inputNames } from '../retention/named-files.ts';

export interface BackupReport {
  readonly databaseBytes: number;
  readonly files: number;
  readonly fileBytes: number;
  /** Files that the store names and does not have whole: the backup lacks them, too. */
  readonly missing: readonly string[];
}

/** A file may go, with the last execution that names it, between the copy of the database and its own. */
const mostTries = 3;

/**
 * Copies a data folder beside its server, or without one, as it was at one moment: a server can start on the copy. The
 * copy has no node id, as two nodes with one would take each other's instances for their own. Rejects with StoreError,
 * and leaves nothing then.
 */
export async function backupDataDir(
  dataDir: string,
  target: string,
  progress: (step: string) => void,
): Promise<BackupReport> {
  await refuseExisting(target);
  await refuseInside(dataDir, target);
  const db = openReadOnly(dataDir);
  const partial = `${target}.partial`;
  try {
    await makeFolder(dirname(target));
    await mkdir(partial, { mode: 0o700 });
  } catch (cause) {
    db.close();
    throw new StoreError(`cannot make ${partial}: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
  try {
    const report = await copy(db, dataDir, partial, progress);
    await rename(partial, target);
    await sync(dirname(target));
    return report;
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`cannot write ${target}: ${cause instanceof Error ? cause.message : ''}`, { cause });
  } finally {
    db.close();
  }
}

async function refuseExisting(target: string): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found !== undefined) throw new StoreError(`${target} is there already; allowed is a folder to be made`);
}

/** What is in the folder goes with it, which is when a backup is needed. */
async function refuseInside(dataDir: string, target: string): Promise<void> {
  const [folder, made] = await Promise.all([realPath(dataDir), realPath(target)]);
  if (relative(folder, made).split(sep)[0] === '..') return;
  throw new StoreError(`${target} is in the data folder ${dataDir}; allowed is a folder outside of it`);
}

/** Without links, also where the end of the path is still to be made. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (parent === path) throw error;
    return join(await realPath(parent), basename(path));
  }
}

async function copy(
  db: DatabaseSync,
  dataDir: string,
  partial: string,
  progress: (step: string) => void,
): Promise<BackupReport> {
  const path = join(partial, 'spear.db');
  for (let tries = 1; ; tries++) {
    progress('copying the database');
    await rm(path, { force: true });
    guardSqlite('cannot copy the database', () => db.prepare('VACUUM INTO ?').run(path));
    await sync(path);
    const files = { count: 0, bytes: 0, missing: [] as string[] };
    const copied = openReadOnly(partial);
    try {
      for (const [folder, names] of [
        ['blobs', inputNames(copied)],
        ['artifacts', artifactNames(copied)],
      ] as const) {
        progress(`copying ${names.length} files of ${folder}`);
        await copyFiles(join(dataDir, folder), join(partial, folder), names, files);
      }
    } finally {
      copied.close();
    }
    if (files.missing.length > 0 && tries < mostTries) continue;
    // What reading it left beside it says nothing.
    for (const suffix of ['-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
    const { size } = await stat(path);
    const clock = await readClockRecord(dataDir);
    if (clock !== undefined) await writeClockRecord(partial, clock);
    await sync(partial);
    return { databaseBytes: size, files: files.count, fileBytes: files.bytes, missing: files.missing };
  }
}

async function copyFiles(
  from: string,
  to: string,
  names: readonly string[],
  counted: { count: number; bytes: number; missing: string[] },
): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  const target = artifactFolder(to);
  const source = artifactFolder(from);
  for (const sha256 of names) {
    const bytes = await loadOrMiss(source, sha256);
    if (bytes === undefined) {
      counted.missing.push(sha256);
      continue;
    }
    await target.put(bytes);
    counted.count += 1;
    counted.bytes += bytes.byteLength;
  }
}

async function loadOrMiss(files: ArtifactFiles, sha256: string): Promise<Uint8Array | undefined> {
  try {
    return await files.load(sha256);
  } catch (error) {
    if (error instanceof ArtifactError) return undefined;
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
