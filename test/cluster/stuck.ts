/** Why an execution may not have ended, or not as it should: what the database has of it, and what each node says. */
import type { PostgresServer } from '../support/postgres.ts';
import type { ClusterNode } from './cluster-nodes.ts';

const lines = 25;
const askedMs = 5000;

const statements: readonly (readonly [what: string, text: (id: string) => string])[] = [
  [
    'execution',
    (id) =>
      `SELECT owner, status, line, waits_since, wakes_at, last_sequence, batch_id, left(record, 1500) AS record
       FROM spear.executions WHERE execution_id = '${id}'`,
  ],
  ['grant', (id) => `SELECT node FROM spear.grants WHERE execution_id = '${id}'`],
  ['all grants', () => 'SELECT * FROM spear.grants'],
  [
    'others that have not ended',
    (id) =>
      `SELECT execution_id, owner, status, line FROM spear.executions
       WHERE status IN ('pending', 'running') AND execution_id <> '${id}' LIMIT 30`,
  ],
  [
    'log',
    (id) =>
      `SELECT first_sequence, writer, pg_xact_commit_timestamp(xmin) AS at, left(meta, 600) AS meta FROM spear.segments
       WHERE execution_id = '${id}' ORDER BY first_sequence DESC LIMIT 12`,
  ],
  [
    'nodes',
    () =>
      `SELECT incarnation, name, lease_until - clock_timestamp() AS lease, fenced_at, planned, load,
         EXISTS (SELECT 1 FROM spear.fences f WHERE f.incarnation = n.incarnation) AS may_write
       FROM spear.nodes n ORDER BY incarnation DESC LIMIT 8`,
  ],
  ['leases', () => 'SELECT * FROM spear.leases'],
  [
    'sessions',
    () =>
      `SELECT pid, state, wait_event, now() - query_start AS since, left(query, 120) AS query
       FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'`,
  ],
];

export async function explainStuck(
  executionId: string,
  { nodes, database, name }: { nodes: readonly ClusterNode[]; database: PostgresServer; name: string },
): Promise<string> {
  const told: string[] = [`--- ${executionId || 'no execution'} at ${new Date().toISOString()}`];
  for (const [what, text] of statements) {
    const rows = await database
      .query(text(executionId), name)
      .catch((error: unknown) => [{ error: String(error) }]);
    told.push(`${what}:`, ...rows.map((row) => `  ${JSON.stringify(row)}`));
  }
  for (const node of nodes) told.push(...(await saidBy(node, executionId)));
  return told.join('\n');
}

async function saidBy(node: ClusterNode, executionId: string): Promise<string[]> {
  const { server } = node;
  const options = { signal: AbortSignal.timeout(askedMs) };
  const answer = async (ask: Promise<unknown> | undefined) =>
    JSON.stringify(await ask?.catch((error: unknown) => String(error)), (key, value: unknown) =>
      key === '$typeName' ? undefined : typeof value === 'bigint' ? Number(value) : value,
    );
  return [
    `${node.name} (${server === undefined ? 'does not run' : server.process.pid}) explains:`,
    `  ${await answer(server?.nodes.explainExecution({ executionId }, options))}`,
    `  ${await answer(server?.functions.getExecutionStatus({ executionId }, options))}`,
    ...node.lines(lines).map((line) => `  | ${line.slice(0, 500)}`),
  ];
}
