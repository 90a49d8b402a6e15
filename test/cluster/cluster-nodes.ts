/** Three nodes on one database, each behind a proxy of its own, which are started again when they end. */
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresServer } from '../support/postgres.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../support/server.ts';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';

/** One node, whichever run of it there is. */
export class ClusterNode {
  readonly name: string;
  readonly proxy: TcpProxy;
  /** The run that answers; undefined while there is none. */
  server: ChildServer | undefined;
  /** Lines of all runs that say that Spear itself is wrong. */
  readonly bugs: string[] = [];
  /** Runs that others have fenced. */
  fenced = 0;
  readonly #url: string;
  readonly #dataDir: string;
  readonly #secret: string;
  #closed = false;
  #running: Promise<void> | undefined;
  /** How long after its end the next run is started, in milliseconds. */
  restMs = 0;

  private constructor(name: string, proxy: TcpProxy, url: string, dataDir: string, secret: string) {
    this.name = name;
    this.proxy = proxy;
    this.#url = url;
    this.#dataDir = dataDir;
    this.#secret = secret;
  }

  static async start(
    name: string,
    database: PostgresServer,
    url: string,
    secret: string,
  ): Promise<ClusterNode> {
    const proxy = await tcpProxy(database.port);
    const store = url.replace(`:${database.port}/`, `:${proxy.port}/`);
    const node = new ClusterNode(name, proxy, store, await temporaryDataDir(), secret);
    node.#running = node.#keep();
    await node.ready();
    return node;
  }

  async ready(): Promise<ChildServer> {
    while (this.server === undefined) await pause(20);
    return this.server;
  }

  signal(name: NodeJS.Signals): void {
    this.server?.process.kill(name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.proxy.swallow(false);
    this.signal('SIGCONT');
    this.signal('SIGKILL');
    await this.#running;
    await this.proxy.close();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #keep(): Promise<void> {
    while (!this.#closed) {
      try {
        const server = await spawnServer(this.#dataDir, {
          store: this.#url,
          nodeName: this.name,
          slots: '6',
          allowHostAccess: true,
          clusterListen: '127.0.0.1:0',
          clusterSecretFile: this.#secret,
        });
        this.server = server;
        if (this.#closed) server.process.kill('SIGKILL');
        const { code } = await server.exited;
        this.server = undefined;
        server.connection.close();
        this.bugs.push(...server.output.filter((line) => line.includes('"msg":"bug:')));
        if (code === 1) this.fenced += 1;
        else if (code !== null && code !== 0)
          this.bugs.push(`${this.name} ended with ${code}: ${server.output.at(-1)}`);
      } catch {
        // The database is down: it is tried again.
        await pause(200);
      }
      const until = performance.now() + this.restMs;
      while (!this.#closed && performance.now() < until) await pause(20);
    }
  }
}

/** The file of the secret that the nodes share. */
export function sharedSecret(folder: string): string {
  const path = join(folder, 'secret');
  writeFileSync(path, 'the same thirty-two bytes on each node', { mode: 0o600 });
  return path;
}
