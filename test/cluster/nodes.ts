/** Nodes of one cluster, each a process of its own, on one PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { ConfigFlags } from '../../src/config.ts';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { dataFolder, spawn } from '../server/spawned.ts';
import type { PostgresServer } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';

export interface ClusterNodes {
  readonly url: string;
  /** A statement in the database of the cluster; its tables are in the schema `spear`. */
  query(text: string): Promise<Record<string, unknown>[]>;
  /** One more node, which the others know of when it is there. */
  add(flags?: ConfigFlags, wrapper?: readonly string[]): Promise<ChildServer>;
}

/** They are killed when the test has finished. */
export async function clusterOn(server: PostgresServer): Promise<ClusterNodes> {
  const { url, name } = await server.database();
  const secret = join(await dataFolder(), 'secret');
  await writeFile(secret, randomBytes(32).toString('base64'), { mode: 0o600 });
  const query = (text: string) => server.query(text, name);
  let count = 0;
  return {
    url,
    query,
    async add(flags = {}, wrapper = []) {
      count += 1;
      const link = { clusterListen: '127.0.0.1:0', clusterSecretFile: secret };
      const all = { store: url, nodeName: `n${count}`, ...link, ...flags };
      const node = await spawn(await dataFolder(), all, {}, wrapper);
      const known = async (): Promise<unknown> =>
        (
          await query("SELECT count(*) FROM spear.nodes WHERE load LIKE '%runtimes%' AND fenced_at IS NULL")
        )[0]?.count;
      await expect.poll(known, { timeout: 30_000 }).toBe(String(count));
      return node;
    },
  };
}

/** What became of one, whichever node has it. */
export async function ended(node: ChildServer, executionId: string) {
  const { result } = await node.functions.waitExecution({ executionId });
  return result;
}

export async function cancelled(node: ChildServer, executionId: string): Promise<void> {
  await node.functions.cancelExecution({ executionId });
  expect(await ended(node, executionId)).toMatchObject({ status: ExecutionStatus.CANCELLED });
}

/** Which node an execution ran on last, by who committed its last event. */
export async function nodeOf(cluster: ClusterNodes, executionId: string): Promise<string> {
  const [row] = await cluster.query(
    `SELECT name FROM spear.segments JOIN spear.nodes ON incarnation = writer
     WHERE execution_id = '${executionId}' ORDER BY first_sequence DESC LIMIT 1`,
  );
  return String(row?.name);
}

/** Which node has an execution that has not ended; undefined where none does. */
export async function ownerOf(cluster: ClusterNodes, executionId: string): Promise<string | undefined> {
  const [row] = await cluster.query(
    `SELECT name FROM spear.executions JOIN spear.nodes ON incarnation = owner
     WHERE execution_id = '${executionId}'`,
  );
  return row === undefined ? undefined : String(row.name);
}
