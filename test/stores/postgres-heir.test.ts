/** What a node leaves that has named the one that is to have it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { a, b, creating } from './contract/entries.ts';
import { openOn } from './postgres-store.ts';

const unfinished = (id: string) => creating(id, 'running');

describeWhere([postgres()], 'what a node leaves to one of its choice', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  async function threeNodes() {
    const { url } = await server.database();
    return {
      one: await openOn(url, 'node_1'),
      two: await openOn(url, 'node_2'),
      three: await openOn(url, 'node_3'),
    };
  }

  const idsOf = (orphans: readonly { readonly executionId: string }[]) =>
    orphans.map(({ executionId }) => executionId);

  test('is that one’s alone, also what it lets go of before it stops', async () => {
    const { one, two, three } = await threeNodes();
    await one.store.commit([unfinished(a), unfinished(b)]);
    expect(await one.membership.nameHeir(three.membership.incarnation)).toBe(true);
    await one.membership.keepOnly([b]);
    expect(await two.membership.orphans('', 9)).toEqual([]);
    // Whoever knew of it before may have it no more than one who lists.
    expect((await two.membership.claim([a])).executions).toEqual([]);
    expect(idsOf(await three.membership.orphans('', 9))).toEqual([a]);
    expect((await three.membership.claim([a, b])).executions.map(({ record }) => record.executionId)).toEqual(
      [a],
    );
    one.membership.leaving();
    await one.store.close();
    expect(await two.membership.orphans('', 9)).toEqual([]);
    expect(await two.membership.claimBatches()).toBe(false);
    expect((await three.membership.claim([b])).executions).toHaveLength(1);
  });

  test('is anybody’s once that one may not write any more', async () => {
    const { one, two, three } = await threeNodes();
    await one.store.commit([unfinished(a)]);
    await one.membership.nameHeir(three.membership.incarnation);
    await one.store.close();
    await three.store.close();
    expect(idsOf(await two.membership.orphans('', 9))).toEqual([a]);
    expect((await two.membership.claim([a])).executions).toHaveLength(1);
  });

  test('nobody is named who may not write', async () => {
    const { one, two, three } = await threeNodes();
    await three.store.close();
    await one.store.commit([unfinished(a)]);
    expect(await one.membership.nameHeir(three.membership.incarnation)).toBe(false);
    await one.store.close();
    expect(idsOf(await two.membership.orphans('', 9))).toEqual([a]);
  });
});
