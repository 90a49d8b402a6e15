/**
 * A node that was taken for dead writes nothing any more, whatever it tries, in whatever moment its right to write went:
 * many runs of it, each with commits under way. `SPEAR_ZOMBIE_ROUNDS` says how many.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { loadDriver } from '../../src/stores/postgres/engine/driver.ts';
import { Readers } from '../../src/stores/postgres/engine/readers.ts';
import { Session } from '../../src/stores/postgres/engine/session.ts';
import { register } from '../../src/stores/postgres/membership.ts';
import { Changes } from '../../src/stores/postgres/write/changes.ts';
import { Commits } from '../../src/stores/postgres/write/commits.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { appending, creating } from './contract/entries.ts';
import { addressOf, openOn } from './postgres-store.ts';
import { chunk, executionId } from './samples.ts';

const rounds = Number(process.env.SPEAR_ZOMBIE_ROUNDS ?? 200);

describeWhere([postgres()], 'a node that was taken for dead', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('writes nothing, in as many takeovers as there are rounds', { timeout: 600_000 }, async () => {
    const { url, name } = await server.database();
    const heir = await openOn(url, 'node_heir');
    const driver = await loadDriver();
    const open = () => new Session({ address: addressOf(url), driver, kind: 'writer', clock: systemClock });
    const [writing, changing, fencing] = [open(), open(), open()];
    const facts = { name: 'zombie', address: '', labels: {}, capacity: {} };
    const byte = Uint8Array.of(1);
    let number = 0;
    let refused = 0;
    const written = async (): Promise<unknown> =>
      (
        await fencing.run({
          text: `SELECT (SELECT count(*) FROM segments) AS segments, (SELECT count(*) FROM executions) AS executions,
            (SELECT count(*) FROM side_rows) AS rows, (SELECT count(*) FROM quotas) AS quotas,
            (SELECT coalesce(sum(last_sequence), 0) FROM executions) AS events`,
        })
      )[0];
    for (let round = 0; round < rounds; round++) {
      const { incarnation, position } = await register(changing, 'node_zombie', facts);
      const commits = new Commits(writing, incarnation, position);
      const changes = new Changes(changing, new Readers([changing]), incarnation);
      const [heirs, untouched, fresh] = [executionId(++number), executionId(++number), executionId(++number)];
      await commits.commit([creating(heirs, 'running'), creating(untouched, 'running')]);
      // It is under way when the right to write goes, now before that and now behind it.
      const underWay = commits
        .commit([appending(heirs, 3, [chunk(4, byte)]), creating(executionId(++number))])
        .then(
          () => 'written',
          (error: Error) => error.name,
        );
      await fencing.run({ text: 'SELECT fence_node($1)', values: [incarnation] });
      // What was made of it was made before the right to write went.
      expect(['written', 'Fenced']).toContain(await underWay);
      const [taken] = (await heir.membership.claim([heirs])).executions;
      const last =
        taken?.record.executionId === heirs ? (await heir.store.outline(heirs)).transitions.length : 0;
      expect(last).toBeGreaterThan(0);
      const before = await written();
      const tries = [
        () => commits.commit([appending(heirs, 3, [chunk(4, byte)])]),
        () => commits.commit([appending(heirs, 4, [chunk(5, byte)])]),
        () => commits.commit([appending(untouched, 3, [chunk(4, byte)])]),
        () => commits.commit([creating(fresh, 'running')]),
        () => commits.commit([]),
        () => commits.commit([creating(fresh)], true),
        () => changes.saveRows([{ kind: 'k', tenant: 't', key: `${round}`, value: '{}' }]),
        () => changes.saveQuota(`tenant-${round}`, { weight: 2 }),
        () => changes.call('cannot delete', 'remove_executions', [`{${untouched}}`]),
        () => changes.call('cannot claim', 'claim_batches', []),
      ];
      for (const attempt of tries) {
        await expect(attempt()).rejects.toMatchObject({ name: 'Fenced' });
        refused += 1;
      }
      expect(await written()).toEqual(before);
    }
    expect(refused).toBe(rounds * 10);
    await Promise.all([writing, changing, fencing].map((session) => session.close()));
    const late = await server.query(
      `SELECT count(*)::int AS count FROM spear.nodes n JOIN spear.fences f USING (incarnation) WHERE n.fenced_at IS NOT NULL`,
      name,
    );
    expect(late).toEqual([{ count: 0 }]);
  });
});
