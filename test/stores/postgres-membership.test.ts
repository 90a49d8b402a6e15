/** Several nodes on one PostgreSQL, by their stores alone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Batch } from '../../src/domain/batch/batch.ts';
import type { Membership } from '../../src/stores/membership.ts';
import { migrations } from '../../src/stores/postgres/schema/migrations.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { a, appending, b, creating } from './contract/entries.ts';
import { openOn } from './postgres-store.ts';
import { chunk, executionId, recordOf, result, transition } from './samples.ts';

describeWhere([postgres()], 'several nodes on one PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const unfinished = (id: string, line?: string) => ({
    ...creating(id, 'running'),
    ...(line !== undefined && {
      record: recordOf(id, 'pending'),
      waiting: { line, since: 5, wakesAt: 900 },
    }),
  });

  /** Its lease is over, as if it had not been renewed. */
  const expire = (name: string, node: Membership) =>
    server.query(
      `UPDATE spear.nodes SET lease_until = clock_timestamp() - interval '1 s' WHERE incarnation = ${node.incarnation}`,
      name,
    );

  test('a second node is let in, and each takes up only its own', async () => {
    const { url } = await server.database();
    const one = await openOn(url, 'node_1');
    const two = await openOn(url, 'node_2');
    expect(two.membership.incarnation).toBeGreaterThan(one.membership.incarnation);
    await one.store.commit([unfinished(a), unfinished(executionId(5), 'line')]);
    await two.store.commit([unfinished(b)]);
    const ids = async ({ store }: typeof one) =>
      (await store.unfinished('', 9)).map((each) => each.executionId);
    expect([await ids(one), await ids(two)]).toEqual([[a], [b]]);
    expect(await one.store.waitingLines()).toEqual([{ line: 'line', count: 1 }]);
    expect(await two.store.waitingLines()).toEqual([]);
    expect(await two.store.waiting('line', undefined, 9)).toEqual([]);
    expect(await two.store.waitingExecution(executionId(5))).toBeUndefined();
    expect(await one.store.waking(undefined, 9)).toHaveLength(1);
    expect(await two.store.waking(undefined, 9)).toEqual([]);
    expect(await two.store.execution(a)).toMatchObject({ executionId: a });
    expect(await two.store.commit([appending(a, 3, [chunk(4, Uint8Array.of(1))])])).toEqual([
      { ok: false, conflict: 'owner' },
    ]);
    expect(await two.membership.ownerOf(a)).toMatchObject({
      incarnation: one.membership.incarnation,
      nodeId: 'node_1',
    });
  });

  test('nodes hear of one another, and of what each tells', async () => {
    const { url } = await server.database();
    const one = await openOn(url, 'node_1');
    one.membership.tell({ running: 3 });
    const two = await openOn(url, 'node_2');
    const seen = () => two.membership.peers().map(({ name, alive, load }) => ({ name, alive, load }));
    await expect.poll(seen).toEqual([
      { name: 'node_1', alive: true, load: { running: 3 } },
      { name: 'node_2', alive: true, load: {} },
    ]);
  });

  test('a name is that of one node that lives', async () => {
    const { url } = await server.database();
    const facts = { name: 'red', address: '', labels: {}, capacity: {} };
    await openOn(url, 'node_1', undefined, facts);
    await expect(openOn(url, 'node_2', undefined, facts)).rejects.toThrow(
      'another node of this database, node_1, is alive and has the name red: give each its own with --node-name',
    );
  });

  test('a node that starts again has what it had, and its earlier run may not write', async () => {
    const { url } = await server.database();
    const one = await openOn(url, 'node_1');
    await one.store.commit([unfinished(a)]);
    const again = await openOn(url, 'node_1');
    expect((await again.store.unfinished('', 9)).map((each) => each.executionId)).toEqual([a]);
    await expect(one.store.commit([creating(b)])).rejects.toMatchObject({ name: 'Fenced' });
  });

  test('a database of one node, of before, is brought up to date, and what it has is that node’s', async () => {
    const { url, name } = await server.database();
    const gates = [{ key: 'task', value: '', limit: 1, whenFull: 'refuse' as const }];
    const record = JSON.stringify(recordOf(a, 'running', { gates })).replaceAll("'", "''");
    await server.query(
      `CREATE SCHEMA spear; SET search_path = spear; ${migrations[0]}
       CREATE TABLE schema_version (version int NOT NULL); INSERT INTO schema_version VALUES (1);
       SELECT register_node('node_1', 3000);
       INSERT INTO executions (execution_id, owner, last_sequence, bytes, tenant, status, created_at, record)
         VALUES ('${a}', 1, 3, 2048, 'default', 'running', 1, '${record}');
       INSERT INTO batches (batch_id, tenant, members, batch)
         VALUES ('batch_1', 'default', 1, '{"batchId":"batch_1","members":1}');
       SELECT fence_node(1);`,
      name,
    );
    const two = await openOn(url, 'node_2');
    expect(await two.store.unfinished('', 9)).toEqual([]);
    expect((await two.membership.orphans('', 9)).map(({ nodeId }) => nodeId)).toEqual(['node_1']);
    const one = await openOn(url, 'node_1');
    expect((await one.store.unfinished('', 9)).map(({ executionId: id }) => id)).toEqual([a]);
    expect((await one.store.unfinishedBatches()).map(({ batch }) => batch.batchId)).toEqual(['batch_1']);
    expect(await two.membership.orphans('', 9)).toEqual([]);
    expect(await two.queue.withKey('default', 'task', '')).toMatchObject([{ record: { executionId: a } }]);
  });

  test('what a node has staged that is gone is dropped when one comes, and what one that lives has stays', async () => {
    const { url, name } = await server.database();
    const one = await openOn(url, 'node_1');
    const two = await openOn(url, 'node_2');
    const events = [transition(1, '', 'pending.queued')];
    await one.store.stage(a, events);
    await two.store.stage(b, events);
    await one.store.close();
    const again = await openOn(url, 'node_1');
    const rows = await server.query('SELECT execution_id FROM spear.segments', name);
    expect(rows.map((row) => row.execution_id)).toEqual([b]);
    await again.store.stage(a, events);
    const whole = { ...appending(b, 1, [result(2)]), record: recordOf(b, 'completed', { lastSequence: 2 }) };
    expect(await two.store.commit([whole])).toMatchObject([{ ok: true }]);
  });

  describe('what a node leaves', () => {
    test('is claimed by one of the others, once each', async () => {
      const { url } = await server.database();
      const one = await openOn(url, 'node_1');
      const ids = Array.from({ length: 40 }, (_, index) => executionId(index + 1));
      await one.store.commit(ids.map((id, index) => unfinished(id, index < 20 ? 'line' : undefined)));
      one.membership.leaving();
      await one.store.close();
      const two = await openOn(url, 'node_2');
      const three = await openOn(url, 'node_3');
      const orphans = await two.membership.orphans('', 100);
      expect(orphans.map((orphan) => orphan.executionId)).toEqual(ids);
      // Those that wait in a line need no look at their records.
      expect(orphans.map(({ record }) => record?.executionId)).toEqual(
        ids.map((id, index) => (index < 20 ? undefined : id)),
      );
      expect(orphans[0]).toMatchObject({ nodeId: 'node_1', planned: true });
      expect(orphans[0]?.since).toBeGreaterThanOrEqual(0);
      const claims = await Promise.all([two, three].map(({ membership }) => membership.claim(ids)));
      const got = claims.map(({ executions }) => executions.map(({ record }) => record.executionId));
      expect(got.flat().sort()).toEqual(ids.slice(20));
      const lines = claims.flatMap((claimed) => claimed.lines);
      expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(20);
      expect(lines).toEqual(lines.map((line) => ({ ...line, line: 'line', since: 5, wakesAt: 900 })));
      expect(
        claims.flatMap(({ executions }) => executions.map(({ outline }) => outline?.lastTime)),
      ).not.toContain(undefined);
      // Whoever has not heard the answer asks again.
      for (const [index, { membership }] of [two, three].entries())
        expect(await membership.claim(ids)).toEqual(claims[index]);
      expect(await two.membership.orphans('', 100)).toEqual([]);
    });

    test('is written on behind its last position, also where whoever had it in between wrote nothing', async () => {
      const { url } = await server.database();
      const first = await openOn(url, 'node_1');
      for (let other = 0; other < 9; other++) await first.store.commit([unfinished(executionId(20 + other))]);
      const heir = await openOn(url, 'node_3');
      const second = await openOn(url, 'node_2');
      const [{ position: last = 0 } = {}] = (await first.store.commit([unfinished(a)])) as {
        position: number;
      }[];
      await first.store.close();
      expect((await second.membership.claim([a])).executions).toHaveLength(1);
      await second.store.close();
      expect((await heir.membership.claim([a])).executions).toHaveLength(1);
      const [next] = await heir.store.commit([appending(a, 3, [chunk(4, Uint8Array.of(1))])]);
      expect(next).toMatchObject({ ok: true });
      // Three events were written at once.
      expect((next as { position: number }).position).toBeGreaterThan(last + 2);
    });

    test('is theirs but for what it keeps, while it still has its right to write', async () => {
      const { url } = await server.database();
      const one = await openOn(url, 'node_1');
      const two = await openOn(url, 'node_2');
      const [resting, queued] = [executionId(7), executionId(8)];
      await one.store.commit([
        unfinished(a),
        unfinished(b),
        unfinished(resting, 'pending:default'),
        unfinished(queued, 'default/task'),
      ]);
      const ids = [a, b, resting, queued];
      expect(await two.membership.claim(ids)).toEqual({ executions: [], lines: [], queued: 0 });
      await one.membership.keepOnly([a]);
      const left = await two.membership.orphans('', 9);
      expect(left.map((orphan) => [orphan.executionId, orphan.planned])).toEqual(
        [b, resting, queued].sort().map((id) => [id, true]),
      );
      // Its own are not for itself to take.
      expect(await one.membership.orphans('', 9)).toEqual([]);
      expect(await two.membership.ownerOf(a)).toMatchObject({ nodeId: 'node_1' });
      expect(await two.membership.ownerOf(b)).toBeUndefined();
      expect(await two.membership.claim(ids)).toMatchObject({
        executions: [{ record: { executionId: b } }],
        lines: [{ line: 'pending:default', count: 1 }],
        queued: 1,
      });
      expect((await two.queue.waiting('default/task', 9)).map(({ record }) => record.executionId)).toEqual([
        queued,
      ]);
      const next = [chunk(4, Uint8Array.of(1))];
      expect(await one.store.commit([appending(a, 3, next), appending(b, 3, next)])).toMatchObject([
        { ok: true },
        { ok: false, conflict: 'owner' },
      ]);
      await one.membership.keepOnly([]);
      expect((await two.membership.claim(ids)).executions).toMatchObject([
        { record: { executionId: a } },
        { record: { executionId: b } },
      ]);
    });

    test('is told to the others as soon as it leaves', async () => {
      const { url } = await server.database();
      const one = await openOn(url, 'node_1');
      const two = await openOn(url, 'node_2');
      await one.store.commit([unfinished(a)]);
      const heard = Promise.withResolvers<void>();
      two.membership.onGone(() => {
        void two.membership.orphans('', 9).then(({ length }) => length > 0 && heard.resolve());
      });
      await one.store.close();
      await heard.promise;
    });

    test('is its own while it lives, and while its lease was only late', async () => {
      const { url, name } = await server.database();
      const one = await openOn(url, 'node_1');
      await one.store.commit([unfinished(a)]);
      const two = await openOn(url, 'node_2');
      await expire(name, one.membership);
      // A late renewal counts.
      await expect
        .poll(() => two.membership.peers().find(({ nodeId }) => nodeId === 'node_1')?.alive)
        .toBe(true);
      expect(await two.membership.orphans('', 9)).toEqual([]);
      expect(await two.membership.claim([a])).toEqual({ executions: [], lines: [], queued: 0 });
      expect(await one.store.commit([appending(a, 3, [chunk(4, Uint8Array.of(1))])])).toMatchObject([
        { ok: true },
      ]);
    });

    test('comes with its batches', async () => {
      const { url } = await server.database();
      const one = await openOn(url, 'node_1');
      const batch: Batch = {
        batchId: 'batch_00000000000000000000000001',
        ...{ invocationId: '', payloadDigest: '', createdAt: 1, members: 1, layers: 1 },
        ...{ onMemberFailure: 'continue', taskNames: ['echo'] },
      };
      const of = { batchId: batch.batchId, member: 0, name: 'only' };
      const record = recordOf(a, 'pending', { lastSequence: 1, batch: of });
      await one.store.admitBatch(batch, [
        {
          ...appending(a, 0, [transition(1, '', 'pending.queued')]),
          record,
          member: { layer: 0, follows: [] },
        },
      ]);
      const two = await openOn(url, 'node_2');
      expect(await two.membership.claimBatches()).toBe(false);
      expect(await two.store.unfinishedBatches()).toEqual([]);
      await one.store.close();
      expect(await two.membership.claimBatches()).toBe(true);
      expect((await two.store.unfinishedBatches()).map(({ batch: { batchId } }) => batchId)).toEqual([
        batch.batchId,
      ]);
    });
  });

  test('who follows the others has a position of each, and misses nothing that they write', async () => {
    const { url } = await server.database();
    const one = await openOn(url, 'node_1');
    const two = await openOn(url, 'node_2');
    await two.store.commit([unfinished(executionId(8))]);
    const { executionIds, now } = await one.membership.changes(new Map(), 10);
    expect([executionIds, [...now.keys()]]).toEqual([[], [two.membership.incarnation]]);
    await two.store.commit([unfinished(a)]);
    await one.store.commit([unfinished(b)]);
    const seen = await one.membership.changes(now, 10);
    expect(seen.executionIds).toEqual([a]);
    expect((await one.membership.changes(seen.now, 10)).executionIds).toEqual([]);
    const third = await openOn(url, 'node_3');
    const { now: all } = await one.membership.changes(seen.now, 10);
    const ids = Array.from({ length: 7 }, (_, index) => executionId(20 + index));
    for (const id of ids) await third.store.commit([unfinished(id)]);
    await third.store.close();
    const found = new Set<string>();
    for (let at = all, page = 0; page < 5; page++) {
      const next = await one.membership.changes(at, 2);
      for (const id of next.executionIds) found.add(id);
      at = next.now;
    }
    expect([...found]).toEqual(ids);
  });

  test('what is taken over is looked at as often for each, however much has been taken before', async () => {
    const { url, name } = await server.database();
    const [one, two] = [await openOn(url, 'node_1'), await openOn(url, 'node_2')];
    const ids = Array.from({ length: 2000 }, (_, index) => executionId(index + 1));
    for (let from = 0; from < ids.length; from += 500)
      await one.store.commit(ids.slice(from, from + 500).map((id) => unfinished(id, 'line')));
    await one.membership.keepOnly([]);
    const looked = async (): Promise<number> => {
      const [row] = await server.query(
        `SELECT sum(idx_tup_read) AS looked FROM pg_stat_user_indexes WHERE relname = 'executions'`,
        name,
      );
      return Number(row?.looked);
    };
    for (let from = 0; from < ids.length; from += 100)
      await two.membership.claim(ids.slice(from, from + 100));
    expect(await two.store.waitingLines()).toEqual([{ line: 'line', count: 2000 }]);
    // What a session has counted is told when it ends.
    await Promise.all([one.store.close(), two.store.close()]);
    // 7 for each, and 54 where each page goes through all that the node has.
    await expect.poll(looked).toBeGreaterThan(6 * ids.length);
    expect(await looked()).toBeLessThan(10 * ids.length);
  });

  test('work for all is one node’s, and another’s when that is gone', async () => {
    const { url } = await server.database();
    const one = await openOn(url, 'node_1');
    const first = one.membership.lease('schedules');
    await expect.poll(() => first.epoch).toBe(1);
    const two = await openOn(url, 'node_2');
    const second = two.membership.lease('schedules');
    const other = two.membership.lease('retention');
    await expect.poll(() => other.epoch).toBe(1);
    expect(second.epoch).toBeUndefined();
    await one.store.close();
    await expect.poll(() => second.epoch).toBe(2);
  });

  test('whose lease is over loses its right to write, by one that has renewed its own for long enough', {
    timeout: 20_000,
  }, async () => {
    const { url, name } = await server.database();
    const lost = Promise.withResolvers<Error>();
    const one = await openOn(url, 'node_1', (error) => lost.resolve(error));
    await one.store.commit([unfinished(a)]);
    const two = await openOn(url, 'node_2');
    // As one whose renewals do not get through.
    await server.query(
      `CREATE RULE frozen AS ON UPDATE TO spear.nodes WHERE old.incarnation = ${one.membership.incarnation}
         AND new.lease_until > old.lease_until DO INSTEAD NOTHING`,
      name,
    );
    await expire(name, one.membership);
    await expect.poll(() => two.membership.orphans('', 9), { timeout: 15_000 }).toHaveLength(1);
    await expect(one.store.commit([creating(b)])).rejects.toMatchObject({ name: 'Fenced' });
    expect((await lost.promise).name).toBe('Fenced');
    expect(one.membership.mayAct()).toBe(false);
    expect((await two.membership.claim([a])).executions).toMatchObject([{ record: { executionId: a } }]);
    expect(await two.store.commit([appending(a, 3, [chunk(4, Uint8Array.of(1))])])).toMatchObject([
      { ok: true },
    ]);
  });
});
