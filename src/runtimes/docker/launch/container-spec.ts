import type { ContainerCreateOptions, HostConfig, MountSettings } from 'dockerode';
import { secretsFolder, secretsVariable } from '../../../domain/secret.ts';
import type { Limits, TaskDefinition } from '../../../domain/task.ts';
import { type Launch, noSecrets } from '../../runtime.ts';
import { secretVariables } from '../../secrets/secret-variables.ts';

import type { ImageFacts } from '../images/image.ts';
import { proxyVariables } from '../network/container-network.ts';
import type { StartGate } from '../network/start-gate.ts';

/** nobody, by number: an image needs no /etc/passwd for it. */
export const unprivileged = '65534:65534';

/** The engine's own init takes one place in the container. */
const initProcesses = 1;

/** What an entry of the `local` log driver, which is a line of output or 16 KiB of one, takes beside it, at most. */
export const entryBytes = 30;

const logFactor = 4;
const logSlack = 1024 * 1024;

/**
 * What of its log a container may fill, in bytes with those of `entryBytes`. The log is what a node that comes back
 * will read, and a full one drops its beginning. 4 × holds lines of 10 bytes.
 */
export function logCapacity({ maxOutputBytes }: Limits): number {
  return maxOutputBytes * logFactor + logSlack;
}

export const labels = {
  node: 'spear.node',
  task: 'spear.task',
  revision: 'spear.revision',
  instance: 'spear.instance',
} as const;

export function containerName(instanceId: string): string {
  return `spear-${instanceId.toLowerCase().replaceAll(/[^a-z0-9_.-]/g, '-')}`;
}

/** What a container gets beside what its task says. */
interface Additions {
  /** A folder of the host with the files of its secrets. */
  readonly secretsPath?: string | undefined;
  /** What its program waits at for its network. */
  readonly gate?: StartGate | undefined;
}

/** A container as closed as its task lets it be. */
export function containerSpec(
  launch: Launch,
  nodeId: string,
  image: Pick<ImageFacts, 'entrypoint' | 'command' | 'volumes'>,
  { secretsPath, gate }: Additions = {},
): ContainerCreateOptions {
  const { task, secrets = noSecrets } = launch;
  if (task.artifact.kind !== 'docker') throw new Error(`a ${task.artifact.kind} artifact in a docker task`);
  return {
    name: containerName(launch.instanceId),
    Image: `sha256:${task.artifact.imageId}`,
    ...(gate === undefined
      ? commandOf(task, launch.args)
      : gatedCommand(gate, image, commandOf(task, launch.args))),
    Env: Object.entries({
      ...task.environment,
      ...launch.environment,
      ...secretVariables(secrets.values.filter(({ asVariable }) => asVariable)),
      ...(secretsPath !== undefined && { [secretsVariable]: secretsFolder }),
      ...(task.network !== undefined && proxyVariables),
    }).map(([name, value]) => `${name}=${value}`),
    ...(task.workingDirectory === '' ? {} : { WorkingDir: task.workingDirectory }),
    User: task.user === '' ? unprivileged : task.user,
    Labels: {
      [labels.node]: nodeId,
      [labels.task]: launch.taskId,
      [labels.revision]: String(launch.revision),
      [labels.instance]: launch.instanceId,
    },
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    // A check is another process that nobody asked for.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: hostConfig(task, image.volumes, [
      ...(secretsPath === undefined ? [] : [{ ...bind(secretsFolder, secretsPath), ReadOnly: true }]),
      ...(gate?.mounts ?? []),
    ]),
  };
}

function commandOf(
  task: TaskDefinition,
  launchArgs: readonly string[],
): Pick<ContainerCreateOptions, 'Entrypoint' | 'Cmd'> {
  const args = [...task.args, ...launchArgs];
  const command = task.container?.command ?? [];
  if (command.length > 0) return { Entrypoint: [...command], Cmd: args };
  return args.length > 0 ? { Cmd: args } : {};
}

/** The engine does not add what the image runs where it is told another entrypoint. */
function gatedCommand(
  gate: StartGate,
  image: Pick<ImageFacts, 'entrypoint' | 'command'>,
  { Entrypoint, Cmd }: Pick<ContainerCreateOptions, 'Entrypoint' | 'Cmd'>,
): Pick<ContainerCreateOptions, 'Entrypoint' | 'Cmd'> {
  const entrypoint = Entrypoint === undefined ? image.entrypoint : [Entrypoint].flat();
  return { Entrypoint: [...gate.entrypoint], Cmd: [...entrypoint, ...(Cmd ?? image.command)] };
}

function hostConfig(
  task: TaskDefinition,
  volumes: readonly string[],
  additions: readonly MountSettings[],
): HostConfig {
  const { container, limits } = task;
  const tmpfsSize = container?.tmpfsSize ?? 0;
  // Else an image's volumes would be folders of the host, writable and without a bound.
  const writable = container?.writableRoot === true ? ['/tmp'] : ['/tmp', ...volumes];
  const taken = new Set(Object.keys(task.preopens));
  const tmpfs = writable.filter((path) => !taken.has(path));
  return {
    Init: true,
    AutoRemove: false,
    RestartPolicy: { Name: 'no' },
    // What a list has is reached another way.
    NetworkMode: task.allowNetwork && task.network === undefined ? (container?.network ?? 'none') : 'none',
    IpcMode: 'private',
    ReadonlyRootfs: container?.writableRoot !== true,
    // A tmpfs of size 0 would have no bound at all.
    Tmpfs: tmpfsSize > 0 ? Object.fromEntries(tmpfs.map((path) => [path, tmpfsOptions(tmpfsSize)])) : {},
    Mounts: [...Object.entries(task.preopens).map(([guest, host]) => bind(guest, host)), ...additions],
    CapDrop: ['ALL'],
    CapAdd: [...(container?.capabilities ?? [])],
    SecurityOpt: container?.allowNewPrivileges === true ? [] : ['no-new-privileges'],
    LogConfig: {
      Type: 'local',
      Config: {
        'max-size': String(logCapacity(limits) + logSlack),
        'max-file': '2',
        compress: 'false',
      },
    },
    ...resources(limits),
  };
}

function tmpfsOptions(size: number): string {
  return `size=${size},mode=1777,nosuid,nodev,noexec`;
}

/** As a mount, not a bind: that would make a missing folder of the host, as root. */
function bind(guest: string, host: string): MountSettings {
  return {
    Type: 'bind',
    Source: host,
    Target: guest,
    ReadOnly: false,
    BindOptions: { Propagation: 'rprivate' },
  };
}

function resources(limits: Limits): HostConfig {
  const { memory, cpu, processes } = limits;
  return {
    ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }),
    ...(cpu === undefined ? {} : { NanoCpus: Math.round(cpu * 1e9) }),
    ...(processes === undefined ? {} : { PidsLimit: processes + initProcesses }),
    Ulimits: ulimits(limits),
  };
}

interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

function ulimits({ cpuTimeMs, openFiles, fileSize }: Limits): Ulimit[] {
  const list: Ulimit[] = [{ Name: 'core', Soft: 0, Hard: 0 }];
  if (openFiles !== undefined) list.push({ Name: 'nofile', Soft: openFiles, Hard: openFiles });
  if (fileSize !== undefined) list.push({ Name: 'fsize', Soft: fileSize, Hard: fileSize });
  if (cpuTimeMs !== undefined) {
    const seconds = Math.ceil(cpuTimeMs / 1000);
    // At the hard limit the kernel kills, which would look like any other kill; at the soft one it says why.
    list.push({ Name: 'cpu', Soft: seconds, Hard: seconds + 1 });
  }
  return list;
}
