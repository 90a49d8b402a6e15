import type { Clock } from '../../domain/clock.ts';
import { invalidArgument, quote, RequestError } from '../../domain/errors.ts';
import { hasSecretFiles } from '../../domain/secret.ts';
import type { Artifact, Limits, TaskDefinition } from '../../domain/task.ts';
import type { TaskDraft } from '../../domain/tasks.ts';
import { type Containment, closeContainment, makeContainment } from '../containment/containment.ts';
import { closing, inheritedDescriptors } from '../containment/launch/inherited-descriptors.ts';
import { Launcher } from '../containment/launch/launcher.ts';
import type { Identity } from '../containment/users/identity.ts';
import {
  type Fetching,
  type Instance,
  type InstanceRuntime,
  type Launch,
  LaunchError,
  type PreparedArtifact,
} from '../runtime.ts';
import { SecretFolders } from '../secrets/secret-folders.ts';
import { Digests } from './digest.ts';
import { Identities } from './identities.ts';
import type { ProcessInstance } from './instance.ts';
import { checkAbilities } from './limits-check.ts';
import { checkDigest, checkWorkingDirectory, findProgram } from './program.ts';
import { Starter } from './starter.ts';

interface ProcessLogger {
  warn(details: object, message: string): void;
}

export interface ProcessRuntimeOptions {
  /** Names the node's folders and cgroups on this machine; safe as a file name. */
  readonly nodeId: string;
  readonly clock: Clock;
  readonly logger?: ProcessLogger;
  /** Whether tasks may run programs of the host; a node that runs as root has to be told so. */
  readonly hostAccess: boolean;
  /** Whether they may where a node that is not root cannot keep them from its own files. */
  readonly unconfined?: boolean;
  /** Files and folders that give whoever gets at them the rights of the node. */
  readonly hidden?: readonly string[];
  /** Files that give whoever can write them the rights of the node. */
  readonly trusted?: readonly string[];
  /** Where the node's folder for running programs is made; absent means the system's. */
  readonly temporaryFolder?: string;
  /** What an instance may write to a folder of its own, in bytes; absent means what the disk has. */
  readonly scratchBytes?: number;
  /** The shell that starts programs; absent means /bin/sh. */
  readonly shell?: string;
  /** Not to use cgroups, though they could be made. */
  readonly withoutCgroups?: boolean;
}

/** Where files of secrets are, or why there can be none. */
type SecretPlace = SecretFolders | { readonly reason: string };

const defaultMemory = 128 * 1024 * 1024;
const defaultProcesses = 128;

/** Runs executables of the host. Ends what an earlier node of the same id has left; starts nothing yet. */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<InstanceRuntime> {
  if (!options.hostAccess) return new ProcessRuntime(options, hostAccessDenied);
  const secrets = SecretFolders.open(`spear-${options.nodeId}-process`, {
    passable: process.geteuid?.() === 0,
  });
  const containment = await containmentFor(options, secrets);
  if ('reason' in containment) return new ProcessRuntime(options, () => unavailable(containment.reason));
  const { confinement } = containment;
  if (confinement === undefined || !('reason' in confinement)) {
    return new ProcessRuntime(options, containment, secrets);
  }
  const { reason } = confinement;
  if (options.unconfined) {
    options.logger?.warn({ reason }, 'processes can read the node’s own files, and so take its rights');
    return new ProcessRuntime(options, containment, secrets);
  }
  options.logger?.warn(
    { reason },
    'no process tasks without --allow-host-access: they could read the node’s own files',
  );
  await closeContainment(containment);
  return new ProcessRuntime(options, () => notConfined(reason));
}

/** A node that cannot run processes can do all else. */
async function containmentFor(
  options: ProcessRuntimeOptions,
  secrets: SecretPlace,
): ReturnType<typeof makeContainment> {
  const inherited = inheritedDescriptors();
  const wrapper = closing(inherited);
  if (wrapper === undefined) {
    options.logger?.warn(
      { descriptors: inherited },
      'programs get descriptors that the node was started with; install bash, or start it without them',
    );
  }
  try {
    const shownFolder = secrets instanceof SecretFolders ? secrets.path : undefined;
    const hidden = options.hidden ?? [];
    return await makeContainment({ ...options, hidden, walled: true, shownFolder, wrapper: wrapper ?? [] });
  } catch (error) {
    options.logger?.warn({ err: error }, 'processes cannot be run here');
    return { reason: error instanceof Error ? error.message : 'the system refused it' };
  }
}

class ProcessRuntime implements InstanceRuntime {
  readonly kind = 'process';
  readonly capabilities = { reattach: false, pause: false, stdin: true, typedFunctions: false };
  readonly defaultLimits: Partial<Limits>;
  readonly #usable: Containment | (() => RequestError);
  readonly #secrets: SecretPlace;
  readonly #starter: Starter | undefined;
  readonly #identities = new Identities({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });
  readonly #digests = new Digests();
  #closed: Promise<void> | undefined;
  readonly #launching = new Set<Promise<Instance>>();
  readonly #instances = new Set<ProcessInstance>();

