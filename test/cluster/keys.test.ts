/** Keys whose tasks say what becomes of others with the same value, wherever those are. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { ScheduleOverlap, ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { WhenFull } from '../../src/server/gen/spearlet/task_pb.js';
import { refusal } from '../server/refusal.ts';
import { start, untilState } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { cancelled, clusterOn, ended } from './nodes.ts';

describeWhere([postgres()], 'when_full in a cluster', () => {
  let server: PostgresServer;
  let nodes: readonly [ChildServer, ChildServer, ChildServer];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const three = async (whenFull: WhenFull, limit: number) => {
    const cluster = await clusterOn(server);
    nodes = [await cluster.add(), await cluster.add(), await cluster.add()];
    await nodes[0].register('loop', 'misbehaving/loop.wasm', {
      concurrency: [{ key: 'metadata.user', limit, whenFull }],
    });
    return {
      cluster,
      call: (node: number, user = 'a') =>
        start(nodes[node] as ChildServer, { task: 'loop', metadata: { user } }),
    };
  };

  test('refuse: as many as the limit says have not ended, on whatever nodes', async () => {
    const { call } = await three(WhenFull.REFUSE, 2);
    const [first, second] = [await call(0), await call(1)];
    const refused = await refusal(call(2));
    expect(refused.reason).toBe('CONCURRENCY_FULL');
    // Another value, with what JSON and SQL have a meaning for.
    const other = await call(2, `b"'\\ü`);
    await cancelled(nodes[2], first);
    const third = await call(0);
    for (const id of [second, third, other]) await cancelled(nodes[1], id);
  });

  test('replace-pending: of those that wait for the value the newest stays', async () => {
    const { call } = await three(WhenFull.REPLACE_PENDING, 1);
    const running = await call(0);
    await untilState(nodes[1], running, 'running.attempting');
    const waiting = [await call(1), await call(2), await call(0)];
    const newest = waiting.at(-1) as string;
    for (const id of waiting.slice(0, -1)) {
      const result = await ended(nodes[2], id);
      expect(result).toMatchObject({ status: ExecutionStatus.CANCELLED });
      expect(result?.errorMessage).toContain('SUPERSEDED');
    }
    await cancelled(nodes[2], running);
    await untilState(nodes[1], newest, 'running.attempting');
    await cancelled(nodes[2], newest);
  });

  test('cancel-running: the oldest makes room for the newest', async () => {
    const { call } = await three(WhenFull.CANCEL_RUNNING, 1);
    let before = await call(0);
    for (const node of [1, 2, 0]) {
      await untilState(nodes[2], before, 'running.attempting');
      const newer = await call(node);
      const result = await ended(nodes[1], before);
      expect(result?.errorMessage).toContain(`SUPERSEDED: ${newer} is newer`);
      before = newer;
    }
    await untilState(nodes[1], before, 'running.attempting');
    await cancelled(nodes[2], before);
  });

  test('a schedule that cancels what runs has one run at a time, and one that skips lets none wait', async () => {
    const { cluster } = await three(WhenFull.QUEUE, 100);
    const schedules = nodes[1].connection.service(ScheduleService);
    const when = { case: 'interval', value: durationFromMs(1000) } as const;
    const invocation = { task: 'loop' };
    for (const [name, overlap] of [
      ['cancels', ScheduleOverlap.CANCEL_RUNNING],
      ['skips', ScheduleOverlap.SKIP],
    ] as const) {
      await schedules.createSchedule({ definition: { name, when, overlap, invocation } });
    }
    const counts = async () => {
      const rows = await cluster.query(
        `SELECT record::json ->> 'schedule' AS name, status, count(*)::int AS count FROM spear.executions GROUP BY 1, 2`,
      );
      const of = (name: string, ...statuses: string[]) =>
        rows
          .filter((row) => row.name === name && statuses.includes(String(row.status)))
          .reduce((sum, { count }) => sum + Number(count), 0);
      return {
        cancelled: of('cancels', 'cancelled') >= 4,
        alive: of('cancels', 'pending', 'running') <= 2,
        skipping: of('skips', 'pending', 'running'),
        skipped: of('skips', 'cancelled', 'failed', 'completed'),
      };
    };
    await expect.poll(counts).toEqual({ cancelled: true, alive: true, skipping: 1, skipped: 0 });
    for (const name of ['cancels', 'skips']) await schedules.deleteSchedule({ name });
  });
});
