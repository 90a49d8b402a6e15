import type { ContainerInspectInfo, ContainerInspectOptions } from 'dockerode';
import type { Clock, Timer } from '../../domain/clock.ts';
import type { EngineConnection } from './connection.ts';

const everyMs = 1000;
/** The engine visits every file for an answer: it is to be busy with that a tenth of the time at most. */
const restFactor = 10;
const inspectMs = 30_000;

/** What dockerode's types do not have of the engine's interface. */
const withSize: ContainerInspectOptions & { readonly size: true } = { size: true };
type Inspected = ContainerInspectInfo & { readonly SizeRw?: number };

interface LayerWatchOptions {
  readonly connection: EngineConnection;
  readonly clock: Clock;
  readonly containerId: string;
  /** What may be written to the root file system. */
  readonly bytes: number;
  readonly onExceeded: () => void;
}

/**
 * Looks at what a container has in its writable layer, which few engines can hold to a size. Files without a name are
 * not seen, and neither are folders that the engine has for volumes.
 */
export class LayerWatch {
  readonly #options: LayerWatchOptions;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: LayerWatchOptions) {
    this.#options = options;
    this.#wait(everyMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #wait(ms: number): void {
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, bytes, onExceeded } = this.#options;
    const start = clock.monotonic();
    const written = await this.#written();
    if (this.#stopped) return;
    if (written !== undefined && written > bytes) onExceeded();
    else this.#wait(Math.max(everyMs, restFactor * (clock.monotonic() - start)));
  }

  /** Undefined where the engine does not say it. */
  async #written(): Promise<number | undefined> {
    const { connection, containerId } = this.#options;
    try {
      const inspected: Inspected = await connection.call(inspectMs, (docker) =>
        docker.getContainer(containerId).inspect(withSize),
      );
      return inspected.SizeRw;
    } catch {
      // It is gone, or the engine is: either way its exit says more than we could.
      return undefined;
    }
  }
}
