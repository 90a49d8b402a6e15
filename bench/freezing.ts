/**
 * How long before others may take a node for dead what it runs stands still: a node that runs programs is stopped as a
 * signal stops, in each round anew. Wants root and Debian's postgresql-15.
 *
 *     node bench/freezing.ts [ROUNDS]
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { Witness } from '../test/cluster/witness.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { startSpear } from './server.ts';
import { median, printTable } from './table.ts';

const rounds = Number(process.argv[2] ?? 10);
const programs = 4;

const engine = await startPostgres();
const witness = await Witness.make();

/** Seconds from the last sign of life of any of its programs to when the node might not write any more. */
async function round(): Promise<number> {
  const { url, name } = await engine.database();
  const options = { SPEAR_STORE: url, SPEAR_SLOTS: '32', SPEAR_ALLOW_HOST_ACCESS: 'true' };
  const [victim, other] = [await startSpear(options), await startSpear(options)];
  try {
    const connection = connect(victim.grpcAddress, victim.credentials);
    await connection.service(TaskService).registerTask({
      definition: {
        name: 'beat',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: witness.program } },
      },
    });
    const begun = new Map<string, string>();
    for (let program = 0; program < programs; program++) {
      const file = witness.file();
      const { executionId } = await connection.service(FunctionService).invokeFunction({
        task: 'beat',
        args: [file, '100000', '0.01'],
        executionMode: ExecutionMode.ASYNC,
      });
      begun.set(executionId, file);
    }
    connection.close();
    // By then the other one has renewed its lease for long enough, and all of them beat.
    await pause(4000 + Math.random() * 750);
    // Some may have been given to the other node.
    const own = await engine.query(
      `SELECT execution_id AS id FROM spear.executions WHERE owner = (SELECT min(incarnation) FROM spear.nodes)`,
      name,
    );
    const files = own.map(({ id }) => begun.get(String(id)) ?? '').filter(Boolean);
    if (files.length === 0) throw new Error('the node runs nothing');
    process.kill(victim.pid, 'SIGSTOP');
    const fenced = `SELECT extract(epoch FROM clock_timestamp() - fenced_at)::float8 AS ago FROM spear.nodes
      WHERE incarnation = (SELECT min(incarnation) FROM spear.nodes)`;
    for (;;) {
      const [row] = await engine.query(fenced, name);
      const up = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
      if (typeof row?.ago !== 'number') {
        await pause(20);
        continue;
      }
      const at = up - row.ago;
      const beats = files.map((file) => {
        const [first, ...rest] = witness.beats(file);
        return Math.max(...rest.filter(({ attempt }) => attempt === first?.attempt).map((beat) => beat.at));
      });
      return at - Math.max(...beats);
    }
  } finally {
    process.kill(victim.pid, 'SIGCONT');
    await Promise.all([victim.stop(), other.stop()]);
  }
}

try {
  const gaps: number[] = [];
  for (let each = 0; each < rounds; each++) gaps.push(await round());
  const row = (which: string, seconds: number) => ({
    what: `what a hung node runs stands still before it is fenced, ${which} of ${rounds}, s`,
    ...{ spear: seconds.toFixed(2), limit: '0.2', ratio: seconds / 0.2, goal: '>= 1' },
  });
  printTable([row('shortest', Math.min(...gaps)), row('median', median(gaps))]);
} finally {
  await witness.remove();
  await engine.remove();
}
