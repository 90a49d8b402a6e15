import type { Clock } from '../../../domain/clock.ts';
import type { SecretFolders } from '../../secrets/secret-folders.ts';
import type { EngineConnection } from '../engine/connection.ts';
import { passed } from '../engine/waiting.ts';
import type { ProxyTools } from '../network/container-network.ts';
import type { Reconciler } from '../reconciler.ts';
import { removeContainer } from './removal.ts';

/** How long an engine that went away is waited for before its container is left to the reconciler. */
const insistMs = 5000;
const retryMs = 200;

/** What an instance needs of the runtime that it belongs to. */
export interface InstanceHost {
  readonly connection: EngineConnection;
  readonly reconciler: Reconciler;
  readonly clock: Clock;
  /** What a container may write to its root file system, in bytes; absent means what the disk has. */
  readonly scratchBytes?: number | undefined;
  /** Absent where there can be no files of secrets. */
  readonly secrets?: SecretFolders | undefined;
  /** How containers with a network list are given it; absent where none can be. */
  readonly proxy?: ProxyTools | undefined;
}

/** How a container is made gone. Where that cannot be confirmed, the reconciler goes on with it. */
export class ContainerExit {
  /** Resolves when nothing is left of it. */
  readonly gone: Promise<void>;
  readonly #host: InstanceHost;
  readonly #instanceId: string;
  readonly #containerId: string;
  readonly #going = Promise.withResolvers<void>();

  constructor(host: InstanceHost, instanceId: string, containerId: string) {
    this.#host = host;
    this.#instanceId = instanceId;
    this.#containerId = containerId;
    this.gone = this.#going.promise;
  }

  /** Resolves with whether it is confirmed gone. */
  async remove(): Promise<boolean> {
    const { connection, clock } = this.#host;
    return this.#tell(await removeContainer(connection, clock, this.#containerId));
  }

  /** As `remove`, where the engine went away under it: it may come back, and the container with it or not. */
  async insist(): Promise<boolean> {
    const { connection, clock } = this.#host;
    const until = clock.monotonic() + insistMs;
    for (;;) {
      const removed = await removeContainer(connection, clock, this.#containerId, insistMs);
      if (removed || clock.monotonic() >= until) return this.#tell(removed);
      await passed(clock, retryMs);
    }
  }

  #tell(removed: boolean): boolean {
    const { reconciler, secrets } = this.#host;
    // Of one that still runs, they are of no more use to us.
    secrets?.remove(this.#instanceId);
    if (removed) {
      reconciler.leave(this.#instanceId);
      this.#going.resolve();
    } else {
      void reconciler.abandon(this.#instanceId).then(this.#going.resolve);
    }
    return removed;
  }
}
