import type { TaskDefinition } from '../../../domain/task.ts';
import { type Launch, LaunchError, noSecrets } from '../../runtime.ts';
import type { SecretOwner } from '../../secrets/secret-folders.ts';
import type { InstanceHost } from '../ending/container-exit.ts';
import { Freezer } from '../ending/freezer.ts';
import { removeContainer } from '../ending/removal.ts';
import { attachTo } from '../engine/attached.ts';
import { EngineUnavailable } from '../engine/connection.ts';
import { asEngineError, type EngineError } from '../engine/engine-error.ts';
import type { ContainerStreams } from '../engine/streams.ts';
import type { ImageCache } from '../images/image-cache.ts';
import { ContainerInstance } from '../instance.ts';
import { ContainerNetwork } from '../network/container-network.ts';
import { gateLine } from '../network/start-gate.ts';
import { containerName, containerSpec, unprivileged } from './container-spec.ts';

/** A busy engine may take long; one that takes longer is no longer waited for. */
const createMs = 60_000;
const startMs = 120_000;

export interface LaunchHost extends InstanceHost {
  readonly nodeId: string;
  readonly images: ImageCache;
}

/** Makes a container, attaches to it and starts it: see InstanceRuntime.launch. */
export async function launchContainer(
  host: LaunchHost,
  launch: Launch,
  signal: AbortSignal,
): Promise<ContainerInstance> {
  signal.throwIfAborted();
  const { connection, reconciler } = host;
  reconciler.enter(launch.instanceId);
  let streams: ContainerStreams | undefined;
  let network: ContainerNetwork | undefined;
  let made = false;
  let id: string | undefined;
  try {
    await connection.ready();
    signal.throwIfAborted();
    made = true;
    const containerId = await create(host, launch);
    id = containerId;
    signal.throwIfAborted();
    streams = await attachTo(await connection.wire(), containerId);
    signal.throwIfAborted();
    if (launch.task.limits.memory !== undefined)
      connection.facts?.sockets.limit(containerId, launch.task.limits.memory);
    await connection.call(
      startMs,
      (docker, abortSignal) => docker.getContainer(containerId).start({ abortSignal }),
      signal,
    );
    signal.throwIfAborted();
    const freezer = new Freezer(connection, containerId);
    network = await networkOf(host, launch.task, containerId, streams);
    signal.throwIfAborted();
    return new ContainerInstance(host, launch, { containerId, streams, freezer, network });
  } catch (error) {
    network?.close();
    streams?.close();
    await clearAway(host, launch.instanceId, made);
    if (id !== undefined) connection.facts?.sockets.forget(id);
    signal.throwIfAborted();
    throw launchErrorOf(error);
  }
}

/** Its program waits for it, and begins then. */
async function networkOf(
  { connection, proxy }: LaunchHost,
  { network: entries }: TaskDefinition,
  containerId: string,
  streams: ContainerStreams,
): Promise<ContainerNetwork | undefined> {
  if (entries === undefined || proxy === undefined) return undefined;
  const network = await ContainerNetwork.open({ connection, containerId, proxy, entries });
  streams.begin?.(gateLine);
  return network;
}

async function create(host: LaunchHost, launch: Launch): Promise<string> {
  const { artifact } = launch.task;
  if (artifact.kind !== 'docker') throw new Error(`a ${artifact.kind} artifact in a docker task`);
  const image = await host.images.facts(artifact.imageId);
  if (image === undefined) throw imageMissing(artifact.image);
  const { instanceId, secrets = noSecrets, task } = launch;
  const secretsPath = host.secrets?.write(instanceId, secrets, ownerOf(task.user));
  const gate = task.network === undefined ? undefined : host.proxy?.gate;
  if (task.network !== undefined && gate === undefined) {
    throw new LaunchError('START_FAILED', 'this node can hold no container to a network list');
  }
  const spec = containerSpec(launch, host.nodeId, image, { secretsPath, gate });
  try {
    const container = await host.connection.call(createMs, (docker) => docker.createContainer(spec));
    return container.id;
  } catch (cause) {
    if (asEngineError(cause).status !== 404) throw cause;
    host.images.forget(artifact.imageId);
    throw imageMissing(artifact.image);
  }
}

/** Whose files in the container are; undefined where that is not known here, or not to be given by this node. */
function ownerOf(user: string): SecretOwner | undefined {
  const numbers = /^(\d+)(?::(\d+))?$/.exec(user === '' ? unprivileged : user);
  if (process.geteuid?.() !== 0 || numbers === null) return undefined;
  return { uid: Number(numbers[1]), gid: Number(numbers[2] ?? 0) };
}

function imageMissing(image: string): LaunchError {
  return new LaunchError(
    'ARTIFACT_UNAVAILABLE',
    `the engine no longer has image ${image}; register the task again`,
  );
}

/** By its name: where the engine did not answer to the creation, nobody knows the id. */
export async function clearAway(host: InstanceHost, instanceId: string, made: boolean): Promise<void> {
  const { connection, clock, reconciler, secrets } = host;
  secrets?.remove(instanceId);
  const removed = !made || (await removeContainer(connection, clock, containerName(instanceId)));
  if (removed) reconciler.leave(instanceId);
  else void reconciler.abandon(instanceId);
}

function launchErrorOf(cause: unknown): LaunchError {
  if (cause instanceof LaunchError) return cause;
  if (cause instanceof EngineUnavailable) {
    return new LaunchError('RUNTIME_UNAVAILABLE', cause.message, { cause });
  }
  const error: EngineError = asEngineError(cause);
  const code = error.unreachable ? 'RUNTIME_UNAVAILABLE' : 'START_FAILED';
  return new LaunchError(code, `the container could not be started: ${error.message}`, { cause: error });
}
