import { assertMayCache } from '../../domain/cache.ts';
import type { Clock } from '../../domain/clock.ts';
import { didYouMean } from '../../domain/did-you-mean.ts';
import { invalidArgument, notFound, quote, RequestError } from '../../domain/errors.ts';
import type { Invocation } from '../../domain/execution.ts';
import type { Labels } from '../../domain/labels.ts';
import { LruMap } from '../../domain/lru-map.ts';
import type { Chosen } from '../../domain/revisions/port.ts';
import {
  assertMayName,
  owned,
  type Scope,
  seesTask,
  taskKey,
  tenantOf,
  tenantToMakeIn,
} from '../../domain/scope.ts';
import type { FunctionSignature, RuntimeKind, Task, TaskDefinition } from '../../domain/task.ts';
import { cappedWarm, checkCaps, type TaskCaps, withDefaultLimits } from '../../domain/task-bounds.ts';
import type { Registration, TaskDraft, Tasks, TaskUpdate } from '../../domain/tasks.ts';
import { decodeParameters } from '../../domain/wit/decode.ts';
import { findFunction } from '../../domain/wit/lookup.ts';
import { parseWit } from '../../domain/wit/parse.ts';
import type { WitFunction } from '../../domain/wit/types.ts';
import type { PreparedArtifact, Runtime } from '../../runtimes/runtime.ts';
import { ChangedMeanwhile, type Store } from '../../stores/store.ts';
import type { IdSource } from '../ids.ts';
import { RevisionCatalog } from './revision-catalog.ts';

/** Hears what becomes of tasks. */
export interface CatalogListener {
  /** It is the newest revision of its task. */
  registered(task: Task): void;
  /**
   * What the plain name of a task goes to is another than before: instances of that can be kept ready. None is for a task
   * that is not there.
   */
  serves(now: readonly Task[], before: readonly Task[]): void;
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
  /** Throws invalid_argument for webhooks that the node does not tell. */
  readonly checkWebhooks?: (field: string, webhooks: TaskDefinition['onEnd']) => void;
  /** Throws unavailable while the node takes up nothing new. */
  readonly checkOpen?: () => void;
}

/** Tasks kept in memory; the one least recently read goes first. */
const maxCached = 1000;
/** Of a registration that other nodes come before. */
const mostTries = 10;
/** Scopes whose names are kept to be compared with. */
const maxScopes = 100;
/** Tasks that are read at once where only some of them are in scope. */
const listPage = 500;
/** What a name that is not known is compared with: somebody mistyped it, or asks for everything. */
const maxCompared = 200;
const longestCompared = 64;
const none: TaskDefinition['warm'] = { min: 0, max: 0, idleTimeoutMs: 0, startAhead: false };

