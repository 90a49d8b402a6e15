import { join } from 'node:path';
import { createIds } from '../actors/ids.ts';
import { systemClock } from '../actors/time/system-clock.ts';
import type { NodeConfig } from '../config.ts';
import { ownTurns, type SharedTurns } from '../domain/shared-turns.ts';
import { type Artifacts, openArtifacts } from '../stores/artifacts.ts';
import type { ClusterQueue } from '../stores/cluster-queue.ts';
import { type Membership, type NodeFacts, soloMembership } from '../stores/membership.ts';
import { readNodeId } from '../stores/node-id.ts';
import { noSharedChanges, type SharedChanges } from '../stores/shared-changes.ts';
import { claimFolder } from '../stores/sqlite/file/folder.ts';
import { openSqliteStore } from '../stores/sqlite/store.ts';
import type { Store } from '../stores/store.ts';
import { noteStore } from '../stores/store-place.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface OpenedStore {
  readonly kept: Store;
  readonly artifacts: Artifacts;
  readonly shared: SharedChanges;
  /** The same after a restart. */
  readonly nodeId: string;
  readonly membership: Membership;
  /** What waits for a node of the cluster; absent where there can be one node alone. */
  readonly queue?: ClusterQueue;
  readonly turns: SharedTurns;
}

/**
 * Opens what keeps executions and code. It is closed by `opened`. `lost` hears when other nodes have taken over what this
 * one had.
 */
export async function openStore(
  config: NodeConfig,
  logger: Logger,
  {
    given,
    address,
    lost,
  }: {
    readonly given: Store | undefined;
    /** Where other nodes reach this one; empty where they cannot. */
    readonly address: string;
    readonly lost: (error: Error) => void;
  },
  opened: AsyncDisposableStack,
): Promise<OpenedStore> {
  const { dataDir, engine } = config;
  const nodeId = (): Promise<string> => readNodeId(dataDir, () => createIds(systemClock)('node_'));
  const files = () => openArtifacts(join(dataDir, 'artifacts'));
  if (given === undefined && engine !== undefined) {
    const folder = await claimFolder(dataDir);
    opened.defer(() => folder.release());
    // Only here: nobody else needs the driver.
    const { openPostgresStore } = await import('../stores/postgres/store.ts');
    const name = await nodeId();
    const facts = factsOf(config, name, address);
    noteStore(dataDir, config.store);
    const { store, artifacts, shared, queue, turns, membership } = await openPostgresStore({
      address: engine,
      nodeId: name,
      facts,
      files: await files(),
      clock: systemClock,
      lost,
      fenced: (nodes) => logger.warn({ nodes }, 'took the right to write from nodes whose leases are over'),
    });
    opened.defer(() => store.close());
    logger.info({ name: facts.name, incarnation: membership.incarnation }, 'joined the cluster');
    return { kept: store, artifacts, shared, queue, turns, nodeId: name, membership };
  }
  const migrating = (rows: number, total: number): void =>
    logger.info({ rows, total }, 'bringing the database up to date');
  const kept = given ?? (await openSqliteStore({ dataDir, migrating }));
  opened.defer(() => kept.close());
  if (given === undefined) noteStore(dataDir, undefined);
  const name = await nodeId();
  const membership = soloMembership(name, factsOf(config, name, address));
  return {
    kept,
    artifacts: await files(),
    shared: noSharedChanges,
    turns: ownTurns,
    nodeId: name,
    membership,
  };
}

function factsOf(
  { nodeName, slots, labels, guestMemory: memory, guestProcessors: processors }: NodeConfig,
  nodeId: string,
  address: string,
): NodeFacts {
  const capacity = {
    slots,
    ...(Number.isFinite(memory) && { memory }),
    ...(Number.isFinite(processors) && { processors }),
  };
  return { name: nodeName === '' ? nodeId : nodeName, address, labels, capacity };
}
