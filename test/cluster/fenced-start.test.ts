/** A node that is taken for dead while it still starts says so as any other that is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanExit, dataFolder, spawn } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';

describeWhere([postgres()], 'a node that loses its right to write while it starts', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('ends with 1 and one line', async () => {
    const { url: store, name } = await server.database();
    const first = await spawn(await dataFolder(), { store });
    expect(await first.end('SIGTERM')).toEqual(cleanExit);
    // As a node would that was started after this one hung.
    await server.query(
      `CREATE FUNCTION spear.take_it() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN DELETE FROM spear.fences WHERE incarnation = NEW.incarnation; RETURN NULL; END $$;
       CREATE TRIGGER take_it AFTER INSERT ON spear.fences FOR EACH ROW EXECUTE FUNCTION spear.take_it()`,
      name,
    );
    const said = await spawn(await dataFolder(), { store }).then(
      () => 'it started',
      (error: Error) => error.message,
    );
    expect(said).toContain('other nodes have taken over what this one had: it ends');
    expect(said).not.toMatch(/^\s+at /m);
  });
});
