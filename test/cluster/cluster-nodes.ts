/**
 * Nodes on one database, each in a network of its own where the machine makes those, behind a proxy on its way to the
 * database and another in front of its link, and started again when it ends.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ConfigFlags } from '../../src/config.ts';
import { nodeIdFile } from '../../src/stores/node-id.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../support/server.ts';
import { type TcpProxy, tcpProxy } from '../support/tcp-proxy.ts';
import type { Namespace, Network } from './namespaces.ts';

const localhost = '127.0.0.1';
/** Of the output of each run so many lines are kept. */
const keptLines = 400;

/** What all nodes of a cluster share. */
export interface Cluster {
  /** As `--store` takes it, with the database on a port of this machine. */
  readonly url: string;
  readonly databasePort: number;
  /** The file of the secret. */
  readonly secret: string;
  readonly network: Network | undefined;
  readonly flags: ConfigFlags;
}

/** One node, whichever run of it there is. */
export class ClusterNode {
  readonly name: string;
  /** On the way to the database. */
  readonly proxy: TcpProxy;
  /** In front of its link: others come through it. */
  readonly link: TcpProxy;
  /** Its network; undefined where it has that of the machine. */
  readonly namespace: Namespace | undefined;
  readonly dataDir: string;
  /** The run that answers; undefined while there is none. */
  server: ChildServer | undefined;
  /** Lines of all runs that say that Spear itself is wrong. */
  readonly bugs: string[] = [];
  /** What runs that have ended have written last. */
  readonly earlier: string[] = [];
  /** Runs that others have fenced. */
  fenced = 0;
  /** How long after its end the next run is started, in milliseconds. */
  restMs = 0;
  readonly #flags: ConfigFlags;
  readonly #entry: readonly string[];
  #closed = false;
  #running: Promise<void> | undefined;

  private constructor(
    parts: Pick<ClusterNode, 'name' | 'proxy' | 'link' | 'namespace' | 'dataDir'>,
    flags: ConfigFlags,
  ) {
    this.name = parts.name;
    this.proxy = parts.proxy;
    this.link = parts.link;
    this.namespace = parts.namespace;
    this.dataDir = parts.dataDir;
    this.#flags = flags;
    this.#entry = parts.namespace?.entry ?? [];
  }

  static async start(name: string, cluster: Cluster): Promise<ClusterNode> {
    const { url, databasePort, secret, network, flags } = cluster;
    const namespace = await network?.namespace();
    const [here, there] = [network?.address ?? localhost, namespace?.address ?? localhost];
    const linkPort = await freePort(there === localhost ? localhost : undefined);
    const proxy = await tcpProxy(databasePort, localhost, here);
    const link = await tcpProxy(linkPort, there, here);
    const parts = { name, proxy, link, namespace, dataDir: await temporaryDataDir() };
    const node = new ClusterNode(parts, {
      ...flags,
      store: url.replace(`${localhost}:${databasePort}/`, `${here}:${proxy.port}/`),
      nodeName: name,
      grpcAddress: `${there}:0`,
      httpAddress: `${there}:0`,
      insecureListen: true,
      clusterListen: `${there}:${linkPort}`,
      clusterAddress: `${here}:${link.port}`,
      clusterSecretFile: secret,
      // On a busy machine what a fault took comes back late: what stood still for too long would have failed.
      partitionGrace: '10m',
    });
    node.#running = node.#keep();
    await node.ready();
    return node;
  }

  async ready(): Promise<ChildServer> {
    while (this.server === undefined) await pause(20);
    return this.server;
  }

  /** By which what it runs is known. */
  get nodeId(): string {
    return readFileSync(join(this.dataDir, nodeIdFile), 'utf8').trim();
  }

  signal(name: NodeJS.Signals): void {
    this.server?.process.kill(name);
  }

  /** The last lines of its runs, the newest last. */
  lines(most: number): string[] {
    return [...this.earlier, ...(this.server?.output ?? [])].slice(-most);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.proxy.swallow(false);
    this.link.swallow(false);
    this.signal('SIGCONT');
    this.signal('SIGKILL');
    await this.#running;
    await this.proxy.close();
    await this.link.close();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #keep(): Promise<void> {
    while (!this.#closed) {
      try {
        const server = await spawnServer(this.dataDir, this.#flags, [], {}, undefined, this.#entry);
        this.server = server;
        if (this.#closed) server.process.kill('SIGKILL');
        const { code } = await server.exited;
        this.server = undefined;
        server.connection.close();
        this.#ended(server, code);
      } catch (error) {
        // The database is down, or cannot be reached: it is tried again.
        this.earlier.push(String(error));
        await pause(200);
      }
      const until = performance.now() + this.restMs;
      while (!this.#closed && performance.now() < until) await pause(20);
    }
  }

  #ended({ output }: ChildServer, code: number | null): void {
    this.earlier.push(...output);
    this.earlier.splice(0, this.earlier.length - keptLines);
    this.bugs.push(...output.filter((line) => line.includes('"msg":"bug:')));
    if (code === 1) this.fenced += 1;
    else if (code !== null && code !== 0) this.bugs.push(`${this.name} ended with ${code}: ${output.at(-1)}`);
  }
}

/** The file of the secret that the nodes share. */
export function sharedSecret(folder: string): string {
  const path = join(folder, 'secret');
  writeFileSync(path, 'the same thirty-two bytes on each node', { mode: 0o600 });
  return path;
}

/** Free at an address of this machine; in a network where nothing else listens every port is. */
async function freePort(host: string | undefined): Promise<number> {
  if (host === undefined) return 7000;
  const server = createServer().listen(0, host);
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
