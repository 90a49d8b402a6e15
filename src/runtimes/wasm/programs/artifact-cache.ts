import { createHash, randomUUID, subtle } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { invalidArgument } from '../../../domain/errors.ts';
import { cacheFormat, type Manifest, manifestFile } from './manifest.ts';
import type { Transpile } from './transpile.ts';

/** The bytes of an artifact are neither in the cache nor, whole, in the artifact folder. */
export class ArtifactMissing extends Error {
  override readonly name = 'ArtifactMissing';
}

/** A checked artifact, read from its folder. */
export interface CachedArtifact {
  readonly manifest: Manifest;
  /** The JavaScript of a component; empty for a module. */
  readonly source: Uint8Array;
  readonly cores: readonly {
    readonly file: string;
    readonly bytes: Uint8Array;
    readonly instances: number;
  }[];
}

export interface ArtifactCacheOptions {
  readonly cacheDir: string;
  readonly loadArtifact: (sha256: string) => Promise<Uint8Array>;
  readonly transpile: Transpile;
}

/**
 * Transpiled artifacts on disk, one folder for each digest and each version of what made it.
 *
 * 1. Nothing is transpiled but bytes that have the digest.
 * 2. A folder is written beside its place and renamed, so it is there whole or not at all.
 * 3. The manifest names the artifact and has the digests of its files. They are compared at every load, so what is
 *    damaged, cut short by a crash or in another's place is made again. It is no proof against someone who can
 *    write to the folder: like the database, it belongs to the user whom the node runs as, and to nobody else.
 */
export class ArtifactCache {
  readonly #options: ArtifactCacheOptions;
  readonly #loading = new Map<string, Promise<CachedArtifact>>();
  #versions: Promise<string> | undefined;

  constructor(options: ArtifactCacheOptions) {
    this.#options = options;
  }

  /**
   * @throws RequestError for `definition.artifact.content` where the bytes cannot run here
   * @throws ArtifactMissing
   */
  load(sha256: string): Promise<CachedArtifact> {
    let loading = this.#loading.get(sha256);
    if (loading === undefined) {
      loading = this.#load(sha256).finally(() => this.#loading.delete(sha256));
      this.#loading.set(sha256, loading);
    }
    return loading;
  }

  async #load(sha256: string): Promise<CachedArtifact> {
    this.#versions ??= readVersions();
    const folder = join(this.#options.cacheDir, `${sha256}-${await this.#versions}`);
    return (await readFolder(folder, sha256)) ?? (await this.#make(sha256, folder));
  }

  async #make(sha256: string, folder: string): Promise<CachedArtifact> {
    const bytes = await this.#loadBytes(sha256);
    await mkdir(this.#options.cacheDir, { recursive: true, mode: 0o700 });
    await removeStale(this.#options.cacheDir);
    const temporary = join(this.#options.cacheDir, `${temporaryPrefix}${process.pid}-${randomUUID()}`);
    try {
      const output = join(temporary, 'output');
      await mkdir(output, { recursive: true });
      const input = join(temporary, 'artifact.wasm');
      await writeFile(input, bytes);
      const report = await this.#options.transpile(input, output);
      if (report.kind === 'refused') throw invalidArgument('definition.artifact.content', report.description);
      await place(output, folder, sha256, join(temporary, 'replaced'));
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
    const made = await readFolder(folder, sha256);
    if (made === undefined) throw new Error(`the transpiled artifact in ${folder} is not whole`);
    return made;
  }

  async #loadBytes(sha256: string): Promise<Uint8Array> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#options.loadArtifact(sha256);
    } catch (cause) {
      throw new ArtifactMissing(`the bytes of artifact ${sha256} are gone or damaged`, { cause });
    }
    const found = await digestOf(bytes);
    if (found === sha256) return bytes;
    throw new ArtifactMissing(`the bytes of artifact ${sha256} are damaged: their digest is ${found}`);
  }
}

/** Hex sha256, computed off the main thread: an artifact may be over 100 MB. */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  // WebCrypto takes no shared memory.
  const own =
    bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
  return Buffer.from(await subtle.digest('SHA-256', own)).toString('hex');
}

const temporaryPrefix = '.making-';

async function readFolder(folder: string, sha256: string): Promise<CachedArtifact | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, manifestFile), 'utf8')) as Manifest;
    if (manifest.artifact !== sha256) return undefined;
    if (manifest.kind === 'module') {
      const bytes = await readWhole(folder, manifest.module);
      const cores = [{ file: manifest.module.file, instances: 1, bytes }];
      return { manifest, cores, source: new Uint8Array() };
    }
    const source = await readWhole(folder, manifest.source);
    const cores = await Promise.all(
      manifest.cores.map(async (core) => ({
        file: core.file,
        instances: core.instances,
        bytes: await readWhole(folder, core),
      })),
    );
    return { manifest, cores, source };
  } catch (error) {
    // Absent, or cut short by a crash: both are made again.
    if (error instanceof SyntaxError || error instanceof NotWhole || isAbsent(error)) return undefined;
    throw error;
  }
}

class NotWhole extends Error {}

async function readWhole(folder: string, entry: { file: string; sha256: string }): Promise<Uint8Array> {
  const content = await readFile(join(folder, entry.file));
  if (createHash('sha256').update(content).digest('hex') !== entry.sha256) throw new NotWhole();
  return content;
}

/** Moves the finished folder to its place; where a whole one came first, that one stays. */
async function place(output: string, folder: string, sha256: string, aside: string): Promise<void> {
  try {
    await rename(output, folder);
  } catch (error) {
    if ((await readFolder(folder, sha256)) !== undefined) return;
    if (!isCode(error, ['ENOTEMPTY', 'EEXIST', 'EPERM'])) throw error;
    await rename(folder, aside);
    await rename(output, folder);
  }
}

/** Folders that a process left behind which is no more. */
async function removeStale(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = Number(/^\.making-(\d+)-/.exec(name)?.[1] ?? process.pid);
    if (pid !== process.pid && !isAlive(pid))
      await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, ['EPERM']);
  }
}

async function readVersions(): Promise<string> {
  const file = findPackageJSON('@bytecodealliance/jco-transpile', import.meta.url);
  if (file === undefined) throw new Error('the package @bytecodealliance/jco-transpile is not installed');
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string };
  return `jco${version}-f${cacheFormat}`;
}

function isAbsent(error: unknown): boolean {
  return isCode(error, ['ENOENT', 'ENOTDIR']);
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
