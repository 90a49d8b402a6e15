import type { OutputStream } from '../../../domain/event.ts';
import type { AttemptIo, OutputPosition } from '../../runtime.ts';
import { Discard } from '../log/discard.ts';

/** Enough for what the engine's init says where it cannot start a program. */
const maxFirstBytes = 1024;

/** What stands between a container's output and the attempt: shut until there is one. */
export class OutputPipe {
  /** The attempt takes no more for now. */
  held = false;
  readonly #opened = Promise.withResolvers<AttemptIo>();
  readonly #onEarly: () => void;
  readonly #discard: Discard;
  readonly #first: Uint8Array[] = [];
  #firstBytes = 0;
  #bytes = 0;
  #io: AttemptIo | undefined;
  #stopping: Promise<unknown> | undefined;

  /**
   * `onEarly` is called when output comes before the outputPipe is open; that output waits. What comes before `position`
   * the attempt has already.
   */
  constructor(onEarly: () => void, position: OutputPosition = { stdout: 0, stderr: 0 }) {
    this.#onEarly = onEarly;
    this.#discard = new Discard(position);
  }

  /** Output that the attempt has already did not come again. */
  get behind(): boolean {
    return !this.#discard.done;
  }

  open(io: AttemptIo): void {
    this.#io = io;
    this.#opened.resolve(io);
  }

  readonly deliver = (stream: OutputStream, data: Uint8Array): Promise<void> | undefined => {
    if (this.#io !== undefined) return this.#hand(this.#io, stream, data);
    this.#onEarly();
    return this.#opened.promise.then((io) => this.#hand(io, stream, data));
  };

  /**
   * Nothing is handed on until `signalled`, which must not reject, resolves: a program that is being stopped for what
   * it writes would else write on at full speed until the signal reaches it.
   */
  holdUntil(signalled: Promise<unknown>): void {
    this.#stopping = signalled.finally(() => {
      this.#stopping = undefined;
    });
  }

  /** The beginning of stderr, where nothing went to stdout and stderr was short; else empty. */
  get onlyWords(): string {
    return this.#bytes === this.#firstBytes ? Buffer.concat(this.#first).toString() : '';
  }

  #hand(io: AttemptIo, stream: OutputStream, data: Uint8Array): Promise<void> | undefined {
    if (this.#stopping !== undefined) return this.#stopping.then(() => this.#hand(io, stream, data));
    this.#bytes += data.length;
    if (stream === 'stderr' && this.#bytes <= maxFirstBytes) {
      this.#first.push(data.slice());
      this.#firstBytes += data.length;
    }
    const rest = this.#discard.rest(stream, data);
    if (rest.length === 0) return undefined;
    const wait = io.write(stream, rest);
    if (wait === undefined) return undefined;
    this.held = true;
    return wait.then(() => {
      this.held = false;
    });
  }
}
