/** What waits for a node of a cluster, by the stores of several of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { a, appending, b, creating } from './contract/entries.ts';
import { openOn } from './postgres-store.ts';
import { executionId, recordOf, result } from './samples.ts';

const line = 'default/normal/';

const waiting = (id: string, of = line) => ({
  ...creating(id),
  record: recordOf(id, 'pending'),
  waiting: { line: of, since: 5, wakesAt: 900 },
});

const idsOf = (page: readonly { readonly record: { readonly executionId: string } }[]) =>
  page.map(({ record }) => record.executionId);

describeWhere([postgres()], 'the queue of a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const three = async () => {
    const { url } = await server.database();
    return [await openOn(url, 'node_1'), await openOn(url, 'node_2'), await openOn(url, 'node_3')] as const;
  };

  test('one that is asked twice to let go takes nothing from whoever was given it meanwhile', async () => {
    const [one, two, third] = await three();
    await one.store.commit([waiting(a)]);
    expect(await one.queue.release([a])).toEqual([a]);
    expect(await third.queue.give([{ executionId: a, node: two.queue.me }], [])).toEqual(new Set([a]));
    expect(await one.queue.release([a])).toEqual([]);
    expect(idsOf(await two.queue.granted())).toEqual([a]);
    // Whoever was given it may let it go as well.
    expect(await two.queue.release([a])).toEqual([a]);
    expect([await two.queue.granted(), await two.queue.grants()]).toEqual([[], []]);
    expect(idsOf(await one.queue.waiting(line, 9))).toEqual([a]);
  });

  test('one that is taken up is its own, also where the answer is asked for again', async () => {
    const [one, two] = await three();
    await one.store.commit([waiting(a)]);
    await one.queue.release([a]);
    expect([await two.queue.claim(a), await two.queue.claim(a), await one.queue.claim(a)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('those that share the value of a key are known from their admission to their end, whatever the value is', async () => {
    const [one, two] = await three();
    const value = `it's "quoted" \\ \u{1f600}`;
    const gates = [{ key: 'metadata.user', value, limit: 1, whenFull: 'refuse' as const }];
    const running = (id: string) => ({
      ...creating(id, 'running'),
      record: recordOf(id, 'running', { gates }),
    });
    await one.store.commit([running(a), { ...waiting(b), record: recordOf(b, 'pending', { gates }) }]);
    await one.store.commit([creating(executionId(7), 'running')]);
    const sharing = async (of: string) => idsOf(await two.queue.withKey('default', 'metadata.user', of));
    expect([await sharing(value), await sharing('other')]).toEqual([[a, b], []]);
    const record = recordOf(a, 'completed', { gates, lastSequence: 4 });
    expect(await one.store.commit([{ ...appending(a, 3, [result(4)]), record }])).toMatchObject([
      { ok: true },
    ]);
    expect(await sharing(value)).toEqual([b]);
  });

  test('those in a line for a slot that nobody gave to their node are strays', async () => {
    const [one, two] = await three();
    const [gated, resting] = [executionId(5), executionId(6)];
    await one.store.commit([
      waiting(a),
      waiting(b),
      waiting(gated, '["default","normal","",[]]'),
      waiting(resting, 'pending:default'),
    ]);
    expect(await two.queue.strays(9)).toEqual([]);
    await one.queue.release([b]);
    await two.queue.give([{ executionId: b, node: one.queue.me }], []);
    expect(new Set(await one.queue.strays(9))).toEqual(new Set([a, gated]));
    expect(await one.queue.strays(1)).toHaveLength(1);
  });
});
