import { randomUUID, subtle } from 'node:crypto';
import type { Stats } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StoreErrorKind } from '../domain/store-error.ts';
import { assertSpare } from './space-reserve.ts';
import { StoreError } from './store.ts';

/** Immutable bytes in files named by their digest; equal bytes share a file. */
export interface Artifacts {
  /** Durable when it resolves. A file that is there already is compared and, where it differs, repaired. Rejects with StoreError. */
  put(bytes: Uint8Array): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Rejects with ArtifactError where the file is missing or its bytes no longer have the digest. */
  load(sha256: string): Promise<Uint8Array>;
  /** Whether there is a file of that name; only `load` looks into it. */
  has(sha256: string): Promise<boolean>;
}

/** A folder of artifacts as its owner sees it, who knows which of them are still named. */
export interface ArtifactFiles extends Artifacts {
  /**
   * Stores bytes as `put` does. The artifact cannot be removed until `free` has been called for it as often as
   * this.
   */
  hold(bytes: Uint8Array): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  free(sha256: string): void;
  /**
   * Removes a file that was last put before `putBefore`, in milliseconds since the epoch, and that nobody holds. False
   * where it stays, or there is none. Rejects with StoreError.
   */
  remove(sha256: string, putBefore: number): Promise<boolean>;
  /** The digests of all files. Rejects with StoreError. */
  list(): Promise<string[]>;
  /**
   * The bytes of all artifact files together: counted once, and kept up to date from then on. Rejects with
   * StoreError.
   */
  totalBytes(): Promise<number>;
}

/** The bytes of a digest cannot be had. */
export class ArtifactError extends StoreError {
  override readonly name: string = 'ArtifactError';
  override readonly kind: StoreErrorKind;

  /** `kind` is medium where they may be had later. */
  constructor(message: string, options?: ErrorOptions, kind: StoreErrorKind = 'damaged') {
    super(message, options);
    this.kind = kind;
  }
}

/**
 * Opens, and makes where needed, a folder of content-addressed files. One process at a time: what a crash
 * left half-written is removed. Rejects with StoreError.
 */
export async function openArtifacts(dir: string): Promise<ArtifactFiles> {
  await guarded(`cannot use the folder ${dir}`, async () => {
    await makeFolder(dir);
    const leftovers = (await readdir(dir)).filter((name) => name.endsWith(temporarySuffix));
    await Promise.all(leftovers.map((name) => rm(join(dir, name), { force: true })));
  });
  return new ArtifactFolder(dir, assertSpare);
}

/** A folder of artifacts that has been opened elsewhere, or is only read. Nothing of it is made or looked at yet. */
export function artifactFolder(dir: string): ArtifactFiles {
  return new ArtifactFolder(dir);
}

/**
 * Makes a folder and its parents, and makes the new names durable. Rejects as `fs.mkdir` does. Node's own
 * `recursive` never ends where a parent is there and takes no folders, as in /proc.
 */
export async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, ownerOnly);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(dir)).isDirectory()) return;
    const parent = dirname(dir);
    if (codeOf(error) !== 'ENOENT' || parent === dir || (await isFolder(parent))) throw error;
    await makeFolder(parent);
    await mkdir(dir, ownerOnly);
  }
  await syncFolder(dirname(dir));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // What cannot be looked at is not a folder to make something in; making it will say why.
    return false;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Inputs and outputs of functions are nobody else's business. */
const ownerOnly = { mode: 0o700 };
const temporarySuffix = '.tmp';
const digestPattern = /^[0-9a-f]{64}$/;

class ArtifactFolder implements ArtifactFiles {
  readonly #dir: string;
  readonly #assertRoom: typeof assertSpare;
  readonly #holds = new Map<string, number>();
  readonly #removals = new Map<string, Promise<boolean>>();
  #bytes: Promise<number> | undefined;

  /** `assertRoom` rejects where so many bytes more are not to be written. */
  constructor(dir: string, assertRoom: typeof assertSpare = async () => {}) {
    this.#dir = dir;
    this.#assertRoom = assertRoom;
  }

  async put(bytes: Uint8Array): Promise<{ sha256: string; sizeBytes: number }> {
    const file = await this.hold(bytes);
    this.free(file.sha256);
    return file;
  }

