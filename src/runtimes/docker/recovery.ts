import { LaunchError, type LeftInstance } from '../runtime.ts';
import type { InstanceHost } from './ending/container-exit.ts';
import { Freezer } from './ending/freezer.ts';
import { EngineUnavailable } from './engine/connection.ts';
import { asEngineError } from './engine/engine-error.ts';
import { passedOrAborted } from './engine/waiting.ts';
import { ContainerInstance } from './instance.ts';
import { containerName, labels } from './launch/container-spec.ts';
import { clearAway } from './launch/launch.ts';
import { ContainerLog } from './log/container-log.ts';
import { ContainerNetwork } from './network/container-network.ts';

const inspectMs = 10_000;
/**
 * How long an engine that does not answer is waited for: one that starts again with many containers takes minutes. The
 * deadlines of the execution count meanwhile.
 */
const awayMs = 600_000;
const againMs = 500;

export interface RecoveryHost extends InstanceHost {
  readonly nodeId: string;
  /** The runtime is being closed: what was not found yet is left for the next run of the node. */
  readonly closing: AbortSignal;
}

/**
 * Finds a container that an earlier run of the node started: see InstanceRuntime.recover. Where the engine does not
 * answer for ten minutes, or `signal` is aborted meanwhile, the container is left to the reconciler, which removes it.
 */
export async function recoverContainer(
  host: RecoveryHost,
  left: LeftInstance,
  signal: AbortSignal,
): Promise<ContainerInstance | undefined> {
  const { clock, reconciler, closing } = host;
  const { instanceId } = left.launch;
  const until = clock.monotonic() + awayMs;
  // Before anything is awaited: what nobody asks for is swept soon after.
  reconciler.enter(instanceId);
  for (;;) {
    if (closing.aborted) {
      reconciler.keep(instanceId);
      throw new LaunchError('RUNTIME_UNAVAILABLE', 'the docker runtime was closed');
    }
    try {
      return await find(host, left);
    } catch (cause) {
      const error = asEngineError(cause);
      if (!isAway(cause)) {
        await clearAway(host, instanceId, true);
        const message = `the container could not be followed again: ${error.message}`;
        throw new LaunchError('INSTANCE_LOST', message, { cause: error });
      }
    }
    if (signal.aborted || clock.monotonic() >= until) break;
    await passedOrAborted(clock, againMs, AbortSignal.any([signal, closing]));
  }
  void reconciler.abandon(instanceId);
  signal.throwIfAborted();
  return undefined;
}

/** Whether the engine may answer later. */
function isAway(cause: unknown): boolean {
  if (cause instanceof LaunchError) return false;
  const error = asEngineError(cause);
  return cause instanceof EngineUnavailable || error.unreachable || error.unavailable;
}

async function find(host: RecoveryHost, left: LeftInstance): Promise<ContainerInstance | undefined> {
  const { connection, clock, reconciler, nodeId } = host;
  const { launch, position, paused } = left;
  const { instanceId, task } = launch;
  await connection.ready();
  try {
    const { Id, State, Config } = await connection.call(inspectMs, (docker) =>
      docker.getContainer(containerName(instanceId)).inspect(),
    );
    if (Config.Labels[labels.instance] !== instanceId || Config.Labels[labels.node] !== nodeId) {
      host.secrets?.remove(instanceId);
      reconciler.leave(instanceId);
      return undefined;
    }
    // One that never started, or that somebody is removing.
    if (!State.Running && State.Status !== 'exited') {
      await clearAway(host, instanceId, true);
      return undefined;
    }
    // The node may have stopped between a pause and the note of it.
    const freezer = new Freezer(connection, Id, State.Paused);
    if (!paused) await freezer.thaw();
    else if (State.Running) await freezer.freeze();
    const network = State.Running ? await reopenNetwork(host, Id, task.network) : undefined;
    try {
      const wire = await connection.wire();
      const { limits } = task;
      const streams = await ContainerLog.open({
        wire,
        clock,
        containerId: Id,
        limits,
        running: State.Running && !paused,
        position,
        withinMs: inspectMs,
      });
      return new ContainerInstance(host, launch, { containerId: Id, streams, freezer, position, network });
    } catch (error) {
      network?.close();
      throw error;
    }
  } catch (cause) {
    if (asEngineError(cause).status !== 404) throw cause;
    host.secrets?.remove(instanceId);
    reconciler.leave(instanceId);
    return undefined;
  }
}

/** The one that it had went with the earlier run of the node. */
async function reopenNetwork(
  { connection, proxy }: RecoveryHost,
  containerId: string,
  entries: readonly string[] | undefined,
): Promise<ContainerNetwork | undefined> {
  if (entries === undefined) return undefined;
  if (proxy === undefined) {
    throw new LaunchError('INSTANCE_LOST', 'this node can give it no proxy any more');
  }
  return ContainerNetwork.open({ connection, containerId, proxy, entries });
}
