/** Which task of this node a restored execution runs: one that the node knows, or the one that came along. */
import { isDeepStrictEqual } from 'node:util';
import { invalidArgument, RequestError } from '../../domain/errors.ts';
import { tenantOf } from '../../domain/scope.ts';
import { wantsOf } from '../../domain/snapshot/allowances.ts';
import type { RedactedDefinition, TaskPart } from '../../domain/snapshot/parts.ts';
import type { RestoreAllowance } from '../../domain/snapshot/port.ts';
import type { Task, TaskDefinition } from '../../domain/task.ts';
import { bounded, checkCaps, type TaskCaps, withDefaultLimits } from '../../domain/task-bounds.ts';
import type { TaskDraft } from '../../domain/tasks.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import type { Store } from '../../stores/store.ts';

export interface RestorePolicy {
  readonly allow: ReadonlySet<RestoreAllowance>;
  /** Tasks may see folders of the host; a node that runs as root has to be told so. */
  readonly hostAccess: boolean;
  /** The size that an artifact may have, in bytes. */
  readonly maxArtifactBytes: number;
  readonly caps: TaskCaps;
}

/** The bytes of WebAssembly artifacts. */
export interface ArtifactBytes {
  load(sha256: string): Promise<Uint8Array>;
  has(sha256: string): Promise<boolean>;
  put(bytes: Uint8Array): Promise<{ readonly sha256: string }>;
}

export interface TaskSurroundings {
  readonly store: Store;
  readonly runtimes: ReadonlyMap<TaskDefinition['runtime'], Runtime>;
  readonly artifacts: ArtifactBytes;
  readonly policy: RestorePolicy;
}

/** Revisions of a registered task that are looked at for an equal one. */
const maxRevisions = 100;

/**
 * The task of the tenant whose definition equals that of the document; undefined where it knows none. Rejects with
 * already_exists where the id stands for another task here.
 */
export async function knownTask(
  { store, runtimes, policy }: Pick<TaskSurroundings, 'store' | 'runtimes' | 'policy'>,
  { task }: TaskPart,
  tenant: string,
): Promise<Task | undefined> {
  const { taskId, revision } = task;
  // As the store has those that it knows.
  const ofRuntime = runtimes.get(task.definition.runtime)?.defaultLimits ?? {};
  const definition = bounded(task.definition, ofRuntime, policy.caps);
  const same = ofTenant(tenant, await store.taskRevision(taskId, revision));
  if (same !== undefined && equals(definition, same.definition)) return same;
  const named = await store.taskByName(tenant, definition.name);
  if (named !== undefined) {
    const oldest = Math.max(1, named.revision - maxRevisions);
    for (let at = named.revision; at >= oldest; at--) {
      const registered = at === named.revision ? named : await store.taskRevision(named.taskId, at);
      if (registered !== undefined && equals(definition, registered.definition)) return registered;
    }
  }
  // A revision more would be what the name stands for from then on.
  if (same !== undefined || (await hasName(store, taskId, tenant))) throw otherTask(taskId, revision);
  return undefined;
}

/** What another tenant has under an id is not there. */
function ofTenant(tenant: string, task: Task | undefined): Task | undefined {
  return task !== undefined && tenantOf(task) === tenant ? task : undefined;
}

async function hasName(store: Store, taskId: string, tenant: string): Promise<boolean> {
  const newest = ofTenant(tenant, await store.taskById(taskId));
  if (newest === undefined) return false;
  return (await store.taskByName(tenant, newest.definition.name))?.taskId === taskId;
}

/** Whether the id is free for a task of the tenant that comes along. */
export async function isFree(store: Store, taskId: string, tenant: string): Promise<boolean> {
  const task = await store.taskById(taskId);
  return task === undefined || tenantOf(task) === tenant;
}

function otherTask(taskId: string, revision: number): RequestError {
  return new RequestError(
    'already_exists',
    `the snapshot brings revision ${revision} of ${taskId}, which is another task here; register its definition under its name, and restore again`,
    { reason: 'TASK_EXISTS', metadata: { task_id: taskId } },
  );
}

/** Values that the document has left out are this node's own. */
function equals(carried: RedactedDefinition, known: TaskDefinition): boolean {
  const environment = Object.fromEntries(
    Object.entries(carried.environment).map(([name, value]) => [name, value ?? known.environment[name]]),
  );
  return isDeepStrictEqual({ ...carried, environment }, known);
}

