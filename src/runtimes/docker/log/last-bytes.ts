import type { OutputStream } from '../../../domain/event.ts';
import { followFrames } from '../engine/frames.ts';
import type { EngineWire } from '../engine/wire.ts';

/** Listens to a container that runs already for the last byte of each of its streams. The rest is thrown away. */
export class LastBytes {
  readonly ended: Promise<void>;
  /** The engine has handed over all that there was. */
  over = false;
  readonly #last: Partial<Record<OutputStream, number>> = {};

  private constructor(output: AsyncIterable<Uint8Array>) {
    const heard = followFrames(output, (stream, data) => {
      const last = data.at(-1);
      if (last !== undefined) this.#last[stream] = last;
      return undefined;
    });
    this.ended = heard.then(
      () => {
        this.over = true;
      },
      () => undefined,
    );
  }

  /** Undefined where the engine does not let anybody listen, as it does not to a container that is paused. */
  static async of(
    wire: EngineWire,
    containerId: string,
    signal: AbortSignal,
  ): Promise<LastBytes | undefined> {
    try {
      return new LastBytes(
        await wire.attach(`/containers/${containerId}/attach?stream=1&stdout=1&stderr=1`, signal),
      );
    } catch {
      return undefined;
    }
  }

  /** Undefined where nothing came since. */
  of(stream: OutputStream): number | undefined {
    return this.#last[stream];
  }
}
