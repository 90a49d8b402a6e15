import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/actors/time/system-clock.ts';
import { withOutbox } from '../../src/stores/outbox.ts';
import { loadDriver } from '../../src/stores/postgres/engine/driver.ts';
import { Session } from '../../src/stores/postgres/engine/session.ts';
import { type CommitEntry, type CommitResult, InDoubtError, type Store } from '../../src/stores/store.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';
import { a, all, appending, creating, sequences } from './contract/entries.ts';
import { addressOf, openOn } from './postgres-store.ts';
import { executionId, recordOf, result, shortLog } from './samples.ts';

/** PostgreSQL, "Message Formats", ReadyForQuery: idle. */
const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

describeWhere([postgres()], 'a store in PostgreSQL that is disturbed', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  /** A database that is reached through a proxy. */
  async function proxied(): Promise<{
    readonly proxy: TcpProxy;
    readonly url: string;
    readonly name: string;
  }> {
    const { url, name } = await server.database();
    const proxy = await tcpProxy(server.port);
    onTestFinished(() => proxy.close());
    return { proxy, name, url: url.replace(`:${server.port}/`, `:${proxy.port}/`) };
  }

  /** As the committer of a node does: the same again, until it is known what became of it. */
  async function committed(store: Store, entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (;;) {
      try {
        return await store.commit(entries);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'InDoubtError') throw error;
        await pause(20);
      }
    }
  }

  test('an engine that takes a connection and then says nothing is given up, and asked again', async () => {
    const { proxy, url } = await proxied();
    const address = addressOf(url);
    const driver = await loadDriver();
    const session = new Session({ address, driver, kind: 'reader', clock: systemClock, connectMs: 1000 });
    onTestFinished(() => session.close());
    let asked = 0;
    // It says that it is ready, and nothing more.
    proxy.onAnswer((bytes) => {
      if (!bytes.includes(ready)) return false;
      asked += 1;
      queueMicrotask(() => proxy.swallow(true));
      return false;
    });
    const one = { text: 'SELECT 1 AS one' };
    await expect(session.run(one)).rejects.toThrow('the engine has not answered for 1000 ms');
    expect(asked).toBe(1);
    proxy.onAnswer(undefined);
    proxy.swallow(false);
    expect(await session.run(one)).toEqual([{ one: 1 }]);
  });

  test('a commit whose answer was lost is made once, and answered as it was', async () => {
    const { proxy, url } = await proxied();
    const { store } = await openOn(url);
    await store.commit([creating(a, 'running')]);
    proxy.onAnswer((bytes) => bytes.includes('SELECT 1'));
    const entries = [appending(a, 3, [result(4)]), creating(a), creating(executionId(2))];
    await expect(store.commit(entries)).rejects.toBeInstanceOf(InDoubtError);
    proxy.onAnswer(undefined);
    expect(await committed(store, entries)).toEqual([
      { ok: true, position: 4 },
      { ok: false, conflict: 'sequence', lastSequence: 4 },
      { ok: true, position: 5 },
    ]);
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3, 4]);
    expect(await store.commit([creating(executionId(3))])).toEqual([{ ok: true, position: 8 }]);
  });

  test('so is one with ends of which others are told', async () => {
    const { proxy, url } = await proxied();
    const { store } = await openOn(url);
    const told = withOutbox(store);
    await store.commit([creating(executionId(2))]);
    const record = recordOf(a, 'completed', { onEnd: [{ url: 'https://a.example/hook' }] });
    const entries = [{ ...creating(a), record }];
    proxy.onAnswer((bytes) => bytes.includes('SELECT 1'));
    await expect(told.commit(entries)).rejects.toBeInstanceOf(InDoubtError);
    proxy.onAnswer(undefined);
    expect(await committed(told, entries)).toEqual([{ ok: true, position: 4 }]);
  });

  test('one that is in doubt is settled before the next, whoever makes that', async () => {
    const { proxy, url } = await proxied();
    const { store } = await openOn(url);
    await store.commit([creating(a, 'running')]);
    proxy.onAnswer((bytes) => bytes.includes('SELECT 1'));
    const lost = [appending(a, 3, [result(4)])];
    await expect(store.commit(lost)).rejects.toBeInstanceOf(InDoubtError);
    proxy.onAnswer(undefined);
    expect(await committed(store, [appending(a, 3, [result(4)])])).toEqual([
      { ok: false, conflict: 'sequence', lastSequence: 4 },
    ]);
    expect(await store.commit(lost)).toEqual([{ ok: true, position: 4 }]);
  });

  test('whenever connections are cut, each commit is made once and positions have no gap', async () => {
    const { proxy, url } = await proxied();
    const { store } = await openOn(url);
    let number = 0;
    let doubts = 0;
    let next = 1;
    const round = async (after: number): Promise<void> => {
      const cutting = pause(after).then(() => proxy.cut());
      for (let turn = 0; turn < 4; turn++) {
        const entries = Array.from({ length: 10 }, () => creating(executionId(++number)));
        const results = await store.commit(entries).catch(async (error: Error) => {
          if (error.name === 'InDoubtError') doubts += 1;
          // The first statement on a connection that was cut before is in doubt as well.
          else if (error.name !== 'StoreError') throw error;
          return committed(store, entries);
        });
        expect(results).toEqual(entries.map((_, index) => ({ ok: true, position: next + 3 * index })));
        next += 30;
      }
      await cutting;
    };
    await fc.assert(fc.asyncProperty(fc.nat({ max: 12 }), round), { numRuns: 60, endOnFailure: true });
    expect(doubts).toBeGreaterThan(0);
    expect(await store.lastPosition()).toBe(next - 1);
    const { executions } = await store.counts();
    expect(executions.completed).toBe(number);
  });

  test('reads find a connection again that was lost, and a link that swallows is not waited for', async () => {
    const { proxy, url } = await proxied();
    const { store } = await openOn(url);
    await store.commit([creating(a)]);
    expect(await store.execution(a)).toBeDefined();
    proxy.cut();
    expect(await store.execution(a)).toBeDefined();
    await server.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    );
    expect(await store.execution(a)).toBeDefined();
    expect(await committed(store, [creating(executionId(2))])).toMatchObject([{ ok: true }]);
  });

  test('an engine that crashes and comes back has all that was acknowledged', async () => {
    const own = await startPostgres();
    onTestFinished(() => own.remove());
    const { url } = await own.database();
    const { store } = await openOn(url);
    await store.commit([creating(a, 'running')]);
    await own.crash();
    const entries = [appending(a, 3, [result(4)])];
    await expect(store.commit(entries)).rejects.toMatchObject({ kind: 'medium' });
    await expect(store.execution(a)).rejects.toMatchObject({ name: 'StoreError' });
    await own.start();
    expect(await store.execution(a)).toMatchObject({ status: 'running' });
    expect(await committed(store, entries)).toEqual([{ ok: true, position: 4 }]);
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3, 4]);
  });

  test('who is fenced writes nothing any more, and hears of it', async () => {
    const { url, name } = await server.database();
    const lost = Promise.withResolvers<Error>();
    const { store, artifacts } = await openOn(url, 'node_1', (error) => lost.resolve(error));
    await store.commit([creating(a, 'running')]);
    const { store: heir } = await openOn(url, 'node_1');
    const fenced = { name: 'Fenced' };
    await expect(store.commit([appending(a, 3, [result(4)])])).rejects.toMatchObject(fenced);
    await expect(store.commit([creating(executionId(2))])).rejects.toMatchObject(fenced);
    await expect(store.commit([])).rejects.toMatchObject(fenced);
    await expect(store.delete(a)).resolves.toBe(false);
    await expect(store.saveQuota('a', { weight: 2 })).rejects.toMatchObject(fenced);
    await expect(artifacts.put(new Uint8Array(3))).rejects.toMatchObject(fenced);
    await expect(store.stage(executionId(3), shortLog())).rejects.toMatchObject(fenced);
    expect((await lost.promise).name).toBe('Fenced');
    const [kept] = await heir.commit([{ ...appending(a, 3, [result(4)]), record: recordOf(a, 'completed') }]);
    expect(kept).toEqual({ ok: true, position: 4 });
    const rows = await server.query('SELECT writer FROM spear.segments ORDER BY position', name);
    expect(rows.map(({ writer }) => Number(writer))).toEqual([1, 2]);
  });

  test('artifacts are on every node, and come back where a file is gone or damaged', async () => {
    const { url } = await server.database();
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => index * 7);
    const { store, artifacts } = await openOn(url);
    const { sha256 } = await artifacts.put(bytes);
    await artifacts.put(bytes);
    const { sha256: none } = await artifacts.put(new Uint8Array());
    await store.close();
    const { artifacts: others } = await openOn(url, 'node_2');
    expect(await others.has(sha256)).toBe(true);
    expect(await others.has('0'.repeat(64))).toBe(false);
    expect(Buffer.compare(await others.load(sha256), bytes)).toBe(0);
    expect(Buffer.compare(await others.load(sha256), bytes)).toBe(0);
    expect(await others.load(none)).toHaveLength(0);
    await expect(others.load('0'.repeat(64))).rejects.toMatchObject({ name: 'ArtifactError' });
  });

  test('an artifact that is fetched while the engine is away comes when it is back', async () => {
    const own = await startPostgres();
    onTestFinished(() => own.remove());
    const { url } = await own.database();
    const bytes = Uint8Array.from({ length: 2_500_000 }, (_, index) => index * 7);
    const { artifacts } = await openOn(url);
    const { sha256 } = await artifacts.put(bytes);
    const { artifacts: others, store } = await openOn(url, 'node_2');
    const { artifacts: closed, store: itsStore } = await openOn(url, 'node_3');
    await own.crash();
    const loading = others.load(sha256);
    const refused = expect(closed.load(sha256)).rejects.toMatchObject({ name: 'StoreError' });
    await expect(store.execution(a)).rejects.toMatchObject({ name: 'StoreError' });
    await itsStore.close();
    await refused;
    await own.start();
    expect(Buffer.compare(await loading, bytes)).toBe(0);
  });
});