/** The registered tasks, with those in use kept in memory. What other nodes change of them comes by `changed`. */
export class TaskCatalog implements Tasks {
  readonly revisions: RevisionCatalog;
  readonly #options: CatalogOptions;
  /** Tasks by their ids and by their TaskKeys. */
  readonly #cache = new LruMap<string, Task>(maxCached);
  /** Whose task an id is does not change, also when the task is deleted. */
  readonly #owners = new LruMap<string, { readonly tenant?: string; readonly name: string }>(maxCached);
  readonly #types = new WeakMap<Task, readonly WitFunction[]>();
  /** Moves on with each change of a task. */
  #epoch = 0;
  /** The names of the tasks in a scope, good while the epoch is the same. */
  readonly #names = new LruMap<string, { readonly epoch: number; readonly names: readonly string[] }>(
    maxScopes,
  );
  /** Registrations go one after the other, so that a name never gets two ids. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CatalogOptions) {
    this.#options = options;
    const { store, clock, ids, listener } = options;
    this.revisions = new RevisionCatalog({
      store,
      now: () => clock.now(),
      newKey: () => ids('req_'),
      get: (scope, idOrName) => this.get(scope, idOrName),
      inTurn: (work) => this.#inTurn(work),
      serves: (now, before) => listener.serves(now, before),
    });
  }

  choose(scope: Scope, reference: string, key: string): Promise<Chosen> {
    return this.revisions.choose(scope, reference, key);
  }

  async register(draft: TaskDraft, registration: Registration): Promise<{ task: Task; changed: boolean }> {
    this.#options.checkOpen?.();
    const { scope } = registration;
    assertMayName(scope, 'definition.name', draft.name);
    const tenant = tenantToMakeIn(scope);
    // Also before the artifact is fetched, which may take long.
    if (registration.ifAbsent) await this.#refuseTaken(tenant, draft.name);
    const { definition, prepared } = await this.#prepare(draft, registration);
    return this.#inTurn(() =>
      untilFirst(() => this.#save(tenant, definition, prepared, registration.ifAbsent)),
    );
  }

  async update(idOrName: string, update: TaskUpdate): Promise<{ task: Task; changed: boolean }> {
    this.#options.checkOpen?.();
    return this.#inTurn(() =>
      untilFirst(async () => {
        try {
          return await this.#update(idOrName, update);
        } catch (error) {
          if (error instanceof ChangedMeanwhile) await this.changed(undefined);
          throw error;
        }
      }),
    );
  }

  async get(scope: Scope, idOrName: string): Promise<Task> {
    const tenant = tenantToMakeIn(scope);
    const byId = idOrName.startsWith('task_');
    const key = byId ? idOrName : taskKey(tenant, idOrName);
    const cached = this.#cache.get(key);
    const task =
      cached ?? (await this.#read(key, byId ? this.#byId(idOrName) : this.#byName(tenant, idOrName)));
    if (task !== undefined && seesTask(scope, task, task.definition.name)) return task;
    throw notFound('task', idOrName, await this.#similarName(scope, idOrName));
  }

  async list(scope: Scope, afterName: string, limit: number, labels?: Labels): Promise<Task[]> {
    const { store } = this.#options;
    const tenant = tenantToMakeIn(scope);
    if (scope.tasks === undefined) return store.tasks(tenant, afterName, limit, labels);
    const found: Task[] = [];
    for (let after = afterName; ; ) {
      const page = await store.tasks(tenant, after, listPage, labels);
      found.push(...page.filter((task) => seesTask(scope, task, task.definition.name)));
      const last = page.at(-1);
      if (found.length >= limit || last === undefined || page.length < listPage) return found.slice(0, limit);
      after = last.definition.name;
    }
  }

  async isSeen(scope: Scope, taskId: string): Promise<boolean> {
    let owner = this.#owners.get(taskId);
    if (owner === undefined) {
      const task = this.#cache.get(taskId) ?? (await this.#options.store.taskById(taskId));
      if (task === undefined) return false;
      owner = { ...owned(tenantOf(task)), name: task.definition.name };
      this.#owners.set(taskId, owner);
    }
    return seesTask(scope, owner, owner.name);
  }

  async remove(scope: Scope, idOrName: string): Promise<Task> {
    const task = await this.get(scope, idOrName);
    const served = await this.revisions.servedTasks(task);
    await this.#options.store.deleteTask(task.taskId);
    this.#forget(task);
    this.revisions.gone(task);
    this.#options.listener.serves([], served);
    return task;
  }

  /**
   * Another node has changed a task, or, with undefined, any of them: it is read anew. Resolves when that counts; never
   * rejects.
   */
  async changed(taskId: string | undefined): Promise<void> {
    const known = taskId === undefined ? undefined : this.#cache.peek(taskId);
    const before =
      known === undefined ? [] : await this.revisions.servedTasks(known).catch((): readonly Task[] => []);
    this.#epoch++;
    // Also what its name had before.
    this.#cache.clear();
    this.#owners.clear();
    this.revisions.changed(taskId);
    if (taskId === undefined) return;
    const task = await this.#byId(taskId).catch(() => undefined);
    const { listener } = this.#options;
    if (task !== undefined) listener.registered(task);
    const now = task === undefined ? [] : await this.revisions.servedTasks(task).catch(() => before);
    listener.serves(now, before);
  }

  checkCall(
    task: Task,
    functionName: string,
    parameters: Invocation['parameters'],
    later: readonly string[] = [],
  ): string {
    if (functionName === '') return this.#checkDefaultEntry(task, [...Object.keys(parameters), ...later]);
    const fn = findFunction(this.#functions(task), functionName);
    const reason = task.functions.find((signature) => signature.name === fn.name)?.reason ?? '';
    if (reason !== '')
      throw invalidArgument('function_name', `${quote(fn.name)} cannot be called: ${reason}`);
    decodeParameters(fn, parameters, later);
    return fn.name;
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #read(key: string, reading: Promise<Task | undefined>): Promise<Task | undefined> {
    const epoch = this.#epoch;
    const task = await reading;
    // A registration or deletion during the read may have made it old.
    if (task !== undefined && epoch === this.#epoch) this.#cache.set(key, task);
    return task;
  }

  #byName(tenant: string, name: string): Promise<Task | undefined> {
    return this.#options.store.taskByName(tenant, name);
  }

  async #similarName(scope: Scope, name: string): Promise<string | undefined> {
    const key = JSON.stringify([scope.tenant, scope.tasks]);
    let known = this.#names.get(key);
    // Whoever asks for what is not there, over and over, costs no read of the tasks each time.
    if (known?.epoch !== this.#epoch) {
      const epoch = this.#epoch;
      const tasks = await this.list(scope, '', maxCompared);
      known = { epoch, names: tasks.map(({ definition }) => definition.name) };
      this.#names.set(key, known);
    }
    return didYouMean(name.slice(0, longestCompared), known.names);
  }

  /** The store keeps deleted tasks for the executions that ran them; they have lost their name. */
  async #byId(taskId: string): Promise<Task | undefined> {
    const task = await this.#options.store.taskById(taskId);
    if (task === undefined) return undefined;
    const named = await this.#byName(tenantOf(task), task.definition.name);
    return named?.taskId === taskId ? task : undefined;
  }

  #checkDefaultEntry(task: Task, parameters: readonly string[]): string {
    if (!task.functions.some((signature) => signature.name === '')) {
      const known = task.functions.map((signature) => signature.name).slice(0, 20);
      throw invalidArgument(
        'function_name',
        `the task has no default entry; allowed is one of ${known.join(', ')}`,
      );
    }
    const [first] = parameters;
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

  async #refuseTaken(tenant: string, name: string): Promise<void> {
    const existing = await this.#byName(tenant, name);
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
    const tenant = tenantToMakeIn(registration.scope);
    const { caps } = this.#options;
    checkCaps(draft, caps);
    assertMayCache(draft);
    this.#options.checkWebhooks?.('definition.on_end', draft.onEnd);
    const { source: _source, sha256: _sha256, ...rest } = draft;
    const definition: TaskDefinition = {
      ...rest,
      limits: withDefaultLimits(draft.limits, runtime.defaultLimits, caps),
      warm: cappedWarm(draft.warm, caps),
      artifact: await runtime.resolve(draft, { ...registration, tenant }),
    };
    const prepared = await runtime.prepare(definition, tenant);
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
    tenant: string,
    definition: TaskDefinition,
    prepared: PreparedArtifact,
    ifAbsent: boolean,
  ): Promise<{ task: Task; changed: boolean }> {
    if (ifAbsent) await this.#refuseTaken(tenant, definition.name);
    const existing = await this.#byName(tenant, definition.name);
    const { functions, wit } = prepared;
    return this.#replace(tenant, existing, { definition, functions, wit });
  }

  async #replace(
    tenant: string,
    existing: Task | undefined,
    { definition, functions, wit }: Pick<Task, 'definition' | 'functions' | 'wit'>,
  ): Promise<{ task: Task; changed: boolean }> {
    const { store, clock, ids, listener } = this.#options;
    if (existing !== undefined && JSON.stringify(existing.definition) === JSON.stringify(definition)) {
      return { task: existing, changed: false };
    }
    const now = Math.round(clock.now());
    const task: Task = {
      taskId: existing?.taskId ?? ids('task_'),
      ...owned(tenant),
      revision: (existing?.revision ?? 0) + 1,
      definition,
      functions,
      wit,
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
    };
    const before = existing === undefined ? [] : await this.revisions.servedTasks(existing);
    await store.saveTask(task, existing ?? null);
    if (existing === undefined) this.#epoch++;
    else this.#forget(existing);
    listener.registered(task);
    listener.serves(await this.revisions.servedTasks(task), before);
    return { task, changed: true };
  }

  async #update(
    idOrName: string,
    { scope, changes, changed, expectedRevision }: TaskUpdate,
  ): Promise<{ task: Task; changed: boolean }> {
    const existing = await this.get(scope, idOrName);
    if (expectedRevision !== undefined && expectedRevision !== existing.revision) {
      throw new RequestError(
        'aborted',
        `expected_revision: is ${expectedRevision}, and the task has revision ${existing.revision} by now; look at it again before you change it`,
        {
          reason: 'TASK_CHANGED',
          metadata: { task_id: existing.taskId, revision: String(existing.revision) },
        },
      );
    }
    const { runtimes, caps } = this.#options;
    const definition = changed(existing.definition);
    const { timeouts, warm } = definition;
    // What was registered before the operator lowered a cap does not keep anybody from changing something else.
    checkCaps(
      {
        limits: {},
        timeouts: changes.has('timeouts') ? timeouts : {},
        warm: changes.has('warm') ? warm : none,
      },
      caps,
    );
    if (changes.has('cache')) assertMayCache(definition);
    if (changes.has('onEnd')) this.#options.checkWebhooks?.('definition.on_end', definition.onEnd);
    if (changes.has('warm')) runtimes.get(definition.runtime)?.checkSettings?.(definition);
    return this.#replace(tenantOf(existing), existing, {
      ...{ functions: existing.functions, wit: existing.wit },
      definition: { ...definition, warm: cappedWarm(warm, caps) },
    });
  }

  #forget(task: Task): void {
    this.#epoch++;
    this.#cache.delete(task.taskId);
    this.#cache.delete(taskKey(tenantOf(task), task.definition.name));
  }
}

/** Other nodes may register the same one at the same time: who comes second begins anew. */
async function untilFirst<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile) || tries >= mostTries) throw error;
    }
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
