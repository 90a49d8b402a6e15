import type { Clock } from '../../domain/clock.ts';
import type { OutputStream } from '../../domain/event.ts';
import type { Limits } from '../../domain/task.ts';
import { entryBytes, logCapacity } from './container-spec.ts';
import { EngineError } from './engine-error.ts';
import { type Deliver, followFrames } from './frames.ts';
import { Skip } from './skip.ts';
import { type ContainerStreams, exitIn } from './streams.ts';
import { passedOrAborted } from './waiting.ts';
import type { EngineWire } from './wire.ts';

const againMs = 200;

interface ContainerLogOptions {
  readonly wire: EngineWire;
  readonly clock: Clock;
  readonly containerId: string;
  readonly limits: Limits;
  /** In which the engine has to answer, in milliseconds. */
  readonly withinMs: number;
}

/**
 * The output of a container that an earlier run of the node started, as the engine's log of it has it from the start.
 *
 * - A reader that follows loses the end where the container ends meanwhile (engine 20.10: in 3 of 6 tries with 10 MB),
 *   so all that was not handed over yet is read once more from the log of the ended container.
 * - A full log drops its beginning, and bytes can be counted no more. Where it may have come to that, `follow` rejects.
 * - The engine writes a line down when it is whole, or 16 KiB long: an unfinished one comes with the rest of it.
 */
export class ContainerLog implements ContainerStreams {
  readonly exit: Promise<number>;
  readonly needsContainer = true;
  bytesRead = 0;
  readonly #options: ContainerLogOptions;
  readonly #open: AbortController;
  readonly #taken: Record<OutputStream, number> = { stdout: 0, stderr: 0 };

  private constructor(options: ContainerLogOptions, exit: Promise<number>, open: AbortController) {
    this.#options = options;
    this.#open = open;
    this.exit = exit;
    exit.catch(() => undefined);
  }

  /** Rejects with an EngineError, and then leaves nothing open. */
  static async open(options: ContainerLogOptions): Promise<ContainerLog> {
    const { wire, clock, containerId, withinMs } = options;
    const open = new AbortController();
    const timer = clock.setTimer(withinMs, () => open.abort());
    try {
      const path = `/containers/${containerId}/wait?condition=not-running`;
      const waiting = await wire.open('POST', path, open.signal);
      return new ContainerLog(options, exitIn(waiting), open);
    } finally {
      timer.cancel();
    }
  }

  async follow(deliver: Deliver): Promise<void> {
    const ended = new AbortController();
    let exited = false;
    const end = () => ended.abort();
    this.exit.then(() => {
      exited = true;
      end();
    }, end);
    while (!ended.signal.aborted) {
      const either = AbortSignal.any([ended.signal, this.#open.signal]);
      try {
        await this.#read('&follow=1', either, deliver);
      } catch (error) {
        if (error instanceof LogFull) throw error;
        // It broke: because of the exit, or the engine, or it is tried again.
      }
      if (this.#open.signal.aborted) return;
      await passedOrAborted(this.#options.clock, againMs, either);
    }
    if (exited) await this.#read('', this.#open.signal, deliver);
  }

  close(): void {
    this.#open.abort();
  }

  /** Hands over what was not yet, up to the end of the answer. */
  async #read(how: string, signal: AbortSignal, deliver: Deliver): Promise<void> {
    const { wire, containerId, limits } = this.#options;
    const again = new Skip(this.#taken);
    const capacity = logCapacity(limits);
    let used = 0;
    const answer = await wire.open('GET', `/containers/${containerId}/logs?stdout=1&stderr=1${how}`, signal);
    await followFrames(
      answer,
      (stream, data) => {
        this.bytesRead += data.length;
        const rest = again.rest(stream, data);
        this.#taken[stream] += rest.length;
        return rest.length === 0 ? undefined : deliver(stream, rest);
      },
      (bytes) => {
        used += bytes + entryBytes;
        if (used >= capacity) throw new LogFull();
      },
    );
  }
}

class LogFull extends EngineError {
  constructor() {
    super('its log is full and may have lost output');
  }
}
