import type { Clock } from '../../src/domain/clock.ts';
import { type ErrorCode, RequestError } from '../../src/domain/errors.ts';
import type { OutputStream } from '../../src/domain/event.ts';
import type { Artifact, RuntimeKind } from '../../src/domain/task.ts';
import type {
  Attempt,
  AttemptIo,
  AttemptOutcome,
  OutputPosition,
  PreparedArtifact,
  Runtime,
  RuntimeCapabilities,
} from '../../src/runtimes/runtime.ts';

/** What a guest does by itself. Whatever it leaves open, the test does through the call. */
export type Script = (call: ScriptedCall) => void | Promise<void>;

/** One attempt, as the runtime sees it; the test plays the guest. */
export class ScriptedCall {
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  /** How long the guest lives on after it was told to stop; infinity means that it never ends. */
  stopsAfterMs: number;
  paused = false;
  /** It was let go of: whatever comes of it, nobody hears. */
  released = false;
  readonly #io: AttemptIo;
  readonly #clock: Clock;
  readonly #end = Promise.withResolvers<AttemptOutcome>();
  #over = false;

  constructor(attempt: Attempt, io: AttemptIo, signal: AbortSignal, clock: Clock, stopsAfterMs: number) {
    this.attempt = attempt;
    this.signal = signal;
    this.stopsAfterMs = stopsAfterMs;
    this.#io = io;
    this.#clock = clock;
    if (signal.aborted) this.#stop();
    else signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  get ended(): Promise<AttemptOutcome> {
    return this.#end.promise;
  }

  get over(): boolean {
    return this.#over;
  }

  /** A promise means that the guest has to wait. */
  write(stream: OutputStream, data: Uint8Array | string): Promise<void> | undefined {
    return this.#io.write(stream, typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** Writes until `bytes` are out or it is told to stop, and waits whenever it must. Resolves with how much it wrote. */
  async flood(stream: OutputStream, bytes: number, chunkBytes = 64 * 1024): Promise<number> {
    let written = 0;
    while (written < bytes && !this.signal.aborted) {
      const data = new Uint8Array(Math.min(chunkBytes, bytes - written)).fill(120);
      written += data.byteLength;
      await this.write(stream, data);
    }
    return written;
  }

  /** Resolves when it is durable which instance this is. */
  bind(): Promise<void> {
    return this.#io.bind(this.instanceId);
  }

  /** The guest has had all of its input. */
  takeInput(): void {
    this.#io.inputDelivered();
  }

  complete(how: { readonly exitCode?: number; readonly output?: string } = {}): void {
    this.#settle({ kind: 'completed', ...how, ...this.#facts() });
  }

  fail(
    code: ErrorCode,
    message = 'scripted',
    how: { readonly exitCode?: number; readonly output?: string; readonly unfollowed?: true } = {},
  ): void {
    this.#settle({ kind: 'failed', code, message, ...how, ...this.#facts() });
  }

  /** Nothing of the attempt is left, as its signal asked. */
  stopped(rung = 'terminate'): void {
    this.#settle({ kind: 'stopped', rung, ...this.#facts() });
  }

  /** The runtime itself breaks its contract. */
  crash(error: unknown): void {
    this.#over = true;
    this.#end.reject(error);
  }

  #stop(): void {
    if (this.stopsAfterMs === 0) this.stopped();
    else if (this.stopsAfterMs !== Number.POSITIVE_INFINITY) {
      this.#clock.setTimer(this.stopsAfterMs, () => this.stopped());
    }
  }

  #settle(outcome: AttemptOutcome): void {
    this.#over = true;
    if (!this.released) this.#end.resolve(outcome);
  }

  get instanceId(): string {
    const { executionId, number } = this.attempt;
    return `inst_${executionId}_${number}`;
  }

  #facts() {
    return { instanceId: this.instanceId, resourceUse: { cpuTimeUs: this.attempt.number } };
  }
}

