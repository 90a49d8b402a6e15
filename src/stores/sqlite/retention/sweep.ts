/**
 * Removes what nothing names any more: files of inputs, revisions of tasks, wasm artifacts and what they were
 * transpiled to. Each has to have been so for a while, as it is named by its commit only after it was written.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactFiles } from '../../artifacts.ts';
import { artifactFolder } from '../../artifacts.ts';
import { type Retention, StoreError } from '../../store.ts';
import { guardSqlite } from '../file/failure.ts';
import type { TaskRevision, Tasks } from '../read/tasks.ts';
import type { Inputs } from '../write/inputs.ts';

interface SweepOptions {
  readonly dataDir: string;
  readonly blobs: ArtifactFiles;
  readonly inputs: Inputs;
  readonly tasks: Tasks;
  readonly deleteRevision: (revision: TaskRevision) => Promise<boolean>;
}

type Times = Pick<Retention, 'now' | 'unusedForMs' | 'writtenBefore'>;

/** Files looked at in one step. */
const namesAtOnce = 64;

export class Sweep {
  readonly #options: SweepOptions;
  readonly #artifacts: ArtifactFiles;
  /** When each revision was first found unused. */
  readonly #unused = new Map<string, number>();
  #pass: AsyncGenerator<void, void, void> | undefined;
  #lastPass = Number.NEGATIVE_INFINITY;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.#artifacts = artifactFolder(join(options.dataDir, 'artifacts'));
  }

  /** One bounded step of a pass, which begins as often as things can become old enough. True where there is more. */
  async step(times: Times): Promise<boolean> {
    if (this.#pass === undefined) {
      if (Math.abs(times.now - this.#lastPass) < times.unusedForMs) return false;
      this.#lastPass = times.now;
      this.#pass = this.#run(times);
    }
    try {
      const { done } = await this.#pass.next();
      if (done === true) this.#pass = undefined;
      return done !== true;
    } catch (error) {
      this.#pass = undefined;
      throw error;
    }
  }

  async *#run(times: Times): AsyncGenerator<void, void, void> {
    const { now, unusedForMs, writtenBefore: before = now - unusedForMs } = times;
    const { blobs, inputs, tasks } = this.#options;
    yield* inSteps(await blobs.list(), async (sha256) => {
      if (!guarded(() => inputs.names(sha256))) await blobs.remove(sha256, before);
    });
    yield* this.#sweepRevisions(now, unusedForMs);
    const folder = await listed(join(this.#options.dataDir, 'artifacts'));
    yield* inSteps(folder, async (sha256) => {
      if (!guarded(() => tasks.namesArtifact(sha256))) await this.#artifacts.remove(sha256, before);
    });
    const cache = join(this.#options.dataDir, 'cache');
    yield* inSteps(await listed(cache), (name) => this.#sweepCached(join(cache, name), name, before));
  }

  async *#sweepRevisions(now: number, unusedForMs: number): AsyncGenerator<void, void, void> {
    const { tasks, deleteRevision } = this.#options;
    const spare = guarded(() => tasks.spareRevisions());
    const known = new Set(spare.map(keyOf));
    for (const key of this.#unused.keys()) if (!known.has(key)) this.#unused.delete(key);
    for (const revision of spare) {
      const key = keyOf(revision);
      const since = this.#unused.get(key) ?? now;
      if (guarded(() => tasks.isUsed(revision))) this.#unused.delete(key);
      else if (now - since < unusedForMs) this.#unused.set(key, since);
      else if (await deleteRevision(revision)) this.#unused.delete(key);
      yield;
    }
  }

  /** The folder of a transpiled artifact, `DIGEST-VERSION`, goes after the artifact. */
  async #sweepCached(path: string, name: string, before: number): Promise<void> {
    const sha256 = /^([0-9a-f]{64})-/.exec(name)?.[1];
    if (sha256 === undefined || guarded(() => this.#options.tasks.namesArtifact(sha256))) return;
    if (await this.#artifacts.has(sha256)) return;
    try {
      if ((await stat(path)).mtimeMs < before) await rm(path, { recursive: true, force: true });
    } catch (cause) {
      throw new StoreError(`cannot remove ${path}`, { cause });
    }
  }
}

function keyOf({ taskId, revision }: TaskRevision): string {
  return `${taskId}@${revision}`;
}

function guarded<T>(work: () => T): T {
  return guardSqlite('cannot see what is in use', work);
}

async function* inSteps(names: readonly string[], look: (name: string) => Promise<void>) {
  for (const [index, name] of names.entries()) {
    await look(name);
    if (index % namesAtOnce === namesAtOnce - 1) yield;
  }
}

async function listed(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new StoreError(`cannot look into ${dir}`, { cause });
  }
}
