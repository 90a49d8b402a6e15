import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { LruMap } from '../../domain/lru-map.ts';

/** Programs whose digest is kept; the one least recently started goes first. */
const maxKept = 1000;

/** Digests of files, computed again only where the file has changed since. */
export class Digests {
  readonly #known = new LruMap<string, { readonly stamp: string; readonly sha256: string }>(maxKept);

  /**
   * The hex SHA-256 of a file as it is now: at once where the file is as it was when it was last read, which
   * costs one stat. Throws or rejects as the file system does, or with the signal's reason.
   */
  of(path: string, signal: AbortSignal): string | Promise<string> {
    const stamp = stampOf(path);
    const known = this.#known.get(path);
    return known?.stamp === stamp ? known.sha256 : this.#read(path, stamp, signal);
  }

  async #read(path: string, stamp: string, signal: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal }))
      hash.update(chunk);
    const sha256 = hash.digest('hex');
    // One that was written meanwhile is read again the next time.
    if (stampOf(path) === stamp) this.#known.set(path, { stamp, sha256 });
    return sha256;
  }
}

/** What changes when a file's content may have changed. */
function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
