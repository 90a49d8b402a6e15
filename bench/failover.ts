/**
 * How long the executions of a node that is gone have nobody, by the clock of the database: killed, stopped as a signal
 * stops, and told to stop. Wants root and Debian's postgresql-15.
 *
 *     node bench/failover.ts [ROUNDS [EXECUTIONS]]
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, connect } from '../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { type PostgresServer, startPostgres } from '../test/support/postgres.ts';
import { register } from './calls.ts';
import { type BenchServer, startSpear } from './server.ts';
import { median, printTable, type Row } from './table.ts';

const rounds = Number(process.argv[2] ?? 4);
const executions = Number(process.argv[3] ?? 5000);
const atOnce = 64;
/** Those that run; the others wait for their time. */
const running = 16;

interface Way {
  readonly what: string;
  readonly signals: readonly NodeJS.Signals[];
  readonly goal: readonly [median: number, worst: number];
}

const ways: readonly Way[] = [
  { what: 'kill -9', signals: ['SIGKILL'], goal: [3.5, 5] },
  { what: 'SIGSTOP', signals: ['SIGSTOP'], goal: [3.5, 5] },
  { what: 'a planned stop', signals: ['SIGTERM', 'SIGTERM'], goal: [0.5, 0.5] },
];

async function fill(connection: Connection): Promise<void> {
  const functions = connection.service(FunctionService);
  let left = executions - running;
  const ask = async (): Promise<void> => {
    while (left-- > 0) {
      await functions.invokeFunction({
        ...{ task: 'ticker', args: ['1'], executionMode: ExecutionMode.ASYNC },
        startAfter: { seconds: 3600n },
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  for (let each = 0; each < running; each++) {
    await functions.invokeFunction({
      task: 'ticker',
      args: ['1000', '1000'],
      executionMode: ExecutionMode.ASYNC,
    });
  }
}

/** Seconds from the signal to when each execution is another node's, and to when each lost attempt is so in the log. */
async function round(database: PostgresServer, { signals }: Way): Promise<number> {
  const { url, name } = await database.database();
  const options = { SPEAR_STORE: url, SPEAR_SLOTS: '32', SPEAR_QUEUE_LIMIT: '100000' };
  const nodes: BenchServer[] = [];
  try {
    for (let node = 0; node < 3; node++) nodes.push(await startSpear(options));
    const [victim] = nodes;
    if (victim === undefined) throw new Error('there is no node');
    const connection = connect(victim.grpcAddress, victim.credentials);
    await register(connection, 'ticker', 'ticker/ticker.wasm');
    await fill(connection);
    connection.close();
    // The others have renewed their leases for long enough by then.
    await pause(4000);
    const [node] = await database.query('SELECT min(incarnation) AS first FROM spear.nodes', name);
    const gone = String(node?.first);
    const left = async (): Promise<number> => {
      const [row] = await database.query(
        `SELECT count(*) AS left FROM spear.executions x WHERE x.status IN ('pending', 'running') AND (x.owner = ${gone}
           OR (x.status = 'running' AND NOT EXISTS (
             SELECT 1 FROM spear.segments s WHERE s.execution_id = x.execution_id AND s.writer <> ${gone})))`,
        name,
      );
      return Number(row?.left);
    };
    const began = performance.now();
    for (const signal of signals) {
      process.kill(victim.pid, signal);
      await pause(1);
    }
    while ((await left()) > 0) await pause(20);
    return (performance.now() - began) / 1000;
  } finally {
    const [victim] = nodes;
    if (victim !== undefined) {
      try {
        process.kill(victim.pid, 'SIGCONT');
      } catch {
        // It has ended.
      }
    }
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

const database = await startPostgres();
const rows: Row[] = [];
try {
  for (const way of ways) {
    const took: number[] = [];
    for (let each = 0; each < rounds; each++) took.push(await round(database, way));
    const limits = [
      ['median', median(took), way.goal[0]],
      ['longest', Math.max(...took), way.goal[1]],
    ] as const;
    for (const [which, seconds, goal] of limits) {
      rows.push({
        what: `${way.what}, ${executions} executions are others', ${which} of ${rounds}, s`,
        ...{ spear: seconds.toFixed(2), limit: goal.toFixed(1), ratio: seconds / goal, goal: '<= 1' },
      });
    }
  }
  printTable(rows);
} finally {
  await database.remove();
}
