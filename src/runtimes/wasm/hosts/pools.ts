import type { Clock } from '../../../domain/clock.ts';
import type { InstanceReporter } from '../../../domain/instance.ts';
import type { WasmLogger } from '../logger.ts';
import { guestHostMain, type HostCode, readHostCode } from './host-code.ts';
import type { HostLauncher, HostProfile } from './host-process.ts';
import { HostPool } from './pool.ts';
import type { NetworkRules } from './protocol.ts';

interface HostPoolsOptions {
  readonly hosts: number;
  readonly maxHosts?: number;
  readonly launcher: HostLauncher;
  readonly networkRules?: () => NetworkRules;
  readonly clock: Clock;
  readonly instances?: InstanceReporter;
  readonly logger?: WasmLogger;
}

/** What guests are served from that import sockets or HTTP, also where they are denied them. */
const shimPackages = ['@bytecodealliance/preview2-shim'];

/** Where nobody says otherwise. */
const strictRules: NetworkRules = { loopback: false, ownPorts: [] };

/** What of a task decides which processes may run it. */
interface Reach {
  readonly preopens: Readonly<Record<string, string>>;
  readonly network: readonly string[];
}

/**
 * The pools of a node, one for each profile: tasks share a process only where they reach the same. Hosts are kept warm
 * for tasks that reach nothing outside; others have theirs started with their first call, or by a warm policy.
 */
export class HostPools {
  readonly #options: HostPoolsOptions;
  readonly #pools = new Map<string, HostPool>();
  #code: HostCode | undefined;
  #named = 0;

  constructor(options: HostPoolsOptions) {
    this.#options = options;
  }

  for({ preopens, network: entries }: Reach): HostPool {
    const places = Object.entries(preopens).sort(([a], [b]) => (a < b ? -1 : 1));
    const network = entries.length > 0;
    const key = JSON.stringify([entries, places]);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = this.#make({ preopens, network, packages: shimPackages }, places.length === 0 && !network);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Starts hosts that are kept warm for such a task. */
  warm(task: Reach): void {
    this.for(task).warm();
  }

  /** Ends every host; what runs or waits settles as INSTANCE_LOST. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.close()));
  }

  #make(profile: HostProfile, plain: boolean): HostPool {
    const {
      hosts,
      maxHosts = hosts,
      networkRules = () => strictRules,
      clock,
      instances,
      logger,
    } = this.#options;
    this.#code ??= readHostCode(guestHostMain);
    return new HostPool({
      size: plain ? hosts : 0,
      most: maxHosts,
      profile,
      launcher: this.#options.launcher,
      code: this.#code,
      rules: networkRules,
      nextName: () => `wasm-${++this.#named}`,
      clock,
      instances,
      logger,
    });
  }
}
