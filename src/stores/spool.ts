import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from './artifacts.ts';
import { assertSpare } from './space-reserve.ts';
import { StoreError } from './store.ts';

/** Bytes on their way in that are not needed after a crash, kept until all of them are here. */
export interface Spool {
  create(): Promise<SpoolFile>;
}

export interface SpoolFile {
  /** Appends, and takes over `bytes`. Rejects with StoreError. */
  write(bytes: Uint8Array): Promise<void>;
  /** All that was written, in pieces that the reader may keep. Rejects with StoreError. */
  read(): AsyncIterable<Uint8Array>;
  /** Forgets it. Never rejects. */
  close(): Promise<void>;
}

/** What is kept in memory: no more than this, and a file is made for all that comes with it. */
const mostMemoryBytes = 2 * 1024 * 1024;
const readBytes = 256 * 1024;

/** Opens, and makes where needed, the folder of the spool; what a crash left there is removed. Rejects with StoreError. */
export async function openSpool(dir: string): Promise<Spool> {
  await guarded(dir, async () => {
    await makeFolder(dir);
    await Promise.all(
      (await readdir(dir)).map((name) => rm(join(dir, name), { recursive: true, force: true })),
    );
  });
  return { create: async () => new FolderSpoolFile(join(dir, randomUUID())) };
}

class FolderSpoolFile implements SpoolFile {
  readonly #path: string;
  /** Behind what is in the file. */
  #memory: Uint8Array[] = [];
  #bytes = 0;
  #file: FileHandle | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#memory.push(bytes);
    this.#bytes += bytes.byteLength;
    if (this.#bytes <= mostMemoryBytes) return;
    await guarded(this.#path, async () => {
      await assertSpare(dirname(this.#path), this.#bytes);
      this.#file ??= await open(this.#path, 'wx+', 0o600);
      for (const each of this.#memory) await writeAll(this.#file, each);
    });
    this.#memory = [];
    this.#bytes = 0;
  }

  async *read(): AsyncGenerator<Uint8Array> {
    for (let at = 0; this.#file !== undefined; ) {
      const buffer = new Uint8Array(readBytes);
      const { bytesRead } = await guarded(this.#path, async () => this.#readAt(buffer, at));
      if (bytesRead === 0) break;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield* this.#memory;
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return;
    // What cannot be removed now goes at the next start.
    await this.#file.close().catch(() => undefined);
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  async #readAt(buffer: Uint8Array, at: number): Promise<{ readonly bytesRead: number }> {
    return (await this.#file?.read(buffer, 0, buffer.byteLength, at)) ?? { bytesRead: 0 };
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await file.write(bytes, at)).bytesWritten;
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(`cannot spool to ${path}: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
}
