import type { Clock } from '../../domain/clock.ts';
import { nearest } from '../../domain/did-you-mean.ts';
import { invalidArgument, notFound, quote, RequestError } from '../../domain/errors.ts';
import type { Invocation } from '../../domain/execution.ts';
import type { Labels } from '../../domain/labels.ts';
import { LruMap } from '../../domain/lru-map.ts';
import type { FunctionSignature, RuntimeKind, Task, TaskDefinition } from '../../domain/task.ts';
import { cappedWarm, checkCaps, type TaskCaps, withDefaultLimits } from '../../domain/task-bounds.ts';
import type { Registration, TaskDraft, Tasks } from '../../domain/tasks.ts';
import { decodeParameters } from '../../domain/wit/decode.ts';
import { findFunction } from '../../domain/wit/lookup.ts';
import { parseWit } from '../../domain/wit/parse.ts';
import type { WitFunction } from '../../domain/wit/types.ts';
import type { PreparedArtifact, Runtime } from '../../runtimes/runtime.ts';
import type { Store } from '../../stores/store.ts';
import type { IdSource } from '../ids.ts';

/** Hears which revision of a task new executions will run, so that instances of it can be kept ready. */
export interface CatalogListener {
  /** `replaced` is the revision before, if there was one. */
  registered(task: Task, replaced: Task | undefined): void;
  removed(task: Task): void;
}

interface CatalogOptions {
  readonly store: Store;
  readonly runtimes: ReadonlyMap<RuntimeKind, Runtime>;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Whether tasks may see folders of the host; a node that runs as root has to be told so. */
  readonly hostAccess: boolean;
  readonly listener: CatalogListener;
  readonly caps: TaskCaps;
  /** Throws unavailable while the node takes up nothing new. */
  readonly checkOpen?: () => void;
}

/** Tasks kept in memory; the one least recently read goes first. */
const maxCached = 1000;
/** What a name that is not known is compared with: somebody mistyped it, or asks for everything. */
const maxCompared = 200;
const longestCompared = 64;

