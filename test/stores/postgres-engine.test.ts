import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { schemaVersion } from '../../src/stores/postgres/schema/migrations.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { openOn } from './postgres-store.ts';

describeWhere([postgres()], 'an engine for a store', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('its schema is made once, also by nodes that start together, and is refused where it is newer', async () => {
    const { url, name } = await server.database();
    const opened = await Promise.allSettled([openOn(url, 'node_1'), openOn(url, 'node_1')]);
    expect(opened.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(await server.query('SELECT version FROM spear.schema_version', name)).toEqual([
      { version: schemaVersion },
    ]);
    await server.query('UPDATE spear.schema_version SET version = 1000', name);
    await expect(openOn(url)).rejects.toThrow(
      `the store was written by a newer Spear: its schema is version 1000, this one knows up to ${schemaVersion}`,
    );
  });

  test.for([
    ['fsync = off', 'has fsync = off, so that a crash may lose what it has acknowledged'],
    ['full_page_writes = off', 'has full_page_writes = off'],
    ['synchronous_commit = off', 'has synchronous_commit = off'],
    ['synchronous_commit = local', 'has synchronous_commit = local'],
  ])('%s is refused', async ([setting, told]) => {
    const own = await startPostgres([setting ?? '']);
    onTestFinished(() => own.remove());
    const { url } = await own.database();
    await expect(openOn(url)).rejects.toThrow(told);
  });

  test('of several hosts the primary is found, and a standby alone is refused', async () => {
    const { url } = await server.database();
    const standby = await server.standby();
    onTestFinished(() => standby.remove());
    const among = url.replace(`:${server.port}/`, `:1,127.0.0.1:${standby.port},127.0.0.1:${server.port}/`);
    const { store } = await openOn(among);
    expect(await store.commit([])).toEqual([]);
    const alone = url.replace(`:${server.port}/`, `:${standby.port}/`);
    await expect(openOn(alone)).rejects.toThrow(`at 127.0.0.1:${standby.port} is a standby`);
  });

  test('a database that is not there, and a host where nobody listens, are told as they are', async () => {
    const { url, name } = await server.database();
    await expect(openOn(url.replace(name, 'nowhere'))).rejects.toThrow('database "nowhere" does not exist');
    await expect(openOn(url.replace(`:${server.port}/`, ':1/'))).rejects.toThrow('ECONNREFUSED');
  });

  test('a password is asked for, and one that is wrong is not shown', async () => {
    const own = await startPostgres([], 'scram-sha-256');
    onTestFinished(() => own.remove());
    const { url } = await own.database();
    const withPassword = (password: string) => url.replace('postgres@', `postgres:${password}@`);
    const { store } = await openOn(withPassword('p%40ss:word'));
    expect(await store.commit([])).toEqual([]);
    await expect(openOn(withPassword('other'))).rejects.toThrow(
      /^(?!.*other).*password authentication failed for user "postgres"/,
    );
  });
});
