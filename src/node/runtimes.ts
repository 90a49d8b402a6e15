/** Composes the three runtimes of a server, and the instances that they keep ready. */
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { IdSource } from '../actors/ids.ts';
import type { InstanceRegistry } from '../actors/instances/instance-registry.ts';
import { createWarmRuntime } from '../actors/instances/warm-runtime.ts';
import type { CatalogListener } from '../actors/tasks/task-catalog.ts';
import { type NodeConfig, secretVariable } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { RuntimeKind, Task } from '../domain/task.ts';
import { openDockerRuntime } from '../runtimes/docker/runtime.ts';
import { type Guarded, HostFolders } from '../runtimes/host-folders.ts';
import { openProcessRuntime } from '../runtimes/process/runtime.ts';
import type { Runtime } from '../runtimes/runtime.ts';
import { SecretStore } from '../runtimes/secrets/secret-store.ts';
import { holdsDescriptors } from '../runtimes/wasm/files/anchor.ts';
import { openHostLauncher } from '../runtimes/wasm/hosts/host-launcher.ts';
import { createWasmRuntime } from '../runtimes/wasm/runtime.ts';
import type { Artifacts } from '../stores/artifacts.ts';
import { openFetchedImages } from '../stores/fetched-images-file.ts';
import type { Store } from '../stores/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { mostKeptHosts } from './descriptors.ts';

export interface RuntimeParts {
  readonly nodeId: string;
  readonly artifacts: Artifacts;
  readonly registry: InstanceRegistry;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly hostAccess: boolean;
  /** Ports of the node itself, as far as they are known yet. */
  readonly ownPorts: ReadonlySet<number>;
  readonly logger: Logger;
  /** Instances of an earlier run of the node that `reattach` will be called for. */
  readonly spare: ReadonlySet<string>;
}

export type Runtimes = ReadonlyMap<RuntimeKind, Runtime>;

export function openSecrets({ secretsDir }: Pick<NodeConfig, 'secretsDir'>): SecretStore {
  return new SecretStore({ folder: secretsDir, variable: secretVariable });
}

export async function openRuntimes(config: NodeConfig, parts: RuntimeParts): Promise<Runtimes> {
  const { nodeId, artifacts, registry, clock, ids, hostAccess, ownPorts, logger, spare } = parts;
  const { unsafePreopens, maxScratchBytes: scratchBytes } = config;
  if (!holdsDescriptors) {
    logger.warn(
      { unsafePreopens },
      unsafePreopens
        ? 'there is no /proc here: wasm tasks may have preopens, and a guest that is set on it can leave them'
        : 'there is no /proc here: wasm tasks have no preopens without --unsafe-preopens',
    );
  }
  const guarded = guardedPlaces(config);
  const trusted = trustedFiles(config);
  const folders = new HostFolders([...guarded, ...trusted]);
  const secrets = openSecrets(config);
  const wasm = createWasmRuntime({
    unsafePreopens,
    loadArtifact: (sha256) => artifacts.load(sha256),
    saveArtifact: (bytes) => artifacts.put(bytes),
    maxArtifactBytes: config.maxArtifactBytes,
    allowPrivateHosts: config.allowPrivateArtifactHosts,
    cacheDir: join(config.dataDir, 'cache'),
    hosts: mostKeptHosts(Math.min(config.slots, 2 * availableParallelism())),
    maxHosts: config.slots,
    networkRules: () => ({ loopback: config.allowGuestLoopback, ownPorts: [...ownPorts] }),
    ...{ folders, secrets },
    launcher: await openHostLauncher({ nodeId, clock, logger }),
    instances: registry,
    clock,
    logger,
  });
  const [process, docker] = await Promise.all([
    openProcessRuntime({
      ...{ nodeId, clock, logger, hostAccess, scratchBytes },
      unconfined: config.allowHostAccess,
      hidden: guarded.map(({ path }) => path),
      trusted: trusted.map(({ path }) => path),
    }),
    openDockerRuntime({
      ...{ nodeId, host: config.dockerHost, clock, logger, hostAccess, scratchBytes, folders, spare },
      ownPorts: () => [...ownPorts],
      fetched: await openFetchedImages(config.dataDir),
    }),
  ]);
  const warm = { registry, clock, ids, logger, secrets };
  return new Map<RuntimeKind, Runtime>([
    ['wasm', wasm],
    ['process', createWarmRuntime(process, warm)],
    ['docker', createWarmRuntime(docker, warm)],
  ]);
}

