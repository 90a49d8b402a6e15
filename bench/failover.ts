/**
 * How long the executions of a node that is gone have nobody, by the clock of the database: killed, stopped as a signal
 * stops, and told to stop. Wants root and Debian's postgresql-15.
 *
 *     node bench/failover.ts [ROUNDS [EXECUTIONS [kill|hang|stop]]]
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
  readonly name: string;
  readonly what: string;
  readonly signals: readonly NodeJS.Signals[];
  readonly goal: readonly [median: number, worst: number];
}

const wanted = process.argv[4];
const all: readonly Way[] = [
  { name: 'kill', what: 'kill -9', signals: ['SIGKILL'], goal: [3.5, 5] },
  { name: 'hang', what: 'SIGSTOP', signals: ['SIGSTOP'], goal: [3.5, 5] },
  {
    ...{ name: 'stop', what: 'a planned stop', goal: [0.5, 0.5] },
    signals: ['SIGTERM', 'SIGTERM'],
  },
];

const ways = all.filter(({ name }) => wanted === undefined || name === wanted);

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

interface Took {
  /** Seconds from the signal to when the node may not write any more. */
  readonly fenced: number;
  /** Seconds from the signal to when the first is another node's, and all that rested. */
  readonly first: number;
  readonly rested: number;
  /** Seconds from the signal to when each execution is another node's, and each lost attempt is so in the log. */
  readonly taken: number;
}

async function round(database: PostgresServer, { signals }: Way): Promise<Took> {
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
    const looking = await database.connect(name);
    const one = async (text: string): Promise<unknown> =>
      Object.values((await looking.query(text)).rows[0] ?? {})[0];
    const gone = String(await one('SELECT min(incarnation) FROM spear.nodes'));
    // A lost attempt is so in the log of whoever has taken it over.
    const isLeft = `SELECT EXISTS (
        SELECT 1 FROM spear.executions x WHERE x.status IN ('pending', 'running')
          AND (x.owner = ${gone} OR NOT EXISTS (SELECT 1 FROM spear.fences f WHERE f.incarnation = x.owner) AND x.owner IS NOT NULL)
      ) OR EXISTS (
        SELECT 1 FROM spear.executions x WHERE x.status = 'running' AND NOT EXISTS (
          SELECT 1 FROM spear.segments s WHERE s.execution_id = x.execution_id AND s.writer <> ${gone}))`;
    const since = String(await one('SELECT extract(epoch FROM clock_timestamp())::text'));
    const began = performance.now();
    for (const signal of signals) {
      process.kill(victim.pid, signal);
      await pause(1);
    }
    const seconds = (): number => (performance.now() - began) / 1000;
    let [first, rested] = [Number.NaN, Number.NaN];
    while ((await one(isLeft)) === true) {
      const its = Number(await one(`SELECT count(*) FROM spear.executions x WHERE x.owner = ${gone}`));
      if (its < executions && Number.isNaN(first)) first = seconds();
      if (its <= running && Number.isNaN(rested)) rested = seconds();
      await pause(20);
    }
    const taken = seconds();
    const fenced = Number(
      await one(
        `SELECT extract(epoch FROM fenced_at) - ${since} FROM spear.nodes WHERE incarnation = ${gone}`,
      ),
    );
    await looking.end();
    return { fenced, first, rested, taken };
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
    const took: Took[] = [];
    for (let each = 0; each < rounds; each++) took.push(await round(database, way));
    const taken = took.map((each) => each.taken);
    const row = (which: string, seconds: number, goal: number | undefined): Row => ({
      what: `${way.what}, ${executions} executions, ${which} of ${rounds}, s`,
      spear: seconds.toFixed(2),
      limit: goal?.toFixed(1) ?? '',
      ratio: goal === undefined ? Number.NaN : seconds / goal,
      goal: goal === undefined ? '' : '<= 1',
    });
    rows.push(
      row("others', median", median(taken), way.goal[0]),
      row("others', longest", Math.max(...taken), way.goal[1]),
      row('may not write any more, median', median(took.map(({ fenced }) => fenced)), undefined),
      row("first one others', median", median(took.map(({ first }) => first)), undefined),
      row("what rested others', median", median(took.map(({ rested }) => rested)), undefined),
    );
  }
  printTable(rows);
} finally {
  await database.remove();
}