/** The registered tasks, with those in use kept in memory. The node is the store's only writer. */
export class TaskCatalog implements Tasks {
  readonly #options: CatalogOptions;
  readonly #cache = new LruMap<string, Task>(maxCached);
  readonly #types = new WeakMap<Task, readonly WitFunction[]>();
  /** Moves on with each change of a task. */
  #epoch = 0;
  /** As of an epoch. */
  #names: { readonly epoch: number; readonly names: readonly string[] } | undefined;
  /** Registrations go one after the other, so that a name never gets two ids. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  async register(draft: TaskDraft, registration: Registration): Promise<{ task: Task; changed: boolean }> {
    this.#options.checkOpen?.();
    // Also before the artifact is fetched, which may take long.
    if (registration.ifAbsent) await this.#refuseTaken(draft.name);
    const { definition, prepared } = await this.#prepare(draft, registration);
    const turn = this.#last.then(() => this.#save(definition, prepared, registration.ifAbsent));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async get(idOrName: string): Promise<Task> {
    const cached = this.#cache.get(idOrName);
    if (cached !== undefined) return cached;
    const epoch = this.#epoch;
    const task = idOrName.startsWith('task_') ? await this.#byId(idOrName) : await this.#byName(idOrName);
    if (task === undefined) throw notFound('task', idOrName, await this.#nearestName(idOrName));
    // A registration or deletion during the read may have made it old.
    if (epoch === this.#epoch) this.#cache.set(idOrName, task);
    return task;
  }

  list(afterName: string, limit: number, labels?: Labels): Promise<Task[]> {
    return this.#options.store.tasks(afterName, limit, labels);
  }

  async remove(idOrName: string): Promise<Task> {
    const task = await this.get(idOrName);
    await this.#options.store.deleteTask(task.taskId);
    this.#forget(task);
    this.#options.listener.removed(task);
    return task;
  }

  checkCall(task: Task, functionName: string, parameters: Invocation['parameters']): string {
    if (functionName === '') return this.#checkDefaultEntry(task, parameters);
    const fn = findFunction(this.#functions(task), functionName);
    const reason = task.functions.find((signature) => signature.name === fn.name)?.reason ?? '';
    if (reason !== '')
      throw invalidArgument('function_name', `${quote(fn.name)} cannot be called: ${reason}`);
    decodeParameters(fn, parameters);
    return fn.name;
  }

  #byName(name: string): Promise<Task | undefined> {
    return this.#options.store.taskByName(name);
  }

  async #nearestName(name: string): Promise<string | undefined> {
    // Whoever asks for what is not there, over and over, costs no read of the tasks each time.
    if (this.#names?.epoch !== this.#epoch) {
      const epoch = this.#epoch;
      const tasks = await this.#options.store.tasks('', maxCompared);
      this.#names = { epoch, names: tasks.map(({ definition }) => definition.name) };
    }
    return nearest(name.slice(0, longestCompared), this.#names.names);
  }

  /** The store keeps deleted tasks for the executions that ran them; they have lost their name. */
  async #byId(taskId: string): Promise<Task | undefined> {
    const task = await this.#options.store.taskById(taskId);
    if (task === undefined) return undefined;
    const named = await this.#byName(task.definition.name);
    return named?.taskId === taskId ? task : undefined;
  }

  #checkDefaultEntry(task: Task, parameters: Invocation['parameters']): string {
    if (!task.functions.some((signature) => signature.name === '')) {
      const known = task.functions.map((signature) => signature.name).slice(0, 20);
      throw invalidArgument(
        'function_name',
        `the task has no default entry; allowed is one of ${known.join(', ')}`,
      );
    }
    const [first] = Object.keys(parameters);
    if (first !== undefined) {
      throw invalidArgument(
        `parameters.${first}`,
        'the default entry takes no parameters; allowed are args, environment and input',
      );
    }
    return '';
  }

  #functions(task: Task): readonly WitFunction[] {
    let functions = this.#types.get(task);
    if (functions === undefined) {
      functions = task.wit === '' ? [] : parseWit(task.wit);
      this.#types.set(task, functions);
    }
    return functions;
  }

  async #refuseTaken(name: string): Promise<void> {
    const existing = await this.#byName(name);
    if (existing === undefined) return;
    throw new RequestError('already_exists', `definition.name: ${quote(name)} is ${existing.taskId}`, {
      reason: 'TASK_EXISTS',
      metadata: { task_id: existing.taskId },
    });
  }

  async #prepare(
    draft: TaskDraft,
    registration: Registration,
  ): Promise<{ definition: TaskDefinition; prepared: PreparedArtifact }> {
    const runtime = this.#runtimeFor(draft);
    const { caps } = this.#options;
    checkCaps(draft, caps);
    const { source: _source, sha256: _sha256, ...rest } = draft;
    const definition: TaskDefinition = {
      ...rest,
      limits: withDefaultLimits(draft.limits, runtime.defaultLimits, caps),
      warm: cappedWarm(draft.warm, caps),
      artifact: await runtime.resolve(draft, registration),
    };
    const prepared = await runtime.prepare(definition);
    checkPolicy(definition, prepared.functions);
    return { definition, prepared };
  }

  #runtimeFor(draft: TaskDraft): Runtime {
    const { runtimes, hostAccess } = this.#options;
    const runtime = runtimes.get(draft.runtime);
    if (runtime === undefined) {
      const known = [...runtimes.keys()].join(', ');
      throw new RequestError(
        'unavailable',
        `definition.runtime: this node has no ${draft.runtime} runtime; it has ${known}`,
        { reason: 'RUNTIME_UNAVAILABLE', metadata: { runtime: draft.runtime } },
      );
    }
    if (!hostAccess && Object.keys(draft.preopens).length > 0) {
      throw new RequestError(
        'failed_precondition',
        'definition.preopens: this node runs as root and gives no access to the host; start it with --allow-host-access, or as another user',
        {
          reason: 'HOST_ACCESS_NOT_ALLOWED',
          violations: [{ field: 'definition.preopens', description: 'allowed is none' }],
        },
      );
    }
    return runtime;
  }

  async #save(
    definition: TaskDefinition,
    prepared: PreparedArtifact,
    ifAbsent: boolean,
  ): Promise<{ task: Task; changed: boolean }> {
    const { store, clock, ids, listener } = this.#options;
    if (ifAbsent) await this.#refuseTaken(definition.name);
    const existing = await this.#byName(definition.name);
    if (existing !== undefined && JSON.stringify(existing.definition) === JSON.stringify(definition)) {
      return { task: existing, changed: false };
    }
    const now = Math.round(clock.now());
    const task: Task = {
      taskId: existing?.taskId ?? ids('task_'),
      revision: (existing?.revision ?? 0) + 1,
      definition,
      functions: prepared.functions,
      wit: prepared.wit,
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
    };
    await store.saveTask(task);
    if (existing === undefined) this.#epoch++;
    else this.#forget(existing);
    listener.registered(task, existing);
    return { task, changed: true };
  }

  #forget(task: Task): void {
    this.#epoch++;
    this.#cache.delete(task.taskId);
    this.#cache.delete(task.definition.name);
  }
}

function checkPolicy(definition: TaskDefinition, functions: readonly FunctionSignature[]): void {
  if (definition.instancePolicy === 'reused' && !functions.some((signature) => signature.name !== '')) {
    throw invalidArgument(
      'definition.instance_policy',
      'REUSED is for typed exports and this artifact has none; allowed is FRESH',
    );
  }
}
