/** One schedule that several nodes change and fire at the same time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScheduleOverlap, ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { refusal } from '../server/refusal.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { clusterOn } from './nodes.ts';

/** The clock fires none of them meanwhile: an interval would begin with the next second after each change. */
const yearly = { case: 'cron', value: '0 0 1 1 *' } as const;

describeWhere([postgres()], 'a schedule of a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('loses no change and no firing, whichever nodes make them at the same time', async () => {
    const cluster = await clusterOn(server);
    const [one, two] = [await cluster.add(), await cluster.add()];
    await one.register('ticker', 'ticker/ticker.wasm');
    const [here, there] = [one, two].map(({ connection }) => connection.service(ScheduleService));
    if (here === undefined || there === undefined) throw new Error('no nodes');
    const definition = {
      name: 'often',
      invocation: { task: 'ticker', args: ['1'] },
      when: yearly,
      overlap: ScheduleOverlap.ALLOW,
    };
    await here.createSchedule({ definition });
    const rounds = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all([
      (async () => {
        for (const index of rounds)
          await here.updateSchedule({ definition: { ...definition, description: `${index}` } });
      })(),
      (async () => {
        for (const _ of rounds) await there.triggerSchedule({ name: 'often' });
      })(),
    ]);
    const { schedule } = await there.getSchedule({ name: 'often' });
    expect(schedule).toMatchObject({ revision: 41, fired: 40n, definition: { description: '39' } });
  });

  test('stays paused, and gone, once that is acknowledged', async () => {
    const cluster = await clusterOn(server);
    const [one, two] = [await cluster.add(), await cluster.add()];
    await one.register('ticker', 'ticker/ticker.wasm');
    const [here, there] = [one, two].map(({ connection }) => connection.service(ScheduleService));
    if (here === undefined || there === undefined) throw new Error('no nodes');
    for (let round = 0; round < 10; round++) {
      const schedule = `round-${round}`;
      const definition = {
        name: schedule,
        invocation: { task: 'ticker', args: ['1'] },
        when: yearly,
        overlap: ScheduleOverlap.ALLOW,
      };
      await here.createSchedule({ definition });
      const firing = Promise.all([1, 2, 3].map(() => there.triggerSchedule({ name: schedule })));
      await here.pauseSchedule({ name: schedule });
      await firing;
      expect((await there.getSchedule({ name: schedule })).schedule).toMatchObject({ state: 'paused' });
      const more = Promise.allSettled([1, 2, 3].map(() => there.triggerSchedule({ name: schedule })));
      await here.deleteSchedule({ name: schedule });
      await more;
      expect(await refusal(there.getSchedule({ name: schedule }))).toMatchObject({
        reason: 'SCHEDULE_NOT_FOUND',
      });
    }
  });
});
