/** The database of a cluster is killed, and one of its synchronous standbys takes its place. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { dataFolder, spawn } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresStandby, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';

const long = { timeout: 120_000 };
const callers = 8;

/** A primary that acknowledges what one of two standbys has as well. */
async function threeServers() {
  const primary = await startPostgres();
  onTestFinished(() => primary.remove());
  const { name } = await primary.database();
  const standbys: PostgresStandby[] = [];
  for (const each of ['s1', 's2']) {
    const standby = await primary.standby(each);
    onTestFinished(() => standby.remove());
    standbys.push(standby);
  }
  await primary.query("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (s1, s2)'");
  await primary.query('SELECT pg_reload_conf()');
  const following = async () =>
    (await primary.query("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'quorum'")).length;
  await expect.poll(following, long).toBe(2);
  const hosts = [primary, ...standbys].map(({ port }) => `127.0.0.1:${port}`).join(',');
  return { primary, standbys, name, store: `postgres://postgres@${hosts}/${name}?sslmode=disable` };
}

/** The one that has more of what the primary wrote takes its place. */
async function promote(standbys: readonly PostgresStandby[]): Promise<PostgresStandby> {
  const received = await Promise.all(
    standbys.map(async (standby) => {
      const [row] = await standby.query("SELECT pg_last_wal_receive_lsn() - '0/0' AS bytes");
      return { standby, bytes: Number(row?.bytes) };
    }),
  );
  const [best] = received.toSorted((a, b) => b.bytes - a.bytes);
  if (best === undefined) throw new Error('there is no standby');
  await best.standby.query('SELECT pg_promote()');
  return best.standby;
}

/** Asks for one after another, each until it is accepted; notes whom it was told of. */
async function ask(
  node: ChildServer,
  caller: number,
  accepted: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 0; !signal.aborted; count++) {
    const request = {
      ...{ task: 'noop', functionName: 'noop', executionMode: ExecutionMode.ASYNC },
      invocationId: `caller-${caller}-${count}`,
    };
    while (!signal.aborted) {
      try {
        const options = { signal: AbortSignal.timeout(5000) };
        accepted.add((await node.functions.invokeFunction(request, options)).executionId);
        break;
      } catch {
        // Until there is a database again nothing is accepted.
        await pause(50);
      }
    }
  }
}

describeWhere([postgres()], 'a database with two synchronous standbys', () => {
  test('nothing that was accepted is lost when it is killed, and the nodes go on with the standby', {
    timeout: 400_000,
  }, async () => {
    const { primary, standbys, name, store } = await threeServers();
    const nodes = [
      await spawn(await dataFolder(), { store, nodeName: 'one' }),
      await spawn(await dataFolder(), { store, nodeName: 'two' }),
    ];
    const [one] = nodes;
    await one?.register('noop', 'noop/noop.wasm');
    const accepted = new Set<string>();
    const stop = new AbortController();
    const asking = Array.from({ length: callers }, (_, caller) =>
      ask(nodes[caller % nodes.length] as ChildServer, caller, accepted, stop.signal),
    );
    await expect.poll(() => accepted.size, long).toBeGreaterThan(100);
    primary.murder();
    const heir = await promote(standbys);
    const before = accepted.size;
    await expect.poll(() => accepted.size, long).toBeGreaterThan(before + 100);
    stop.abort();
    await Promise.all(asking);
    const unfinished = () =>
      heir.query("SELECT 1 FROM spear.executions WHERE status IN ('pending', 'running')", name);
    await expect.poll(async () => (await unfinished()).length, long).toBe(0);
    const rows = await heir.query(
      "SELECT execution_id AS id FROM spear.executions WHERE status = 'completed'",
      name,
    );
    const completed = new Set(rows.map(({ id }) => String(id)));
    expect([...accepted].filter((id) => !completed.has(id))).toEqual([]);
    for (const node of nodes) expect(node.process.exitCode).toBe(null);
  });
});
