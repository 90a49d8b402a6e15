import { once } from 'node:events';
import { createConnection } from 'node:net';
import type Dockerode from 'dockerode';
import type { Clock } from '../../../domain/clock.ts';
import { type EngineAddress, parseAddress } from './address.ts';
import { asEngineError, EngineError } from './engine-error.ts';
import { SocketMemory } from './socket-memory.ts';
import { EngineWire } from './wire.ts';

const probeMs = 2000;

export interface DockerLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** What the engine can hold a container to; from its own account. */
export interface EngineFacts {
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  readonly cpuQuota: boolean;
  readonly processLimit: boolean;
  /** Processors. */
  readonly cores: number;
  readonly sockets: SocketMemory;
}

interface Client {
  readonly docker: Dockerode;
  readonly wire: EngineWire;
}

interface ConnectionOptions {
  readonly host: string;
  readonly clock: Clock;
  readonly logger?: DockerLogger | undefined;
  /** Called each time that the engine answers after it did not. */
  readonly onAvailable: () => void;
}

/** The engine does not answer, or cannot run what we run. The message says why and what to do. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable';
}

/** The way to one engine: found when first needed, lost and found again; each change is logged once. */
export class EngineConnection {
  readonly #options: ConnectionOptions;
  #client: Promise<Client> | undefined;
  #facts: EngineFacts | undefined;
  #probing: Promise<EngineFacts> | undefined;
  #available = false;
  #warned = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** What was last known of the engine; undefined before it first answered. */
  get facts(): EngineFacts | undefined {
    return this.#facts;
  }

  /** Resolves when the engine answers, at once where it did last. Rejects with EngineUnavailable, within 2 s. */
  async ready(): Promise<EngineFacts> {
    if (this.#closed) throw new EngineUnavailable('the docker runtime is closed');
    if (this.#available && this.#facts !== undefined) return this.#facts;
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /** One call that is over within `ms`. Rejects with an EngineError, or with `signal`'s reason. */
  async call<T>(
    ms: number,
    use: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const { docker } = await this.#connect();
    const controller = new AbortController();
    const broken = Promise.withResolvers<never>();
    const timer = this.#options.clock.setTimer(ms, () => {
      broken.reject(new EngineError(`the engine did not answer within ${ms} ms`));
      controller.abort();
    });
    const onAbort = () => {
      broken.reject(signal?.reason);
      controller.abort();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      // Raced: dockerode leaves a promise open for ever where the connection breaks within an answer.
      return await Promise.race([use(docker, controller.signal), broken.promise]);
    } catch (cause) {
      if (signal?.aborted === true) throw signal.reason;
      const error = asEngineError(cause);
      if (error.unreachable) this.lost(error);
      throw error;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async wire(): Promise<EngineWire> {
    return (await this.#connect()).wire;
  }

  /** The engine was found not to answer: whoever needs it next asks it again. */
  lost(error: Error): void {
    if (!this.#available) return;
    this.#available = false;
    this.#warn(`the engine does not answer: ${error.message}`);
  }

  close(): void {
    this.#closed = true;
    this.#client?.then(
      ({ wire }) => wire.close(),
      () => undefined,
    );
  }

  #connect(): Promise<Client> {
    this.#client ??= connect(this.#options.host);
    return this.#client;
  }

  async #probe(): Promise<EngineFacts> {
    try {
      // First: a machine without an engine does not load dockerode.
      await assertReached(parseAddress(this.#options.host));
      const info: EngineInfo = await this.call(probeMs, (docker) => docker.info());
      if (info.OSType !== 'linux') throw new Error(`it runs ${info.OSType} containers; Spear needs linux`);
      this.#facts = factsOf(info, 'socketPath' in parseAddress(this.#options.host));
    } catch (error) {
      throw this.#warn(error instanceof Error ? error.message : String(error));
    }
    this.#available = true;
    if (this.#warned)
      this.#options.logger?.info({ host: this.#options.host }, 'the docker runtime is available again');
    this.#warned = false;
    this.#options.onAvailable();
    return this.#facts;
  }

  #warn(why: string): EngineUnavailable {
    const { host, logger } = this.#options;
    if (!this.#warned) logger?.warn({ host, why }, 'the docker runtime is unavailable');
    this.#warned = true;
    return new EngineUnavailable(
      `the docker runtime is unavailable: ${why}; start Docker, or name its address with --docker-host`,
    );
  }
}

/** What we read of the answer to /info. */
interface EngineInfo {
  readonly OSType?: string;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly PidsLimit?: boolean;
  readonly NCPU?: number;
  readonly CgroupVersion?: string;
  readonly CgroupDriver?: string;
}

function factsOf(info: EngineInfo, local: boolean): EngineFacts {
  return {
    memoryLimit: info.MemoryLimit === true,
    swapLimit: info.SwapLimit === true,
    cpuQuota: info.CpuCfsQuota === true,
    processLimit: info.PidsLimit === true,
    cores: Math.max(1, info.NCPU ?? 1),
    sockets: SocketMemory.of({ version: info.CgroupVersion ?? '', driver: info.CgroupDriver ?? '' }, local),
  };
}

/** Rejects where nobody listens on the socket; what an address of another machine says, the call itself finds out. */
async function assertReached(address: EngineAddress): Promise<void> {
  if (!('socketPath' in address)) return;
  const socket = createConnection(address.socketPath);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

/** Rejects where the address is none. */
async function connect(host: string): Promise<Client> {
  const address = parseAddress(host);
  const wire = new EngineWire(address);
  // Takes 145 ms to load: only where there is an engine to talk to.
  const { default: Docker } = await import('dockerode');
  return { wire, docker: new Docker(dockerodeOptions(address, wire)) };
}

/** Every option that dockerode would else take from DOCKER_HOST and its like is said, if only to be nothing. */
function dockerodeOptions(address: EngineAddress, wire: EngineWire): Dockerode.DockerOptions {
  const nothing = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
  };
  const options = { ...nothing, ...address, protocol: 'http' as const, agent: wire.agent };
  return options;
}