  async hold(bytes: Uint8Array): Promise<{ sha256: string; sizeBytes: number }> {
    const sha256 = await digest(bytes);
    this.#holds.set(sha256, (this.#holds.get(sha256) ?? 0) + 1);
    try {
      await guarded(`cannot write ${sha256} to ${this.#dir}`, () => this.#write(sha256, bytes));
    } catch (error) {
      this.free(sha256);
      throw error;
    }
    return { sha256, sizeBytes: bytes.byteLength };
  }

  free(sha256: string): void {
    const holds = (this.#holds.get(sha256) ?? 0) - 1;
    if (holds > 0) this.#holds.set(sha256, holds);
    else this.#holds.delete(sha256);
  }

  async #write(sha256: string, bytes: Uint8Array): Promise<void> {
    await this.#removals.get(sha256);
    const target = join(this.#dir, sha256);
    if (!(await holds(target, bytes)) || !(await renew(target, bytes))) {
      await this.#assertRoom(this.#dir, bytes.byteLength);
      await writeWhole(target, bytes);
      this.#bytes = this.#bytes?.then((total) => total + bytes.byteLength);
    }
    // Also for a file that was there: another put may have renamed it and not yet synced the name.
    await syncFolder(this.#dir);
  }

  remove(sha256: string, putBefore: number): Promise<boolean> {
    if (!digestPattern.test(sha256) || this.#holds.has(sha256)) return Promise.resolve(false);
    const known = this.#removals.get(sha256);
    if (known !== undefined) return known;
    const removal = guarded(`cannot remove ${sha256} from ${this.#dir}`, () =>
      this.#remove(sha256, putBefore),
    );
    const settled = removal.finally(() => this.#removals.delete(sha256));
    // Who puts the same bytes waits for the end of it, however it ends.
    this.#removals.set(
      sha256,
      settled.catch(() => false),
    );
    return settled;
  }

  /** Another process's or object's put may touch the file at any time: it is taken away first and looked at then. */
  async #remove(sha256: string, putBefore: number): Promise<boolean> {
    const target = join(this.#dir, sha256);
    const found = await statOf(target);
    if (found === undefined || found.mtimeMs >= putBefore) return false;
    const aside = `${target}.${randomUUID()}${temporarySuffix}`;
    await rename(target, aside);
    if (((await statOf(aside))?.mtimeMs ?? 0) >= putBefore) {
      await rename(aside, target);
      return false;
    }
    await rm(aside, { force: true });
    this.#bytes = this.#bytes?.then((total) => total - found.size);
    return true;
  }

  async list(): Promise<string[]> {
    const names = await guarded(`cannot look into ${this.#dir}`, () => readdir(this.#dir));
    return names.filter((name) => digestPattern.test(name));
  }

  totalBytes(): Promise<number> {
    this.#bytes ??= this.#count().catch((error: unknown) => {
      this.#bytes = undefined;
      throw error;
    });
    return this.#bytes;
  }

  async #count(): Promise<number> {
    let total = 0;
    for (const sha256 of await this.list()) {
      const found = await guarded(`cannot look into ${this.#dir}`, () => statOf(join(this.#dir, sha256)));
      total += found?.size ?? 0;
    }
    return total;
  }

  async load(sha256: string): Promise<Uint8Array> {
    if (!digestPattern.test(sha256)) throw new ArtifactError('not a sha256 digest in lower-case hex');
    const bytes = await readFile(join(this.#dir, sha256)).catch((cause: unknown) => {
      const [why, kind] = isMissing(cause)
        ? (['is missing', 'damaged'] as const)
        : (['cannot be read', 'medium'] as const);
      throw new ArtifactError(`${sha256} ${why} in ${this.#dir}`, { cause }, kind);
    });
    if ((await digest(bytes)) !== sha256) {
      throw new ArtifactError(`${sha256} in ${this.#dir} is damaged: its bytes have another digest`);
    }
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  async has(sha256: string): Promise<boolean> {
    if (!digestPattern.test(sha256)) return false;
    return guarded(`cannot look into ${this.#dir}`, () => exists(join(this.#dir, sha256)));
  }
}

/** Computed off the main thread: inputs and artifacts may be over 100 MB. */
async function digest(bytes: Uint8Array): Promise<string> {
  const copied =
    bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
  return Buffer.from(await subtle.digest('SHA-256', copied)).toString('hex');
}

async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    if ((await stat(path)).size !== bytes.byteLength) return false;
    return (await readFile(path)).equals(bytes);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await statOf(path))?.isFile() === true;
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Makes the time of a file's last change now, by the clock that gives new files theirs: its first byte is written once
 * more. False where there is no such file any more.
 */
async function renew(path: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const file = await open(path, 'r+');
    try {
      await file.write(bytes, 0, Math.min(1, bytes.byteLength), 0);
    } finally {
      await file.close();
    }
    // Whoever takes it away from here on sees the new time.
    return await exists(path);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function writeWhole(target: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${target}.${randomUUID()}${temporarySuffix}`;
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(dir: string): Promise<void> {
  // Windows cannot open a folder as a file, and its NTFS journals names itself.
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
