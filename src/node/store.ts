import { join } from 'node:path';
import { createIds } from '../actors/ids.ts';
import { systemClock } from '../actors/time/system-clock.ts';
import type { NodeConfig } from '../config.ts';
import { type Artifacts, openArtifacts } from '../stores/artifacts.ts';
import { readNodeId } from '../stores/node-id.ts';
import { claimFolder } from '../stores/sqlite/file/folder.ts';
import { openSqliteStore } from '../stores/sqlite/store.ts';
import { noSharedChanges, type SharedChanges } from '../stores/shared-changes.ts';
import type { Store } from '../stores/store.ts';
import { noteStore } from '../stores/store-place.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface OpenedStore {
  readonly kept: Store;
  readonly artifacts: Artifacts;
  readonly shared: SharedChanges;
  /** The same after a restart. */
  readonly nodeId: string;
}

/**
 * Opens what keeps executions and code. It is closed by `opened`. `lost` hears when other nodes have taken over what this
 * one had.
 */
export async function openStore(
  config: NodeConfig,
  logger: Logger,
  { given, lost }: { readonly given: Store | undefined; readonly lost: (error: Error) => void },
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
    noteStore(dataDir, config.store);
    const { store, artifacts, shared } = await openPostgresStore({
      address: engine,
      nodeId: name,
      files: await files(),
      clock: systemClock,
      lost,
    });
    opened.defer(() => store.close());
    return { kept: store, artifacts, shared, nodeId: name };
  }
  const migrating = (rows: number, total: number): void =>
    logger.info({ rows, total }, 'bringing the database up to date');
  const kept = given ?? (await openSqliteStore({ dataDir, migrating }));
  opened.defer(() => kept.close());
  if (given === undefined) noteStore(dataDir, undefined);
  return { kept, artifacts: await files(), shared: noSharedChanges, nodeId: await nodeId() };
}
