import { ExecutionFailed, errorFor } from './errors.ts';
import { type ExecutionEvent, eventOf } from './execution-event.ts';
import { ExecutionResult } from './execution-result.ts';
import { followExecution } from './follow.ts';
import type { NodeCalls } from './node-calls.ts';
import { waitForWhole } from './whole-result.ts';
import { type StatusName, statusName } from './wire-names.ts';

/** What a call about a running execution may be told. */
export interface CallOptions {
  /** Ends the call; the execution goes on. */
  readonly signal?: AbortSignal;
}

/** What came of asking for a change. */
export interface Change {
  /** This request changed something; false where it was so already. */
  readonly changed: boolean;
  readonly status: StatusName;
}

/** One execution on its node, whoever started it. */
export class Execution {
  readonly id: string;
  /** The call that returned it found it by its `invocationId`. */
  readonly joined: boolean;
  readonly #calls: NodeCalls;

  /** @internal */
  constructor(calls: NodeCalls, id: string, joined = false) {
    this.#calls = calls;
    this.id = id;
    this.joined = joined;
  }

  /** How it stands now; with `output` also what it has written so far, at most 3 MiB. */
  async status({
    output = false,
    signal,
  }: CallOptions & { output?: boolean } = {}): Promise<ExecutionResult> {
    const request = { executionId: this.id, includeOutput: output };
    const { result } = await this.#calls.repeated(
      () => this.#calls.functions.getExecutionStatus(request, callWith(signal)),
      signal,
    );
    return recordOf(result, this.id);
  }

  /**
   * Waits for the end, over as many calls and connections as it takes, and resolves with all of the output. Rejects
   * with ExecutionFailed where it did not complete, and with SpearError where the server cannot tell.
   */
  async result(options: CallOptions = {}): Promise<ExecutionResult> {
    const result = await this.ended(options);
    if (result.status !== 'COMPLETED') throw new ExecutionFailed(result);
    return result;
  }

  /** As `result`, and resolves however it ended. */
  async ended({ signal }: CallOptions = {}): Promise<ExecutionResult> {
    return this.#calls.once(() => waitForWhole(this.#calls, this.id, signal), signal);
  }

  /**
   * Its log from the event `from` on, each event once and in order, to the result, over as many connections as it
   * takes.
   */
  async *events({
    from = 1,
    signal,
  }: CallOptions & { from?: number } = {}): AsyncGenerator<ExecutionEvent, void, undefined> {
    const options = {
      executionId: this.id,
      from: BigInt(from),
      reattachmentTo: () => this.#calls.reattachment(signal),
      ...callWith(signal),
    };
    try {
      signal?.throwIfAborted();
      for await (const event of followExecution(this.#calls.functions, options)) yield eventOf(event);
    } catch (error) {
      throw errorFor(error, signal);
    }
  }

  /**
   * What it writes, as it comes, up to its end, however that is; of all attempts, where it is tried again. Bytes of a
   * character may be split between two chunks.
   */
  async *output({
    stream = 'stdout',
    signal,
  }: CallOptions & { stream?: 'stdout' | 'stderr' } = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const event of this.events(callWith(signal))) {
      if (event.kind === 'chunk' && event.stream === stream) yield event.data;
    }
  }

  /** Asks for its end. Resolves when the request is on disk. */
  cancel({ reason = '', signal }: CallOptions & { reason?: string } = {}): Promise<Change> {
    const request = { executionId: this.id, reason };
    return this.#change(() => this.#calls.functions.cancelExecution(request, callWith(signal)), signal);
  }

  /** Holds it. */
  suspend({ signal }: CallOptions = {}): Promise<Change> {
    const request = { executionId: this.id };
    return this.#change(() => this.#calls.functions.suspendExecution(request, callWith(signal)), signal);
  }

  /** Lets it go on. */
  resume({ signal }: CallOptions = {}): Promise<Change> {
    const request = { executionId: this.id };
    return this.#change(() => this.#calls.functions.resumeExecution(request, callWith(signal)), signal);
  }

  async #change(
    call: () => Promise<{ readonly changed: boolean; readonly status: number }>,
    signal: AbortSignal | undefined,
  ): Promise<Change> {
    const { changed, status } = await this.#calls.repeated(call, signal);
    return { changed, status: statusName(status) };
  }
}

function callWith(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function recordOf(
  message: ConstructorParameters<typeof ExecutionResult>[0] | undefined,
  id: string,
): ExecutionResult {
  if (message === undefined) throw new Error(`the server answered without the record of ${id}`);
  return new ExecutionResult(message);
}
