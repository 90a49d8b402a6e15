import Docker from 'dockerode';
import { createIds } from '../../../src/actors/ids.ts';
import { InstanceRegistry } from '../../../src/actors/instances/instance-registry.ts';
import { createWarmRuntime } from '../../../src/actors/instances/warm-runtime.ts';
import { systemClock } from '../../../src/actors/time/system-clock.ts';
import type { ContainerSettings, TaskDefinition } from '../../../src/domain/task.ts';
import { type DockerRuntimeOptions, openDockerRuntime } from '../../../src/runtimes/docker/runtime.ts';
import type { InstanceRuntime, Launch, Runtime } from '../../../src/runtimes/runtime.ts';
import { dockerSocket, makeTestImage, testImage } from '../../support/docker-image.ts';
import { noRetry } from '../../support/samples.ts';

const MiB = 1024 * 1024;

export const docker = new Docker({ socketPath: dockerSocket });

/** Makes the test image where it is missing, and tells its id. */
export async function testImageId(): Promise<string> {
  await makeTestImage();
  const { Id } = await docker.getImage(testImage).inspect();
  return Id.replace('sha256:', '');
}

const closed: ContainerSettings = {
  command: [],
  pull: 'never',
  network: 'bridge',
  writableRoot: false,
  capabilities: [],
  tmpfsSize: 16 * MiB,
  allowNewPrivileges: false,
};

type Differences = Partial<Omit<TaskDefinition, 'container'>> & {
  readonly container?: Partial<ContainerSettings>;
};

/** A task that runs `command` in the test image. */
export function taskOf(imageId: string, command: readonly string[], more: Differences = {}): TaskDefinition {
  return {
    name: command[0] ?? 'task',
    description: '',
    runtime: 'docker',
    artifact: { kind: 'docker', image: testImage, imageId },
    args: [],
    environment: {},
    preopens: {},
    allowNetwork: false,
    timeouts: {},
    graceMs: 5000,
    retry: noRetry,
    instancePolicy: 'fresh',
    user: '',
    workingDirectory: '',
    warm: { min: 0, max: 0, idleTimeoutMs: 0, startAhead: false },
    ...more,
    limits: {
      memory: 64 * MiB,
      cpu: 1,
      processes: 32,
      maxOutputBytes: 64 * MiB,
      maxOutputEvents: 100_000,
      ...more.limits,
    },
    container: { ...closed, command, ...more.container },
  };
}

let nodes = 0;

/** A node id of this test alone: runtimes remove what they do not know of their own node. */
export function newNodeId(): string {
  nodes += 1;
  return `test-${process.pid}-${nodes}`;
}

export function openRuntime(options: Partial<DockerRuntimeOptions> = {}): Promise<InstanceRuntime> {
  return openDockerRuntime({
    nodeId: newNodeId(),
    host: dockerSocket,
    clock: systemClock,
    hostAccess: false,
    ...options,
  });
}

const ids = createIds(systemClock);

/** A launch as for an execution without args and environment of its own. */
export function launchOf(task: TaskDefinition, more: Partial<Launch> = {}): Launch {
  return {
    instanceId: ids('inst_'),
    taskId: `task_${task.name}`,
    revision: 1,
    task,
    args: [],
    environment: {},
    ...more,
  };
}

/** Every attempt in an instance that is launched for it. */
export function coldRuntime(runtime: InstanceRuntime): Runtime {
  return createWarmRuntime(runtime, { registry: new InstanceRegistry(systemClock), clock: systemClock, ids });
}

/** The containers that an engine has of a node, running or not. */
export async function containersOf(nodeId: string, engine = docker): Promise<string[]> {
  const filters = { label: [`spear.node=${nodeId}`] };
  return (await engine.listContainers({ all: true, filters })).map(({ Id }) => Id);
}
