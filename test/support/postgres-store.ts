/**
 * `SPEAR_TEST_STORE=postgres` lets the nodes of all tests keep their executions in a PostgreSQL: one server for each
 * process of tests, and a database for each data folder.
 */
import { type PostgresServer, startPostgres } from './postgres.ts';

const databases = new Map<string, string>();
let started: Promise<PostgresServer> | undefined;

/** Flags of a node on that data folder. */
export async function storeFlags(dataDir: string): Promise<{ readonly store?: string }> {
  if (process.env.SPEAR_TEST_STORE !== 'postgres') return {};
  if (started === undefined) {
    started = startPostgres();
    const server = await started;
    process.once('exit', () => server.kill());
  }
  const known = databases.get(dataDir);
  if (known !== undefined) return { store: known };
  const { url } = await (await started).database();
  databases.set(dataDir, url);
  return { store: url };
}
