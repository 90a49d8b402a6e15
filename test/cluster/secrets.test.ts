/** Secrets that only some nodes have: a task that is given them runs on those. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { start, untilState } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { postgres, startPostgres } from '../support/postgres.ts';
import { cancelled, clusterOn, ended, nodeOf } from './nodes.ts';

async function secretsFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-secrets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'default'));
  return folder;
}

describeWhere([postgres()], 'secrets in a cluster', () => {
  test('a task runs on the nodes that have its secrets, and on another once it has them', async () => {
    const server = await startPostgres();
    onTestFinished(() => server.remove());
    const cluster = await clusterOn(server);
    const [without, having] = [await secretsFolder(), await secretsFolder()];
    await writeFile(join(having, 'default', 'token'), 'of the second');
    const one = await cluster.add({ secretsDir: without, slots: '1' });
    const two = await cluster.add({ secretsDir: having, slots: '1' });
    const secrets = { token: 'env:token' };
    await one.register('env', 'misbehaving/env.wasm', { secrets });
    await one.register('loop', 'misbehaving/loop.wasm', { secrets });
    const first = await one.functions.invokeFunction({ task: 'env' });
    expect(first.result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(Buffer.from(first.result?.output ?? []).toString()).toContain('of the second');
    expect(await nodeOf(cluster, first.executionId)).toBe('n2');
    const blocker = await start(one, { task: 'loop' });
    await untilState(one, blocker, 'running.attempting');
    const waiting = await start(two, { task: 'env' });
    for (const node of [one, two]) {
      await expect
        .poll(async () => (await node.nodes.explainExecution({ executionId: waiting })).details)
        .toContain('the node n1 lacks what its instances are given: there is no secret token');
    }
    await writeFile(join(without, 'default', 'token'), 'of the first');
    expect(await ended(two, waiting)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, waiting)).toBe('n1');
    await cancelled(one, blocker);
  });
});
