import type { ArtifactFiles } from '../../artifacts.ts';
import type { SpaceReserve } from '../../space-reserve.ts';
import type { Retained, Retention } from '../../store.ts';
import type { Reading } from '../read/reading.ts';
import type { Inputs } from '../write/inputs.ts';
import type { Writes } from '../write/writes.ts';
import type { Sweep } from './sweep.ts';

interface Parts {
  readonly reading: Reading;
  readonly writes: Writes;
  readonly inputs: Inputs;
  readonly blobs: ArtifactFiles;
  readonly reserve: SpaceReserve;
  readonly sweep: Sweep;
}

/** What is deleted goes with its files, where nothing else names them. */
export class Deletions {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** As the port's `delete`. */
  async delete(executionId: string): Promise<boolean> {
    for (;;) {
      const removed = await this.#parts.writes.send('cannot delete an execution', {
        kind: 'delete',
        executionId,
      });
      await this.#removeFiles(removed.files);
      if (removed.done) return removed.found;
    }
  }

  /** As the port's `retain`. */
  async retain({ endedBefore, maxBytes, ...times }: Retention): Promise<Retained> {
    const { reserve, blobs, writes, sweep } = this.#parts;
    await reserve.restore();
    const fileBytes = await blobs.totalBytes();
    const target = { endedBefore, maxBytes, fileBytes };
    const step = await writes.send('cannot delete what is old', { kind: 'retain', target });
    await this.#removeFiles(step.files);
    const { deletedExecutions, deletedLogs, shortened } = step;
    const more = step.more || (await sweep.step(times));
    return { deletedExecutions, deletedLogs, ...(shortened.length > 0 && { shortened }), more };
  }

  async #removeFiles(digests: readonly string[]): Promise<void> {
    const { reading, inputs, blobs } = this.#parts;
    for (const sha256 of digests) {
      const named = reading.now('cannot see what is in use', () => inputs.names(sha256));
      if (!named) await blobs.remove(sha256, Number.POSITIVE_INFINITY);
    }
  }
}
