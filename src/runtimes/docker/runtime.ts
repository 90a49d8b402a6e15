import type { Clock } from '../../domain/clock.ts';
import { invalidArgument, quote, RequestError } from '../../domain/errors.ts';
import { hasSecretFiles } from '../../domain/secret.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import { findCommand } from '../containment/command.ts';
import type { HostFolders } from '../host-folders.ts';
import type { InstanceRuntime, PreparedArtifact } from '../runtime.ts';
import { LaunchError } from '../runtime.ts';
import { SecretFolders } from '../secrets/secret-folders.ts';
import { isOwnEngine } from './engine/address.ts';
import {
  type DockerLogger,
  EngineConnection,
  type EngineFacts,
  EngineUnavailable,
} from './engine/connection.ts';
import { asEngineError } from './engine/engine-error.ts';
import { within } from './engine/waiting.ts';
import { everybodysImages, type FetchedImages } from './images/fetched-images.ts';
import { resolveImage, unobtainable } from './images/image.ts';
import { ImageCache } from './images/image-cache.ts';
import type { ContainerInstance } from './instance.ts';
import { checkContained, checkDefinition, defaultLimits } from './launch/definition-check.ts';
import { launchContainer } from './launch/launch.ts';
import type { ProxyTools } from './network/container-network.ts';
import { findStartGate } from './network/start-gate.ts';
import { Reconciler } from './reconciler.ts';
import { recoverContainer } from './recovery.ts';

const inspectMs = 10_000;
/** How long the opening waits for the containers of an earlier run to be removed. */
const firstSweepMs = 5000;

export interface DockerRuntimeOptions {
  /** Containers with this node's label and unknown to it are removed: no two nodes of an engine may share it. */
  readonly nodeId: string;
  /** A socket's path, `unix://PATH` or `tcp://HOST:PORT`. */
  readonly host: string;
  readonly clock: Clock;
  readonly logger?: DockerLogger;
  /** Tasks may use folders and the network of the host. */
  readonly hostAccess: boolean;
  /** Ports of the node itself, which no container with a network list reaches; absent means none. */
  readonly ownPorts?: () => readonly number[];
  /** Which folders tasks may have; absent means any. */
  readonly folders?: HostFolders;
  /** What a container may write to its root file system, in bytes; absent means what the disk has. */
  readonly scratchBytes?: number;
  /** Whose images are that the engine has; absent means everybody's. */
  readonly fetched?: FetchedImages;
  /** Between two looks at what the engine has of this node. */
  readonly reconcileMs?: number;
  /** Instances of an earlier run of the node that `recover` will be called for: they are left alone until then. */
  readonly spare?: ReadonlySet<string>;
}

/**
 * Runs each execution in a container of its own. Never rejects: without an engine, what needs one is refused as
 * unavailable, and it is looked for again whenever someone needs it.
 */
