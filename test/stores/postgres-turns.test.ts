/** Turns of nodes at one thing. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { openOn } from './postgres-store.ts';

describeWhere([postgres()], 'a turn', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('is one node’s at a time, and the next one’s as soon as it is given back', async () => {
    const { url } = await server.database();
    const nodes = [await openOn(url, 'node_1'), await openOn(url, 'node_2')];
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    await Promise.all(
      nodes.map(async ({ turns }) => {
        for (let count = 0; count < 20; count++) await turns.take('it', work);
      }),
    );
    expect(most).toBe(1);
    await expect(
      nodes[0]?.turns.take('it', async () => {
        throw new Error('mine');
      }),
    ).rejects.toThrow('mine');
    expect(await nodes[1]?.turns.take('it', async () => 'theirs')).toBe('theirs');
  });

  test('of a node that may not write any more is anybody’s', async () => {
    const { url } = await server.database();
    const [one, two] = [await openOn(url, 'node_1'), await openOn(url, 'node_2')];
    const begun = Promise.withResolvers<void>();
    const never = Promise.withResolvers<void>();
    const held = one.turns.take('it', () => {
      begun.resolve();
      return never.promise;
    });
    await begun.promise;
    await one.membership.handOver();
    expect(await two.turns.take('it', async () => 'taken')).toBe('taken');
    never.resolve();
    await held;
  });
});
