import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open, rm, stat, statfs } from 'node:fs/promises';
import { StoreError } from './store.ts';

/** What files beside the database leave free, in bytes: as much as the reserve, which they would take as soon as it is given up. */
const keptForDatabase = 16 * 1024 * 1024;

/** What is to be written would take room that is kept for the database. The disk is not full yet. */
export class NoSpareRoom extends StoreError {
  override readonly name: string = 'NoSpareRoom';
}

/**
 * Throws NoSpareRoom where `bytes` more in a folder would take what is kept for the database. Where they would not even
 * fit, the write itself says so, and that the disk is full is known from it.
 */
export async function assertSpare(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const left = bavail * bsize - bytes;
  if (left < 0 || left >= keptForDatabase) return;
  throw new NoSpareRoom(
    `${bytes} bytes more in ${dir} would leave ${left} free, and the last ${keptForDatabase} are kept for the database`,
  );
}

/**
 * A file that takes up room on the disk for when there is none left: a full disk lets nothing be deleted either. It
 * is given up with the first write that does not fit, and made again when twice its size is free.
 */
export class SpaceReserve {
  readonly bytes: number;
  readonly #path: string;
  #state: 'unknown' | 'held' | 'missing' = 'unknown';

  constructor(path: string, bytes: number) {
    this.#path = path;
    this.bytes = bytes;
  }

  /** There was no room for it when it was last looked for. */
  get missing(): boolean {
    return this.#state === 'missing';
  }

  /** Gives the room back, at once. */
  release(): void {
    if (this.#state === 'missing') return;
    this.#state = 'missing';
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // A disk that does not let it go has other troubles, which the write that comes next tells.
    }
  }

  /** Makes it where it is not there and there is room. Never rejects: a disk that cannot be asked has no room. */
  async restore(): Promise<void> {
    if (this.#state === 'held') return;
    try {
      const found = await stat(this.#path).catch(() => undefined);
      if (found?.size !== this.bytes) await this.#make();
      else this.#state = 'held';
    } catch {
      this.#state = 'missing';
      await rm(this.#path, { force: true }).catch(() => {});
    }
  }

  async #make(): Promise<void> {
    const file = await open(this.#path, 'w', 0o600);
    try {
      const { bavail, bsize } = await statfs(this.#path);
      if (bavail * bsize < 2 * this.bytes) throw new Error('not enough room');
      // Not zeros, which a file system may keep without room.
      const part = randomBytes(Math.min(this.bytes, 1024 * 1024));
      for (let at = 0; at < this.bytes; at += part.byteLength) {
        await file.write(part, 0, Math.min(part.byteLength, this.bytes - at), at);
      }
    } finally {
      await file.close();
    }
    this.#state = 'held';
  }
}
