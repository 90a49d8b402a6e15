import { randomUUID, subtle } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

/** The bytes of a digest cannot be had. */
export class ArtifactError extends StoreError {
  override readonly name: string = 'ArtifactError';
}

/**
 * Opens, and makes where needed, a folder of content-addressed files. One process at a time: what a crash
 * left half-written is removed. Rejects with StoreError.
 */
export async function openArtifacts(dir: string): Promise<Artifacts> {
  await guarded(`cannot use the folder ${dir}`, async () => {
    await makeFolder(dir);
    const leftovers = (await readdir(dir)).filter((name) => name.endsWith(temporarySuffix));
    await Promise.all(leftovers.map((name) => rm(join(dir, name), { force: true })));
  });
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

class ArtifactFolder implements Artifacts {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(bytes: Uint8Array): Promise<{ sha256: string; sizeBytes: number }> {
    const sha256 = await digest(bytes);
    await guarded(`cannot write ${sha256} to ${this.#dir}`, async () => {
      const target = join(this.#dir, sha256);
      if (!(await holds(target, bytes))) await writeWhole(target, bytes);
      // Also for a file that was there: another put may have renamed it and not yet synced the name.
      await syncFolder(this.#dir);
    });
    return { sha256, sizeBytes: bytes.byteLength };
  }

  async load(sha256: string): Promise<Uint8Array> {
    if (!digestPattern.test(sha256)) throw new ArtifactError('not a sha256 digest in lower-case hex');
    const bytes = await readFile(join(this.#dir, sha256)).catch((cause: unknown) => {
      const why = isMissing(cause) ? 'is missing' : 'cannot be read';
      throw new ArtifactError(`${sha256} ${why} in ${this.#dir}`, { cause });
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
  try {
    return (await stat(path)).isFile();
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

async function syncFolder(dir: string): Promise<void> {
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
