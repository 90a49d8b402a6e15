/**
 * Removes what nothing names any more: revisions of tasks, and artifacts, in the database and at this node. Each has to
 * have been so for a while, as it is named by its commit only after it was written.
 */
import type { ArtifactFiles } from '../../artifacts.ts';
import type { Retention } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { TaskRevision, Tasks } from '../read/tasks.ts';
import type { Changes } from '../write/changes.ts';

type Times = Pick<Retention, 'now' | 'unusedForMs' | 'writtenBefore'>;

export class Sweep {
  readonly #files: ArtifactFiles;
  readonly #readers: Readers;
  readonly #tasks: Tasks;
  readonly #changes: Changes;
  /** When each revision was first found unused. */
  #unused = new Map<string, number>();
  #lastPass = Number.NEGATIVE_INFINITY;

  constructor(files: ArtifactFiles, readers: Readers, tasks: Tasks, changes: Changes) {
    this.#files = files;
    this.#readers = readers;
    this.#tasks = tasks;
    this.#changes = changes;
  }

  /** One pass, as often as things can become old enough. Always false: nothing of it is left. */
  async step({ now, unusedForMs, writtenBefore = now - unusedForMs }: Times): Promise<boolean> {
    if (Math.abs(now - this.#lastPass) < unusedForMs) return false;
    this.#lastPass = now;
    await this.#sweepRevisions(now, unusedForMs);
    await this.#changes.call('cannot delete artifacts', 'remove_artifacts', [unusedForMs]);
    for (const sha256 of await this.#files.list()) {
      if (!(await this.#isNamed(sha256))) await this.#files.remove(sha256, writtenBefore);
    }
    return false;
  }

  async #sweepRevisions(now: number, unusedForMs: number): Promise<void> {
    const before = this.#unused;
    this.#unused = new Map();
    for (const revision of await this.#tasks.unused()) {
      const since = before.get(keyOf(revision)) ?? now;
      if (now - since < unusedForMs) this.#unused.set(keyOf(revision), since);
      else await this.#changes.deleteRevision(revision, true);
    }
  }

  async #isNamed(sha256: string): Promise<boolean> {
    const rows = await this.#readers.read(
      'cannot see what is in use',
      'SELECT 1 AS found FROM tasks WHERE artifact = $1 LIMIT 1',
      [sha256],
    );
    return rows.length > 0;
  }
}

function keyOf({ taskId, revision }: TaskRevision): string {
  return `${taskId}@${revision}`;
}
