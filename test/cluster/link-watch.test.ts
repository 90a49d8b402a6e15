/** A node that shares the database and has another secret is not linked, and both say so. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataFolder } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { postgres, startPostgres } from '../support/postgres.ts';
import { clusterOn } from './nodes.ts';

describeWhere([postgres()], 'links of a cluster', () => {
  test('that do not work are told of in the logs of both nodes, with what to look at', async () => {
    const server = await startPostgres();
    onTestFinished(() => server.remove());
    const cluster = await clusterOn(server);
    const other = join(await dataFolder(), 'secret');
    await writeFile(other, randomBytes(32).toString('base64'), { mode: 0o600 });
    const [one, two] = [await cluster.add(), await cluster.add({ clusterSecretFile: other })];
    for (const node of [one, two]) {
      await expect.poll(() => node.output.join('\n')).toContain('does not answer over its link');
      expect(node.output.join('\n')).toContain('--cluster-secret-file');
    }
  });
});