/** What would give a function the rights of the node, or what others have put here. */
function guardedPlaces(config: NodeConfig): Guarded[] {
  const { dataDir, secretsDir, socketPath, notesDir, dockerHost, tlsKey, signingKey } = config;
  const engine = dockerHost.startsWith('unix://') ? dockerHost.slice('unix://'.length) : '';
  return configured([
    { path: dataDir, what: 'the data folder of the node' },
    { path: secretsDir, what: 'the folder of secrets' },
    { path: socketPath === '' ? '' : dirname(socketPath), what: 'the socket of the node' },
    { path: notesDir, what: 'the notes of where nodes are' },
    { path: engine, what: 'the socket of the container engine' },
    { path: tlsKey, what: 'the key of the certificate of the node' },
    { path: signingKey, what: 'the key that signs snapshots' },
  ]);
}

/** What would give a function the rights of the node if it could write there; no secret. */
function trustedFiles({ tlsCert, tlsClientCa, jwtJwks, trustedKey }: NodeConfig): Guarded[] {
  return configured([
    { path: tlsCert, what: 'the certificate of the node' },
    { path: tlsClientCa, what: 'the certificates of those who sign those of clients' },
    { path: jwtJwks.startsWith('https://') ? '' : jwtJwks, what: 'the keys of the issuer of tokens' },
    ...trustedKey.map((path) => ({ path, what: 'a key that snapshots are trusted by' })),
  ]);
}

function configured(places: readonly Guarded[]): Guarded[] {
  return places.filter(({ path }) => path !== '').map(({ path, what }) => ({ path: resolve(path), what }));
}

export async function closeRuntimes(runtimes: Runtimes): Promise<void> {
  await Promise.all([...runtimes.values()].map((runtime) => runtime.close()));
}

/** Keeps instances ready of what the plain name of each task goes to, and of nothing else; `newest` hears of each. */
export function keepWarm(runtimes: Runtimes, newest: (task: Task) => void): CatalogListener {
  return {
    registered: newest,
    serves(now, before) {
      const isAmong = (tasks: readonly Task[], { revision }: Task) =>
        tasks.some((task) => task.revision === revision);
      for (const { taskId, revision, definition } of before.filter((task) => !isAmong(now, task))) {
        runtimes.get(definition.runtime)?.cool(taskId, revision);
      }
      for (const task of now.filter((each) => !isAmong(before, each))) {
        const { taskId, revision, definition } = task;
        runtimes.get(definition.runtime)?.warm(taskId, revision, definition, task);
      }
    },
  };
}

const tasksAtATime = 500;

interface StoredTasks {
  readonly store: Store;
  readonly runtimes: Runtimes;
  /** What the plain name of a task goes to. */
  served(newest: Task): Promise<readonly Task[]>;
  /** Hears of each. */
  newest(task: Task): void;
}

/** Makes what is to be ready of the tasks that an earlier run of this node registered. */
export async function warmStored(stored: StoredTasks): Promise<void> {
  for (const tenant of await stored.store.taskTenants()) await warmTenant(tenant, stored);
}

async function warmTenant(tenant: string, { store, runtimes, served, newest }: StoredTasks): Promise<void> {
  let after = '';
  for (;;) {
    const tasks = await store.tasks(tenant, after, tasksAtATime);
    for (const task of tasks) {
      newest(task);
      for (const { taskId, revision, definition, tenant: owner } of await served(task)) {
        if (definition.warm.min === 0 && !definition.warm.startAhead) continue;
        const of = owner === undefined ? {} : { tenant: owner };
        runtimes.get(definition.runtime)?.warm(taskId, revision, definition, of);
      }
    }
    const last = tasks.at(-1);
    if (last === undefined) return;
    after = last.definition.name;
  }
}