/** The part with the limits that registration would have given its task. */
export function completedPart(
  part: TaskPart,
  { runtimes, policy }: Pick<TaskSurroundings, 'runtimes' | 'policy'>,
): TaskPart {
  const { task } = part;
  const { definition } = task;
  const ofRuntime = runtimes.get(definition.runtime)?.defaultLimits ?? {};
  const limits = withDefaultLimits(definition.limits, ofRuntime, policy.caps);
  return { ...part, task: { ...task, definition: { ...definition, limits } } };
}

/** Throws where the node may not run a task that it does not know. */
export function checkAllowed(definition: TaskDefinition, { allow, hostAccess, caps }: RestorePolicy): void {
  checkCaps(definition, caps);
  const refused = [...wantsOf(definition)].filter(([allowance]) => !allow.has(allowance));
  if (refused.length > 0) {
    const wanted = refused.flatMap(([, what]) => what).join(', ');
    const flags = refused.map(([allowance]) => allowance).join(',');
    throw new RequestError(
      'permission_denied',
      `task ${definition.name} comes with the snapshot and wants ${wanted}; register it here first, or start this node with --restore-allow ${flags}`,
      { reason: 'RESTORE_NOT_ALLOWED', metadata: { wanted: flags } },
    );
  }
  if (hostAccess || Object.keys(definition.preopens).length === 0) return;
  throw new RequestError(
    'failed_precondition',
    'the task of the snapshot has preopens: this node runs as root and gives no access to the host; start it with --allow-host-access, or as another user',
    { reason: 'HOST_ACCESS_NOT_ALLOWED' },
  );
}

/**
 * Makes sure that this node has what the task runs. `bytes` are those of the artifact, where they came along. Resolves
 * with the task as this node's runtime sees it. Rejects with failed_precondition where the artifact is not here.
 */
export async function prepareTask(
  { store, runtimes, artifacts, policy }: TaskSurroundings,
  task: Task,
  bytes: Uint8Array | undefined,
): Promise<Task> {
  const { definition } = task;
  const runtime = runtimes.get(definition.runtime);
  if (runtime === undefined) {
    throw new RequestError('unavailable', `this node has no ${definition.runtime} runtime`, {
      reason: 'RUNTIME_UNAVAILABLE',
      metadata: { runtime: definition.runtime },
    });
  }
  if (definition.artifact.kind === 'wasm') {
    const { sha256 } = definition.artifact;
    // What only others brought is not here, or whoever knows a digest could have what is not theirs.
    const isOwn = await store.hasArtifact(tenantOf(task), sha256);
    await bringArtifact(artifacts, policy, { sha256, isOwn }, bytes);
  }
  if (definition.artifact.kind === 'process') await findProgram(runtime, definition);
  try {
    const { functions, wit } = await runtime.prepare(definition, tenantOf(task));
    return { ...task, functions, wit };
  } catch (error) {
    if (!(error instanceof RequestError) || error.reason !== 'ARTIFACT_UNAVAILABLE') throw error;
    throw unavailable(
      `${error.message}; load the image into its engine first (docker save, docker load)`,
      error,
    );
  }
}

async function bringArtifact(
  artifacts: ArtifactBytes,
  { maxArtifactBytes }: RestorePolicy,
  { sha256, isOwn }: { readonly sha256: string; readonly isOwn: boolean },
  bytes: Uint8Array | undefined,
): Promise<void> {
  if (isOwn && (await artifacts.has(sha256))) return;
  if (bytes === undefined) {
    throw unavailable(
      `the artifact ${sha256} is not here; take the snapshot with its artifact (include_artifact), or register the task here first`,
    );
  }
  if (bytes.byteLength > maxArtifactBytes) {
    throw invalidArgument(
      'snapshot',
      `its artifact has ${bytes.byteLength} bytes; allowed are ${maxArtifactBytes} (--max-artifact-bytes)`,
    );
  }
  const found = await artifacts.put(bytes);
  if (found.sha256 !== sha256) {
    throw invalidArgument('snapshot', `the bytes of its artifact have sha256 ${found.sha256}, not ${sha256}`);
  }
}

async function findProgram(runtime: Runtime, definition: TaskDefinition): Promise<void> {
  const { artifact, ...rest } = definition;
  if (artifact.kind !== 'process') return;
  const draft: TaskDraft = {
    ...rest,
    source: { kind: 'path', path: artifact.path },
    sha256: artifact.sha256,
  };
  try {
    await runtime.resolve(draft, { progress: () => {}, signal: new AbortController().signal });
  } catch (error) {
    if (!(error instanceof RequestError) || error.kind !== 'invalid_argument') throw error;
    throw unavailable(`the program of the snapshot's task is not here: ${error.message}`, error);
  }
}

function unavailable(message: string, cause?: unknown): RequestError {
  return new RequestError('failed_precondition', message, { reason: 'ARTIFACT_UNAVAILABLE', cause });
}
