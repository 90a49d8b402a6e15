import type { Clock, Timer } from '../../domain/clock.ts';
import { removeContainer } from './ending/removal.ts';
import type { DockerLogger, EngineConnection } from './engine/connection.ts';
import { asEngineError } from './engine/engine-error.ts';
import { labels } from './launch/container-spec.ts';

const listMs = 30_000;
const removedAtOnce = 4;

interface ReconcilerOptions {
  readonly connection: EngineConnection;
  readonly clock: Clock;
  readonly logger?: DockerLogger | undefined;
  readonly nodeId: string;
  readonly everyMs: number;
  /** Instances of an earlier run of the node that somebody will ask for. */
  readonly spare: ReadonlySet<string>;
}

/**
 * Holds what this node means to run against what the engine has under its label, and removes the rest: what an
 * earlier run of the node left, and what could not be removed at its time.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #live = new Set<string>();
  /** Not of this run, or no longer: they are left alone, also when it is over. */
  readonly #kept: Set<string>;
  readonly #left = new Map<string, () => void>();
  #sweeping: Promise<void> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#kept = new Set(options.spare);
  }

  /**
   * It is of this run. Before the engine is asked to make it, so that no sweep finds a container that it does not know.
   */
  enter(instanceId: string): void {
    this.#kept.delete(instanceId);
    this.#live.add(instanceId);
  }

  /** Nobody asks for what was spared any more: the rest of it is removed. */
  endSparing(): void {
    if (this.#kept.size === 0) return;
    this.#kept.clear();
    void this.sweep();
  }

  /** It is to outlive this run. */
  keep(instanceId: string): void {
    this.#live.delete(instanceId);
    this.#kept.add(instanceId);
  }

  /** It is confirmed gone. */
  leave(instanceId: string): void {
    this.#live.delete(instanceId);
    this.#kept.delete(instanceId);
  }

  /** It may still be there. Resolves when a sweep found or made it gone. */
  abandon(instanceId: string): Promise<void> {
    this.leave(instanceId);
    const gone = Promise.withResolvers<void>();
    this.#left.set(instanceId, gone.resolve);
    return gone.promise;
  }

  /** Sweeps from now on, each time the interval has passed. */
  start(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(this.#options.everyMs, () => {
      void this.sweep().finally(() => this.start());
    });
  }

  /** One look at the engine, or the one that is under way. Never rejects: what it cannot do, the next one does. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  /** Ends the sweeps, after one that removes all that has the label and is not kept. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#sweeping;
    this.#live.clear();
    await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const { connection, nodeId, logger } = this.#options;
    try {
      await connection.ready();
      // Before the list: what is abandoned after it may be missing there.
      const left = [...this.#left.keys()];
      const filters = { label: [`${labels.node}=${nodeId}`] };
      const found = await connection.call(listMs, (docker) => docker.listContainers({ all: true, filters }));
      const orphans = found.filter(({ Labels }) => !this.#isKnown(Labels[labels.instance] ?? ''));
      const removed = await this.#remove(orphans.map(({ Id }) => Id));
      if (removed.size > 0)
        logger?.info({ containers: removed.size }, 'removed containers that nothing uses');
      const remaining = new Set(
        orphans.filter(({ Id }) => !removed.has(Id)).map(({ Labels }) => Labels[labels.instance]),
      );
      for (const instanceId of left) {
        if (remaining.has(instanceId)) continue;
        this.#left.get(instanceId)?.();
        this.#left.delete(instanceId);
      }
    } catch (error) {
      // The connection has said already that there is no engine.
      const { message, unreachable } = asEngineError(error);
      if (!unreachable) logger?.warn({ why: message }, 'the containers of this node could not be listed');
    }
  }

  #isKnown(instanceId: string): boolean {
    return this.#live.has(instanceId) || this.#kept.has(instanceId);
  }

  async #remove(ids: readonly string[]): Promise<Set<string>> {
    const { connection, clock, logger } = this.#options;
    const waiting = [...ids];
    const removed = new Set<string>();
    const work = async () => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        if (await removeContainer(connection, clock, id)) removed.add(id);
        else logger?.warn({ container: id }, 'a container could not be removed yet');
      }
    };
    await Promise.all(Array.from({ length: removedAtOnce }, work));
    return removed;
  }
}
