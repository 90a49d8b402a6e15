import type { Clock } from '../../domain/clock.ts';
import { ArtifactError, type ArtifactFiles, type Artifacts } from '../artifacts.ts';
import { StoreError } from '../store.ts';
import type { Readers } from './engine/readers.ts';
import type { Row } from './engine/session.ts';
import type { Changes } from './write/changes.ts';

/** Bytes of a row. */
const partBytes = 1024 * 1024;
/** For so long an artifact is asked for again where the database cannot be reached: what waits for it has not failed. */
const patienceMs = 60_000;
const againMs = 250;

/**
 * Artifacts as rows, so that every node has them, and in files of this node, which are used as long as they are whole.
 * One is stored when its rows are.
 */
export class SharedArtifacts implements Artifacts {
  readonly #files: ArtifactFiles;
  readonly #readers: Readers;
  readonly #changes: Changes;
  readonly #clock: Pick<Clock, 'monotonic' | 'setTimer'>;

  constructor(
    files: ArtifactFiles,
    readers: Readers,
    changes: Changes,
    clock: Pick<Clock, 'monotonic' | 'setTimer'>,
  ) {
    this.#files = files;
    this.#readers = readers;
    this.#changes = changes;
    this.#clock = clock;
  }

  async put(bytes: Uint8Array): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
    const stored = await this.#files.put(bytes);
    // The first part last: who has that has all of them.
    const parts = Math.max(1, Math.ceil(bytes.byteLength / partBytes));
    for (let part = parts - 1; part >= 0; part--) {
      const content = Buffer.from(bytes.subarray(part * partBytes, (part + 1) * partBytes));
      await this.#changes.call('cannot store an artifact', 'put_artifact_part', [
        stored.sha256,
        part,
        content,
      ]);
    }
    return stored;
  }

  async load(sha256: string): Promise<Uint8Array> {
    try {
      return await this.#files.load(sha256);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      const bytes = await this.#fetch(sha256);
      if (bytes === undefined) throw error;
      const stored = await this.#files.put(bytes);
      if (stored.sha256 !== sha256) {
        throw new ArtifactError(`${sha256} in the database is damaged: its bytes have another digest`);
      }
      return bytes;
    }
  }

  async has(sha256: string): Promise<boolean> {
    if (await this.#files.has(sha256)) return true;
    const rows = await this.#readers.read(
      'cannot look for an artifact',
      'SELECT part FROM artifacts WHERE sha256 = $1 AND part = 0',
      [sha256],
    );
    return rows.length > 0;
  }

  async #fetch(sha256: string): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let part = 0; ; part++) {
      const [row] = await this.#part(sha256, part);
      if (row === undefined) return part === 0 ? undefined : Buffer.concat(parts);
      parts.push(row.bytes as Uint8Array);
    }
  }

  async #part(sha256: string, part: number): Promise<Row[]> {
    const until = this.#clock.monotonic() + patienceMs;
    for (;;) {
      try {
        return await this.#readers.read(
          'cannot read an artifact',
          'SELECT bytes FROM artifacts WHERE sha256 = $1 AND part = $2',
          [sha256, part],
        );
      } catch (error) {
        const isOver = this.#readers.closed || this.#clock.monotonic() > until;
        if (!(error instanceof StoreError) || isOver) throw error;
        await new Promise<void>((resolve) => void this.#clock.setTimer(againMs, resolve));
      }
    }
  }
}
