import type { Server } from 'node:net';
import type { NetworkRefusal } from '../../../domain/network/refusal.ts';
import { Forwarder } from '../../network/forwarder.ts';
import { NetworkGate } from '../../network/gate.ts';
import { type AttemptIo, LaunchError } from '../../runtime.ts';
import type { EngineConnection } from '../engine/connection.ts';
import { listenInNamespace, proxyPort } from './namespace-listener.ts';
import type { StartGate } from './start-gate.ts';

const inspectMs = 10_000;

/** Variables that programs find their proxy by; which of them a program reads differs. */
export const proxyVariables: Readonly<Record<string, string>> = Object.fromEntries(
  ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [
    name,
    `http://127.0.0.1:${proxyPort}`,
  ]),
);

/** What a node has that can give containers a proxy. */
export interface ProxyTools {
  /** Path of the command. */
  readonly nsenter: string;
  readonly gate: StartGate;
  /** Ports of the node itself, as far as they are known yet. */
  readonly ownPorts: () => readonly number[];
}

interface ContainerNetworkOptions {
  readonly connection: EngineConnection;
  readonly containerId: string;
  readonly proxy: ProxyTools;
  /** The network list of its task. */
  readonly entries: readonly string[];
}

/** The only way out of a container without a network: a proxy on its loopback, which asks the network list. */
export class ContainerNetwork {
  readonly #forwarder: Forwarder;
  readonly #server: Server;
  /** Told before anybody could hear of them. */
  #held: NetworkRefusal[] = [];
  #io: AttemptIo | undefined;

  private constructor(server: Server, { entries, proxy }: ContainerNetworkOptions) {
    this.#server = server;
    const gate = new NetworkGate({
      entries,
      ownPorts: proxy.ownPorts,
      tell: (refusal) => {
        if (this.#io === undefined) this.#held.push(refusal);
        else this.#io.refused(refusal);
      },
    });
    this.#forwarder = new Forwarder(gate);
    server.on('connection', (socket) => this.#forwarder.accept(socket));
    // One connection that fails is no reason to end the node.
    server.on('error', () => {});
  }

  /**
   * Of a container that is there; undefined where it has ended already. Rejects with a LaunchError where its network
   * namespace cannot be entered.
   */
  static async open(options: ContainerNetworkOptions): Promise<ContainerNetwork | undefined> {
    const pid = await pidOf(options);
    if (pid === 0) return undefined;
    let server: Server;
    try {
      server = await listenInNamespace(options.proxy.nsenter, pid);
    } catch (cause) {
      if ((await pidOf(options)) !== pid) return undefined;
      const why = cause instanceof Error ? cause.message : 'unknown';
      throw new LaunchError('START_FAILED', `the network of the container could not be made: ${why}`, {
        cause,
      });
    }
    // Its number may have become another process's meanwhile.
    if ((await pidOf(options)) === pid) return new ContainerNetwork(server, options);
    server.close();
    return undefined;
  }

  /** From now on an attempt hears of refusals, and of those before. */
  serve(io: AttemptIo): void {
    this.#io = io;
    for (const refusal of this.#held.splice(0)) io.refused(refusal);
  }

  close(): void {
    this.#server.close();
    this.#forwarder.close();
  }
}

/** 0 where it does not run. */
async function pidOf({ connection, containerId }: ContainerNetworkOptions): Promise<number> {
  const { State } = await connection.call(inspectMs, (docker) => docker.getContainer(containerId).inspect());
  return State.Running ? State.Pid : 0;
}
