import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { type EngineAddress, readEngineAddress } from '../../src/domain/engine-address.ts';
import { openArtifacts } from '../../src/stores/artifacts.ts';
import type { NodeFacts } from '../../src/stores/membership.ts';
import { openPostgresStore, type PostgresStoreParts } from '../../src/stores/postgres/store.ts';
import { temporaryFolder } from './folder.ts';

/** Opens a store there, as a node of that name; it is closed when the test has finished. */
export async function openOn(
  url: string,
  nodeId = 'node_1',
  lost?: (error: Error) => void,
  facts: NodeFacts = { name: nodeId, address: '', labels: {}, capacity: {} },
): Promise<PostgresStoreParts> {
  const opened = await openPostgresStore({
    address: addressOf(url),
    nodeId,
    facts,
    files: await openArtifacts(await temporaryFolder()),
    clock: systemClock,
    ...(lost !== undefined && { lost }),
  });
  onTestFinished(() => opened.store.close());
  return opened;
}

export function addressOf(url: string): EngineAddress {
  const address = readEngineAddress(url);
  if ('wrong' in address) throw new Error(address.wrong);
  return address;
}
