/**
 * What an outage of the database costs: three nodes with executions that run and that wait, whose database is stopped at
 * once and started again later. Nobody is fenced, nothing is lost, and all go on soon after. Wants root and Debian's
 * postgresql-15.
 *
 *     node bench/outage.ts [SECONDS]
 */
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { startPostgres } from '../test/support/postgres.ts';
import { register } from './calls.ts';
import { type BenchServer, startSpear } from './server.ts';
import { printTable, type Row } from './table.ts';

const seconds = Number(process.argv[2] ?? 60);
const nodeCount = 3;
/** Of each node. */
const running = 4;
const waiting = 100;
/** Between two events of one that runs, in milliseconds. */
const tickMs = 200;
const lookMs = 20;

const engine = await startPostgres();
const { url, name } = await engine.database();
const nodes: BenchServer[] = [];
try {
  for (let node = 0; node < nodeCount; node++) {
    nodes.push(
      await startSpear({
        ...{ SPEAR_STORE: url, SPEAR_SLOTS: '32', SPEAR_QUEUE_LIMIT: '100000' },
        // Else what runs is ended after half a minute.
        SPEAR_PARTITION_GRACE: '1h',
      }),
    );
  }
  const connections = nodes.map(({ grpcAddress, credentials }) => connect(grpcAddress, credentials));
  const services = connections.map((connection) => connection.service(FunctionService));
  if (connections[0] === undefined) throw new Error('there is no node');
  await register(connections[0], 'ticker', 'ticker/ticker.wasm');
  const invoke = (args: string[], startAfter = 0n) =>
    services.map((functions) =>
      functions.invokeFunction({
        ...{ task: 'ticker', args, executionMode: ExecutionMode.ASYNC },
        startAfter: { seconds: startAfter },
      }),
    );
  for (let each = 0; each < waiting; each++) await Promise.all(invoke(['1'], 3600n));
  const ids: string[] = [];
  for (let each = 0; each < running; each++) {
    const begun = await Promise.all(invoke(['1000000', String(tickMs)]));
    ids.push(...begun.map(({ executionId }) => executionId));
  }
  // The nodes have renewed their leases for long enough by then to take over from others.
  await pause(5000);

  await engine.crash();
  // Those of the first moments may have been accepted, which is known when the database is back.
  const asked: Promise<boolean>[] = [];
  for (let second = 0; second < seconds; second++) {
    await pause(1000);
    for (const functions of services) {
      asked.push(
        functions.invokeFunction({ task: 'ticker', args: ['1'] }).then(
          () => true,
          () => false,
        ),
      );
    }
  }
  await engine.start();
  const back = performance.now();
  const since = (): number => (performance.now() - back) / 1000;

  const accepted = services.map(async (functions): Promise<number> => {
    for (;;) {
      try {
        await functions.invokeFunction({ task: 'ticker', args: ['1'] });
        return since();
      } catch {
        await pause(lookMs);
      }
    }
  });
  const looking = await engine.connect(name);
  const rowsOf = async (text: string) => (await looking.query(text)).rows as Record<string, unknown>[];
  // What was printed until all stood still is one commit; whoever has made another one goes on.
  const seen = new Map<unknown, { last: unknown; changes: number }>();
  const ofThose = ids.map((id) => `'${id}'`).join();
  const goOn = async (): Promise<number> => {
    for (;;) {
      const rows = await rowsOf(
        `SELECT execution_id AS id, last_sequence AS last FROM spear.executions WHERE execution_id IN (${ofThose})`,
      );
      for (const row of rows) {
        const known = seen.get(row.id) ?? { last: row.last, changes: 0 };
        if (known.last !== row.last) known.changes += 1;
        known.last = row.last;
        seen.set(row.id, known);
      }
      if ([...seen.values()].every(({ changes }) => changes > 1)) return since();
      await pause(lookMs);
    }
  };
  const ran = await goOn();
  const calls = Math.max(...(await Promise.all(accepted)));
  const [fenced] = await rowsOf('SELECT count(*)::int AS count FROM spear.nodes WHERE fenced_at IS NOT NULL');
  const [kept] = await rowsOf(
    `SELECT count(*) FILTER (WHERE record::json ->> 'state' = 'pending.waiting')::int AS waiting,
       count(*) FILTER (WHERE execution_id IN (${ofThose}) AND (record::json ->> 'attempt')::int = 1)::int AS running
     FROM spear.executions WHERE status IN ('pending', 'running')`,
  );
  await looking.end();
  const refused = (await Promise.all(asked)).filter((isAnswered) => !isAnswered).length;
  for (const connection of connections) connection.close();
  const lost = (running + waiting) * nodeCount - Number(kept?.waiting) - Number(kept?.running);
  const count = (what: string, value: number): Row => ({
    what: `the database is away for ${seconds} s, ${what}`,
    ...{ spear: String(value), limit: '0', ratio: value, goal: '<= 0' },
  });
  const soon = (what: string, value: number): Row => ({
    what: `after it, ${what}, s`,
    ...{ spear: value.toFixed(2), limit: '2', ratio: value / 2, goal: '<= 1' },
  });
  printTable([
    count('nodes that others fenced', Number(fenced?.count)),
    count('executions that are lost or begin again', lost),
    soon(`all ${running * nodeCount} that ran go on`, ran),
    soon('every node answers a call', calls),
  ]);
  console.log(`calls that were refused meanwhile, of ${seconds * nodeCount}: ${refused}`);
} finally {
  await Promise.all(nodes.map((node) => node.stop()));
  await engine.remove();
}
