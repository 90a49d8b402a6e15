import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readNodeId } from '../../src/stores/node-id.ts';
import { mountsOf } from '../support/mounts.ts';
import { describeWhere, root } from '../support/needs.ts';
import { spawnServer, temporaryDataDir } from '../support/server.ts';

describeWhere([root()], 'a node that is killed before it has run anything', () => {
  test('leaves nothing mounted, though nobody starts it again', async () => {
    const dataDir = await temporaryDataDir();
    const server = await spawnServer(dataDir, { allowHostAccess: 'true' });
    const nodeId = await readNodeId(dataDir, () => expect.unreachable());
    expect(mountsOf(nodeId)).not.toEqual([]);
    await server.end('SIGKILL');
    await rm(dataDir, { recursive: true });
    await expect.poll(() => mountsOf(nodeId)).toEqual([]);
  });
});