/** An attempt that was followed again. */
export interface Reattached {
  readonly instanceId: string;
  readonly position: OutputPosition;
  /** Absent where its instance was not there any more. */
  readonly call: ScriptedCall | undefined;
}

/** A runtime whose guests do what the test says. It keeps the port's promises unless a call is told to break them. */
export class ScriptedRuntime implements Runtime {
  readonly kind: RuntimeKind;
  readonly capabilities: RuntimeCapabilities;
  /** Every attempt so far, in the order in which they were started. */
  readonly calls: ScriptedCall[] = [];
  /** For the calls to come; without one the test drives the call. */
  script: Script | undefined;
  stopsAfterMs = 0;
  /** Instances of an earlier run of the node that are still there; their attempts are calls too. */
  readonly survivors = new Set<string>();
  readonly reattached: Reattached[] = [];
  reattach?: NonNullable<Runtime['reattach']>;
  release?: NonNullable<Runtime['release']>;
  pause?: NonNullable<Runtime['pause']>;
  unpause?: NonNullable<Runtime['unpause']>;
  readonly #clock: Clock;

  constructor(
    clock: Clock,
    kind: RuntimeKind = 'wasm',
    abilities: { readonly reattach?: boolean; readonly pause?: boolean } = {},
  ) {
    this.#clock = clock;
    this.kind = kind;
    const { reattach = false, pause = false } = abilities;
    this.capabilities = { reattach, pause, stdin: true, typedFunctions: true };
    if (reattach) {
      this.reattach = (...args) => this.#reattach(...args);
      this.release = (executionId) => {
        const call = this.#serving(executionId);
        if (call !== undefined) call.released = true;
      };
    }
    if (pause) {
      this.pause = (executionId) => this.#setPaused(executionId, true);
      this.unpause = (executionId) => this.#setPaused(executionId, false);
    }
  }

  readonly defaultLimits = { memory: 65_536 };

  async resolve(): Promise<Artifact> {
    return { kind: 'wasm', sha256: 'a'.repeat(64), sizeBytes: 10 };
  }

  async prepare(): Promise<PreparedArtifact> {
    return { functions: [], wit: '' };
  }

  warm(): void {}

  cool(): void {}

  run(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    return this.#begin(attempt, io, signal).ended;
  }

  #begin(attempt: Attempt, io: AttemptIo, signal: AbortSignal): ScriptedCall {
    const call = new ScriptedCall(attempt, io, signal, this.#clock, this.stopsAfterMs);
    this.calls.push(call);
    // A script that throws is a runtime that rejects.
    if (this.script !== undefined) Promise.resolve(this.script(call)).catch((error) => call.crash(error));
    return call;
  }

  async #reattach(
    attempt: Attempt,
    instanceId: string,
    position: OutputPosition,
    io: AttemptIo,
    signal: AbortSignal,
    paused = false,
    found?: () => void,
  ): Promise<AttemptOutcome | undefined> {
    const call = this.survivors.has(instanceId) ? this.#begin(attempt, io, signal) : undefined;
    if (call !== undefined) {
      call.paused = paused;
      found?.();
    }
    this.reattached.push({ instanceId, position, call });
    return call?.ended;
  }

  async #setPaused(executionId: string, paused: boolean): Promise<void> {
    const call = this.#serving(executionId);
    if (call === undefined) {
      throw new RequestError('failed_precondition', 'no attempt of it is running', { reason: 'NOT_RUNNING' });
    }
    call.paused = paused;
  }

  #serving(executionId: string): ScriptedCall | undefined {
    return this.calls.find(({ attempt, over }) => attempt.executionId === executionId && !over);
  }

  /** The call numbered from 0, which must have been made. */
  call(index: number): ScriptedCall {
    const call = this.calls[index];
    if (call === undefined) throw new Error(`there were only ${this.calls.length} calls`);
    return call;
  }

  get running(): number {
    return this.calls.filter((call) => !call.over).length;
  }

  async close(): Promise<void> {
    for (const call of this.calls) if (!call.over) call.fail('INSTANCE_LOST', 'the runtime was closed');
  }
}
