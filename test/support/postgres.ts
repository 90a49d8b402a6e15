/**
 * A real PostgreSQL for tests, without systemd: Debian's package, started on a folder of its own. Started once for each
 * process of tests, with a database for each that asks for one; what needs to stop it starts one of its own.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { appendFile, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const password = 'p@ss:word';
const versions = '/usr/lib/postgresql';

/** Where initdb and postgres are; undefined where there is no such package. */
function programs(): string | undefined {
  if (!existsSync(versions)) return undefined;
  const newest = readdirSync(versions).sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(versions, newest, 'bin');
}

/** Why there is none here; empty where there is one. */
export function postgres(): string {
  return programs() === undefined ? "no PostgreSQL; install Debian's postgresql-15" : '';
}

export interface PostgresServer {
  readonly port: number;
  /** A fresh database; the URL is as `--store` takes it. */
  database(): Promise<{ readonly url: string; readonly name: string }>;
  /** Statements as its administrator, in a database. */
  query(text: string, database?: string): Promise<Record<string, unknown>[]>;
  /** A connection of its administrator to a database, which whoever asks for it ends. */
  connect(database?: string): Promise<pg.Client>;
  /** A standby that follows it, and that it knows by a name. */
  standby(name?: string): Promise<PostgresStandby>;
  /** Of its postmaster. */
  pid(): number;
  /** As a crash: nothing is written that was not yet. */
  crash(): Promise<void>;
  /** Its postmaster is killed by SIGKILL, and its sessions end with it. */
  murder(): void;
  start(): Promise<void>;
  remove(): Promise<void>;
  /** At once, where nobody can wait any more. */
  kill(): void;
}

export interface PostgresStandby {
  readonly port: number;
  /** Statements as its administrator. */
  query(text: string, database?: string): Promise<Record<string, unknown>[]>;
  remove(): Promise<void>;
}

/**
 * With `scram-sha-256` its administrator, postgres, has the password `p@ss:word`.
 *
 * @param settings lines of postgresql.conf, beside those of every test
 */
export async function startPostgres(
  settings: readonly string[] = [],
  login: 'trust' | 'scram-sha-256' = 'trust',
): Promise<PostgresServer> {
  const bin = programs();
  if (bin === undefined) throw new Error(postgres());
  const parent = await mkdtemp(join(tmpdir(), 'spear-postgres-'));
  const folder = join(parent, 'data');
  const port = await freePort();
  // Neither initdb nor postgres runs as root.
  const isRoot = process.getuid?.() === 0;
  const asPostgres = isRoot ? ['--reuid=postgres', '--regid=postgres', '--init-groups'] : [];
  const call = (program: string, args: readonly string[]) =>
    isRoot
      ? run('setpriv', [...asPostgres, join(bin, program), ...args], { cwd: parent })
      : run(join(bin, program), args, { cwd: parent });
  if (isRoot) {
    const { stdout } = await run('id', ['-u', 'postgres']);
    await chown(parent, Number(stdout), -1);
  }
  await writeFile(join(parent, 'password'), password);
  const initial = ['-A', login, '-U', 'postgres', `--pwfile=${join(parent, 'password')}`];
  await call('initdb', ['-D', folder, ...initial, '-E', 'UTF8', '--locale=C']);
  const always = [
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    "unix_socket_directories = ''",
    'shared_buffers = 128MB',
    'max_wal_size = 2GB',
    'max_connections = 200',
  ];
  await writeFile(join(folder, 'postgresql.auto.conf'), [...always, ...settings, ''].join('\n'));
  const log = join(parent, 'log');
  const server: PostgresServer = {
    port,
    async database() {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await server.query(`CREATE DATABASE ${name}`);
      return { name, url: `postgres://postgres@127.0.0.1:${port}/${name}?sslmode=disable` };
    },
    async connect(database = 'postgres') {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database });
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    async query(text, database) {
      const client = await server.connect(database);
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    },
    async standby(name = 'standby') {
      const copy = join(parent, `standby-${randomBytes(3).toString('hex')}`);
      const copyPort = await freePort();
      const from = ['-d', `host=127.0.0.1 port=${port} user=postgres application_name=${name}`];
      await call('pg_basebackup', [...from, '-D', copy, '-R', '-c', 'fast']);
      await appendFile(join(copy, 'postgresql.auto.conf'), `port = ${copyPort}\n`);
      const stop = ['-D', copy, '-m', 'immediate', '-w', 'stop'];
      await call('pg_ctl', ['-D', copy, '-l', join(parent, 'standby-log'), '-w', 'start']);
      return {
        port: copyPort,
        query: (text, database) => ask(copyPort, text, database),
        remove: async () => void (await call('pg_ctl', stop)),
      };
    },
    async crash() {
      await call('pg_ctl', ['-D', folder, '-m', 'immediate', '-w', 'stop']);
    },
    murder() {
      process.kill(postmaster(folder), 'SIGKILL');
    },
    async start() {
      await call('pg_ctl', ['-D', folder, '-l', log, '-w', '-t', '60', 'start']);
    },
    async remove() {
      await call('pg_ctl', ['-D', folder, '-m', 'immediate', '-w', 'stop']).catch(() => {});
      await rm(parent, { recursive: true, force: true });
    },
    pid: () => postmaster(folder),
    kill() {
      process.kill(postmaster(folder), 'SIGQUIT');
      rmSync(parent, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** A statement of the administrator. */
async function ask(port: number, text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function postmaster(folder: string): number {
  const [pid = ''] = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
  return Number(pid);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