export async function openDockerRuntime(options: DockerRuntimeOptions): Promise<InstanceRuntime> {
  const { nodeId, host, clock, logger, hostAccess, scratchBytes, folders } = options;
  const { fetched = everybodysImages } = options;
  const connection = new EngineConnection({
    host,
    clock,
    logger,
    onAvailable: () => void reconciler.sweep(),
  });
  const everyMs = options.reconcileMs ?? 60_000;
  const spare = options.spare ?? new Set<string>();
  const reconciler = new Reconciler({ connection, clock, logger, nodeId, everyMs, spare });
  const images = new ImageCache(connection);
  const proxy = proxyTools(options);
  const place = SecretFolders.open(`spear-${nodeId}-docker`, { spare });
  const secrets = place instanceof SecretFolders ? place : undefined;
  const instances = new Set<ContainerInstance>();
  const starting = new Set<Promise<unknown>>();
  const closing = new AbortController();

  async function engine(): Promise<EngineFacts> {
    try {
      return await connection.ready();
    } catch (error) {
      throw unavailable(error);
    }
  }

  async function checkNetwork(task: TaskDefinition): Promise<void> {
    const network = task.container?.network ?? '';
    if (!task.allowNetwork || task.network !== undefined) return;
    const field = 'definition.container.network';
    if (network === 'host' && !hostAccess) {
      throw invalidArgument(field, 'the network of the host needs a node with --allow-host-access');
    }
    try {
      await connection.call(inspectMs, (docker) => docker.getNetwork(network).inspect());
    } catch (cause) {
      if (asEngineError(cause).status === 404)
        throw invalidArgument(field, `the engine has no network ${quote(network)}`);
      throw unavailable(cause);
    }
  }

  async function checkImage({ artifact, args, container }: TaskDefinition, tenant?: string): Promise<void> {
    if (artifact.kind !== 'docker')
      throw invalidArgument('definition.artifact', 'a docker task runs an image');
    const image = await images.look(artifact.imageId).catch((cause: unknown) => {
      throw unavailable(cause);
    });
    if (image === undefined || (tenant !== undefined && !fetched.isFor(tenant, image.imageId)))
      throw unobtainable(artifact.image, `the engine no longer has id ${artifact.imageId}`);
    const { entrypoint, command } = image;
    if (
      entrypoint.length + command.length === 0 &&
      args.length === 0 &&
      (container?.command ?? []).length === 0
    ) {
      throw invalidArgument(
        'definition.container.command',
        'the image names no program to run, so the task must',
      );
    }
  }

  /** Takes note of what is started, so that closing ends it. */
  async function note<T extends ContainerInstance | undefined>(start: Promise<T>): Promise<T> {
    starting.add(start);
    try {
      const instance = await start;
      if (instance !== undefined) {
        instances.add(instance);
        void instance.gone.then(() => instances.delete(instance));
      }
      return instance;
    } finally {
      starting.delete(start);
    }
  }

  if (
    await connection.ready().then(
      () => true,
      () => false,
    )
  ) {
    await within(clock, firstSweepMs, reconciler.sweep());
  }
  reconciler.start();

  return {
    kind: 'docker',
    capabilities: { reattach: true, pause: true, stdin: true, typedFunctions: false },
    get defaultLimits() {
      return defaultLimits(connection.facts);
    },
    async resolve(draft, fetching) {
      await engine();
      return resolveImage({ connection, logger, fetched }, draft, fetching);
    },
    async prepare(task, tenant): Promise<PreparedArtifact> {
      checkDefinition(task, await engine());
      if (!hostAccess) checkContained(task);
      folders?.check(task);
      checkSecrets(task, place, host);
      if (task.network !== undefined && 'reason' in proxy)
        throw invalidArgument('definition.network', proxy.reason);
      await Promise.all([checkNetwork(task), checkImage(task, tenant)]);
      return { functions: [{ name: '', parameters: [], result: '', reason: '' }], wit: '' };
    },
    async launch(launch, signal) {
      if (closing.signal.aborted)
        throw new LaunchError('RUNTIME_UNAVAILABLE', 'the docker runtime is closed');
      const refused = folders?.refusal(launch.task.preopens);
      if (refused !== undefined) throw new LaunchError('START_FAILED', refused.reason);
      const ended = AbortSignal.any([signal, closing.signal]);
      try {
        return await note(
          launchContainer(
            { connection, reconciler, clock, scratchBytes, nodeId, images, secrets, ...withTools(proxy) },
            launch,
            ended,
          ),
        );
      } catch (error) {
        if (closing.signal.aborted && !signal.aborted) {
          throw new LaunchError('RUNTIME_UNAVAILABLE', 'the docker runtime was closed', { cause: error });
        }
        throw error;
      }
    },
    endRecovery() {
      reconciler.endSparing();
    },
    async recover(left, signal) {
      const host = {
        ...{ connection, reconciler, clock, scratchBytes, nodeId, secrets, ...withTools(proxy) },
        closing: closing.signal,
      };
      return note(recoverContainer(host, left, signal));
    },
    async close() {
      closing.abort();
      await Promise.allSettled(starting);
      await Promise.all([...instances].map((instance) => instance.end()));
      await reconciler.close();
      connection.close();
      secrets?.close();
    },
  };
}

/** What this node can give containers a proxy with, or why it cannot. */
function proxyTools({
  host,
  ownPorts = () => [],
}: DockerRuntimeOptions): ProxyTools | { readonly reason: string } {
  const cannot = (why: string) => ({
    reason: `a container cannot be held to a list here: ${why}; allowed is none, or allow_network with a network of the engine`,
  });
  if (!isOwnEngine(host)) return cannot('the engine may be on another machine');
  if (process.geteuid?.() !== 0) return cannot('the node does not run as root, and cannot enter its network');
  const nsenter = findCommand('nsenter');
  if (nsenter === undefined) return cannot('nsenter of util-linux is not installed');
  try {
    return { nsenter, gate: findStartGate(), ownPorts };
  } catch (error) {
    return cannot(error instanceof Error ? error.message : 'the shell of this machine cannot be used');
  }
}

function withTools(proxy: ProxyTools | { readonly reason: string }): { readonly proxy?: ProxyTools } {
  return 'reason' in proxy ? {} : { proxy };
}

/** Files of secrets are in the memory of the node's machine, and never on a disk. */
function checkSecrets(
  { secrets }: TaskDefinition,
  place: SecretFolders | { readonly reason: string },
  host: string,
): void {
  if (!hasSecretFiles(secrets)) return;
  const why = isOwnEngine(host)
    ? 'reason' in place && `there is no place in memory for files of secrets (${place.reason})`
    : 'the engine may be on another machine, where the node can make no files of secrets';
  if (why) throw invalidArgument('definition.secrets', `${why}; allowed is env:KEY`);
}

function unavailable(cause: unknown): RequestError {
  const message =
    cause instanceof EngineUnavailable
      ? cause.message
      : `the docker engine did not do it: ${asEngineError(cause).message}`;
  return new RequestError('unavailable', message, {
    reason: 'RUNTIME_UNAVAILABLE',
    metadata: { runtime: 'docker' },
    cause,
  });
}