  /** `usable` is what it works with, or makes the reason why it cannot. */
  constructor(
    options: ProcessRuntimeOptions,
    usable: Containment | (() => RequestError),
    secrets: SecretPlace = { reason: '' },
  ) {
    this.#usable = usable;
    this.#secrets = secrets;
    if (typeof usable === 'function') {
      this.defaultLimits = {};
      return;
    }
    const { holds } = usable.cells;
    this.defaultLimits = {
      ...(holds.memory && { memory: defaultMemory }),
      ...(holds.processes && { processes: defaultProcesses }),
    };
    const folders = secrets instanceof SecretFolders ? { secrets } : {};
    this.#starter = new Starter(usable, new Launcher(options.shell), { ...options, ...folders });
  }

  async resolve(draft: TaskDraft, { signal }: Fetching): Promise<Artifact> {
    this.#requireUsable();
    const identity = this.#identities.find(draft.user);
    return findProgram(draft, identity, this.#digests, signal);
  }

  async prepare(task: TaskDefinition): Promise<PreparedArtifact> {
    const { cells, spawner } = this.#requireUsable();
    try {
      spawner.warm();
    } catch (error) {
      throw noSpawner(error);
    }
    if (task.artifact.kind !== 'process') {
      throw invalidArgument(
        'definition.artifact',
        `a process task cannot have a ${task.artifact.kind} artifact`,
      );
    }
    checkWorkingDirectory(task, this.#identities.find(task.user));
    this.#checkSeen(task.workingDirectory);
    checkAbilities(task, cells.holds);
    checkSecrets(task, this.#secrets);
    return { functions: [{ name: '', parameters: [], result: '', reason: '' }], wit: '' };
  }

  async launch(launch: Launch, signal: AbortSignal): Promise<Instance> {
    const launching = this.#launch(launch, signal);
    this.#launching.add(launching);
    try {
      return await launching;
    } finally {
      this.#launching.delete(launching);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#launching);
    await Promise.all(Array.from(this.#instances, (instance) => instance.close()));
    if (typeof this.#usable === 'function') return;
    this.#starter?.close();
    await closeContainment(this.#usable);
    this.#starter?.giveUpUsers();
    if (this.#secrets instanceof SecretFolders) this.#secrets.close();
  }

  async #launch(launch: Launch, signal: AbortSignal): Promise<Instance> {
    const { artifact, user } = launch.task;
    signal.throwIfAborted();
    if (this.#starter === undefined || artifact.kind !== 'process') {
      throw new LaunchError('RUNTIME_UNAVAILABLE', 'this node cannot run processes now');
    }
    const checking = checkDigest(artifact, this.#digests, signal);
    if (checking !== undefined) await checking;
    signal.throwIfAborted();
    if (this.#closed !== undefined) {
      throw new LaunchError('RUNTIME_UNAVAILABLE', 'the node stops, and starts no more programs');
    }
    const instance = await this.#starter.start(launch, artifact.path, this.#identityFor(user));
    this.#instances.add(instance);
    void instance.gone.then(() => this.#instances.delete(instance));
    return instance;
  }

  /** The user was there at registration. */
  #identityFor(user: string): Identity {
    try {
      return this.#identities.find(user);
    } catch (error) {
      if (error instanceof RequestError)
        throw new LaunchError('START_FAILED', error.message, { cause: error });
      throw error;
    }
  }

  #checkSeen(workingDirectory: string): void {
    const { confinement } = this.#requireUsable();
    if (confinement === undefined || 'reason' in confinement || !confinement.hides(workingDirectory)) return;
    throw invalidArgument(
      'definition.working_directory',
      `${quote(workingDirectory)} is in a folder of the node's own, which no program sees; allowed are others`,
    );
  }

  #requireUsable(): Containment {
    if (typeof this.#usable === 'function') throw this.#usable();
    return this.#usable;
  }
}

function checkSecrets({ secrets }: TaskDefinition, place: SecretPlace): void {
  if (!('reason' in place) || !hasSecretFiles(secrets)) return;
  throw invalidArgument(
    'definition.secrets',
    `this node has no place in memory for files of secrets (${place.reason}); allowed is env:KEY`,
  );
}

function hostAccessDenied(): RequestError {
  return new RequestError(
    'failed_precondition',
    'definition.runtime: this node runs as root and gives no access to the host, which a process needs; start it with --allow-host-access, or as another user',
    {
      reason: 'HOST_ACCESS_NOT_ALLOWED',
      violations: [{ field: 'definition.runtime', description: 'allowed is wasm or docker' }],
    },
  );
}

function notConfined(reason: string): RequestError {
  return new RequestError(
    'failed_precondition',
    `definition.runtime: this node cannot keep a process from its own files, and so from its administrator's token: ${reason}. Start it with --allow-host-access to run processes all the same`,
    {
      reason: 'HOST_ACCESS_NOT_ALLOWED',
      violations: [{ field: 'definition.runtime', description: 'allowed is wasm or docker' }],
    },
  );
}

function unavailable(reason: string): RequestError {
  return new RequestError(
    'unavailable',
    `this node cannot run processes, because it could not end all that they start: ${reason}. Start it as root, in a cgroup that is delegated to its user, or where unshare can make user namespaces`,
    { reason: 'RUNTIME_UNAVAILABLE', metadata: { runtime: 'process' } },
  );
}

function noSpawner(cause: unknown): RequestError {
  const why = cause instanceof Error ? cause.message : 'the system refused it';
  return new RequestError(
    'unavailable',
    `this node cannot start another process now: ${why}; try again later`,
    {
      reason: 'RUNTIME_UNAVAILABLE',
      metadata: { runtime: 'process' },
    },
  );
}
