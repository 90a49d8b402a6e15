/** Nodes of one cluster: processes of their own over one database, linked by one secret. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigFlags } from '../../../src/config.ts';
import type { ChildServer } from '../../support/server.ts';
import { dataFolder, spawn } from '../spawned.ts';

export interface ClusterOfNodes {
  readonly secretFile: string;
  /** Another node, of that name. */
  start(name: string, flags?: ConfigFlags): Promise<ChildServer>;
}

export async function clusterOf(store: string): Promise<ClusterOfNodes> {
  const secretFile = join(await dataFolder(), 'secret');
  await writeFile(secretFile, randomBytes(32).toString('base64'));
  return {
    secretFile,
    async start(nodeName, flags = {}) {
      const link = { clusterListen: '127.0.0.1:0', clusterSecretFile: secretFile };
      return spawn(await dataFolder(), { store, nodeName, ...link, ...flags });
    },
  };
}
