import type { Clock } from '../../../domain/clock.ts';
import type { OutputStream } from '../../../domain/event.ts';
import type { Limits } from '../../../domain/task.ts';
import type { OutputPosition } from '../../runtime.ts';
import { EngineError } from '../engine/engine-error.ts';
import { type Deliver, followFrames } from '../engine/frames.ts';
import { type ContainerStreams, exitIn } from '../engine/streams.ts';
import { passedOrAborted } from '../engine/waiting.ts';
import type { EngineWire } from '../engine/wire.ts';
import { entryBytes, logCapacity } from '../launch/container-spec.ts';
import { Discard } from './discard.ts';
import { LastBytes } from './last-bytes.ts';
import { LogEntries } from './log-entries.ts';

const againMs = 200;
const streams: readonly OutputStream[] = ['stdout', 'stderr'];
/** How long the connection that hears the last bytes may outlive the container. The engine at times never ends it. */
const lastBytesMs = 2000;
const newline = 10;

interface ContainerLogOptions {
  readonly wire: EngineWire;
  readonly clock: Clock;
  readonly containerId: string;
  readonly limits: Limits;
  /** It runs, and is not paused. */
  readonly running: boolean;
  /** What the execution has of its output. */
  readonly position: OutputPosition;
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
 * - Whether a program's output ended with a line feed, its log does not say where the last line is longer than that.
 *   Who listens hears it, and what the log has of an output that is still open is whole lines. Where nobody can tell, as
 *   of a container that ended while there was no node, the line feed is left out.
 */
export class ContainerLog implements ContainerStreams {
  readonly exit: Promise<number>;
  readonly needsContainer = true;
  bytesRead = 0;
  readonly #options: ContainerLogOptions;
  readonly #open: AbortController;
  readonly #lastBytes: LastBytes | undefined;
  readonly #taken: Record<OutputStream, number> = { stdout: 0, stderr: 0 };
  /** How much the log had when it was listened to and the output was still open. */
  #whileOpen: OutputPosition | undefined;

  private constructor(
    options: ContainerLogOptions,
    exit: Promise<number>,
    open: AbortController,
    lastBytes: LastBytes | undefined,
  ) {
    this.#options = options;
    this.#open = open;
    this.#lastBytes = lastBytes;
    this.exit = exit;
  }

  /** Rejects with an EngineError, and then leaves nothing open. */
  static async open(options: ContainerLogOptions): Promise<ContainerLog> {
    const { wire, clock, containerId, running, withinMs } = options;
    const open = new AbortController();
    const timer = clock.setTimer(withinMs, () => open.abort());
    try {
      const path = `/containers/${containerId}/wait?condition=not-running`;
      const waiting = await wire.open('POST', path, open.signal);
      const exit = exitIn(waiting);
      exit.catch(() => undefined);
      const lastBytes = running ? await LastBytes.of(wire, containerId, open.signal) : undefined;
      return new ContainerLog(options, exit, open, lastBytes);
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
    const either = AbortSignal.any([ended.signal, this.#open.signal]);
    for (let how = ''; !ended.signal.aborted; how = '&follow=1') {
      try {
        await this.#read(how, either, deliver);
        if (how === '' && !exited && this.#lastBytes?.over === false) this.#whileOpen = { ...this.#taken };
      } catch (error) {
        if (error instanceof LogFull) throw error;
        // It broke: because of the exit, or the engine, or it is tried again.
      }
      if (this.#open.signal.aborted) return;
      if (how !== '') await passedOrAborted(this.#options.clock, againMs, either);
    }
    if (!exited) return;
    const entries = await this.#read('', this.#open.signal, deliver);
    for (const stream of streams) {
      if (!entries.isUnsure(stream) || !(await this.#endsLine(stream))) continue;
      await deliver(stream, Uint8Array.of(newline));
    }
  }

  close(): void {
    this.#open.abort();
  }

  /** The output ended with a line feed that the log does not have. */
  async #endsLine(stream: OutputStream): Promise<boolean> {
    const { clock, position } = this.#options;
    const taken = this.#taken[stream];
    if (position[stream] > taken || this.#whileOpen?.[stream] === taken) return true;
    const lastBytes = this.#lastBytes;
    if (lastBytes === undefined) return false;
    await Promise.race([lastBytes.ended, passedOrAborted(clock, lastBytesMs, this.#open.signal)]);
    return lastBytes.over && lastBytes.of(stream) === newline;
  }

  /** Hands over what was not yet, up to the end of the answer. */
  async #read(how: string, signal: AbortSignal, deliver: Deliver): Promise<LogEntries> {
    const { wire, containerId, limits } = this.#options;
    const again = new Discard(this.#taken);
    const entries = new LogEntries();
    const capacity = logCapacity(limits);
    let used = 0;
    const path = `/containers/${containerId}/logs?stdout=1&stderr=1&timestamps=1${how}`;
    const answer = await wire.open('GET', path, signal);
    await followFrames(
      answer,
      (stream, data) => {
        this.bytesRead += data.length;
        const rest = again.rest(stream, entries.piece(stream, data));
        this.#taken[stream] += rest.length;
        return rest.length === 0 ? undefined : deliver(stream, rest);
      },
      (bytes) => {
        used += entries.begin(bytes) + entryBytes;
        if (used >= capacity) throw new LogFull();
      },
    );
    return entries;
  }
}

class LogFull extends EngineError {
  constructor() {
    super('its log is full and may have lost output');
  }
}
