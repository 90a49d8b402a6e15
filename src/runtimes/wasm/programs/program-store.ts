import { invalidArgument } from '../../../domain/errors.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import { networkOf } from '../../../domain/network/network-list.ts';
import type { TaskDefinition } from '../../../domain/task.ts';
import { gateModules } from '../check/gate.ts';
import type { Program } from '../hosts/protocol.ts';
import type { ArtifactCache, CachedArtifact } from './artifact-cache.ts';
import { memoryLimit } from './limits.ts';

/** Programs kept in memory, those of a warm policy beside; the least recently used beyond is read again when it is needed. */
const maxPrograms = 256;

/** A program on its way, and once it is there. */
interface Loading {
  readonly promise: Promise<Program>;
  program: Program | undefined;
}

/** Turns tasks into programs: each revision has one, and programs of one artifact and limit share their modules. */
export class ProgramStore {
  readonly #cache: ArtifactCache;
  readonly #unsafePreopens: boolean;
  readonly #kept = new Set<string>();
  readonly #programs = new LruMap<string, Loading>(maxPrograms, this.#kept);
  readonly #cores = new LruMap<string, Promise<Program['cores']>>(maxPrograms);
  #lastKey = 0;

  /** @param unsafePreopens whether folders may be held by path */
  constructor(cache: ArtifactCache, unsafePreopens: boolean) {
    this.#cache = cache;
    this.#unsafePreopens = unsafePreopens;
  }

  /** The program if it is ready now: the way of every call but a task's first. */
  find(taskId: string, revision: number): Program | undefined {
    return this.#programs.get(idOf(taskId, revision))?.program;
  }

  /** As `load`, and does not make room for others until it is forgotten; undefined where that was meanwhile. */
  async keep(taskId: string, revision: number, task: TaskDefinition): Promise<Program | undefined> {
    const id = idOf(taskId, revision);
    this.#kept.add(id);
    const program = await this.load(taskId, revision, task);
    return this.#kept.has(id) ? program : undefined;
  }

  /** @returns the program, if it was ready */
  forget(taskId: string, revision: number): Program | undefined {
    const id = idOf(taskId, revision);
    const program = this.#programs.peek(id)?.program;
    this.#kept.delete(id);
    this.#programs.delete(id);
    return program;
  }

  /** Rejects as `ArtifactCache.load` does, and with a RequestError where the gate does not let the task through. */
  async load(taskId: string, revision: number, task: TaskDefinition): Promise<Program> {
    const id = idOf(taskId, revision);
    const known = this.#programs.get(id);
    if (known !== undefined) return known.promise;
    const loading: Loading = { promise: this.#load(task), program: undefined };
    this.#programs.set(id, loading);
    try {
      loading.program = await loading.promise;
      return loading.program;
    } catch (error) {
      if (this.#programs.peek(id) === loading) this.#programs.delete(id);
      throw error;
    }
  }

  /** Divides the task's limit among the artifact's modules, and says what it exports. */
  async check(task: TaskDefinition): Promise<CachedArtifact> {
    const artifact = await this.#cache.load(digestOf(task));
    await this.#bound(artifact, digestOf(task), memoryLimit(task));
    return artifact;
  }

  async #load(task: TaskDefinition): Promise<Program> {
    const artifact = await this.#cache.load(digestOf(task));
    const cores = await this.#bound(artifact, digestOf(task), memoryLimit(task));
    const { manifest } = artifact;
    const network = networkOf(task);
    this.#lastKey += 1;
    return {
      key: this.#lastKey,
      source: artifact.source,
      cores,
      imports: manifest.kind === 'component' ? manifest.imports : [],
      command: manifest.command,
      functions: manifest.kind === 'component' ? manifest.functions : [],
      name: task.name,
      args: task.args,
      environment: task.environment,
      preopens: task.preopens,
      unsafePreopens: this.#unsafePreopens,
      ...(task.limits.openFiles !== undefined && { openFiles: task.limits.openFiles }),
      network,
      pure: Object.keys(task.preopens).length === 0 && network.length === 0,
      warm: task.warm,
    };
  }

  async #bound(artifact: CachedArtifact, sha256: string, limit: number): Promise<Program['cores']> {
    const id = `${sha256}@${limit}`;
    let bounding = this.#cores.get(id);
    if (bounding === undefined) {
      bounding = boundModules(artifact, limit);
      this.#cores.set(id, bounding);
      bounding.catch(() => this.#cores.delete(id));
    }
    return bounding;
  }
}

function digestOf(task: TaskDefinition): string {
  if (task.artifact.kind !== 'wasm') {
    throw invalidArgument(
      'definition.artifact',
      `the wasm runtime cannot run a ${task.artifact.kind} artifact`,
    );
  }
  return task.artifact.sha256;
}

async function boundModules(artifact: CachedArtifact, limit: number): Promise<Program['cores']> {
  const gated = gateModules(artifact.cores, limit);
  return artifact.cores.map(({ file, instances }, index) => {
    const { bytes, memoryCap, inert } = gated[index] as (typeof gated)[number];
    return { file, instances, memoryCap, inert, bytes };
  });
}

function idOf(taskId: string, revision: number): string {
  return `${taskId}@${revision}`;
}
