import { afterAll, beforeAll } from 'vitest';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { storeContract } from './contract.ts';
import { openOn } from './postgres-store.ts';

describeWhere([postgres()], 'a store in PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  storeContract('postgres', async () => (await openOn((await server.database()).url)).store);
});
