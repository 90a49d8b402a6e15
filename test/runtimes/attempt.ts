import type { OutputStream } from '../../src/domain/event.ts';
import type { Invocation } from '../../src/domain/execution.ts';
import type { NetworkRefusal } from '../../src/domain/network/refusal.ts';
import type { TaskDefinition } from '../../src/domain/task.ts';
import type { Attempt, AttemptIo, AttemptOutcome, Runtime } from '../../src/runtimes/runtime.ts';

export interface Finished {
  readonly outcome: AttemptOutcome;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export function attemptOf(task: TaskDefinition, invocation: Partial<Invocation> = {}): Attempt {
  return {
    executionId: 'exec_1',
    number: 1,
    // Equal definitions are one task, as they are in the node.
    taskId: `task_${task.name}_${JSON.stringify(task)}`,
    revision: 1,
    task,
    invocation: {
      functionName: '',
      parameters: {},
      input: new Uint8Array(),
      contentType: '',
      args: [],
      environment: {},
      forceNewInstance: false,
      ...invocation,
    },
  };
}

/** Output kept in memory; `wait` may slow it down. `first` resolves with the first chunk. */
export class Collected implements AttemptIo {
  readonly first: Promise<void>;
  bytes = 0;
  /** Instances that were said to serve it, in order. */
  readonly bound: string[] = [];
  /** How often it was said that all input was delivered; `inputTaken` resolves with the first time. */
  deliveries = 0;
  readonly inputTaken: Promise<void>;
  readonly refusals: NetworkRefusal[] = [];
  readonly #chunks: { stream: OutputStream; data: Uint8Array }[] = [];
  readonly #wait: () => Promise<void> | undefined;
  readonly #onFirst: () => void;
  readonly #onInput: () => void;

  constructor(wait: () => Promise<void> | undefined = () => undefined) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.first = promise;
    this.#onFirst = resolve;
    const input = Promise.withResolvers<void>();
    this.inputTaken = input.promise;
    this.#onInput = input.resolve;
    this.#wait = wait;
  }

  write(stream: OutputStream, data: Uint8Array): Promise<void> | undefined {
    this.bytes += data.length;
    this.#chunks.push({ stream, data });
    this.#onFirst();
    return this.#wait();
  }

  async bind(instanceId: string): Promise<void> {
    this.bound.push(instanceId);
  }

  inputDelivered(): void {
    this.deliveries += 1;
    this.#onInput();
  }

  refused(refusal: NetworkRefusal): void {
    this.refusals.push(refusal);
  }

  get order(): OutputStream[] {
    return this.#chunks.map(({ stream }) => stream);
  }

  of(stream: OutputStream): Buffer {
    return Buffer.concat(this.#chunks.filter((chunk) => chunk.stream === stream).map(({ data }) => data));
  }
}

/** Waits for the first output of an attempt; throws with the outcome where it ended without any. */
export async function firstOutput(io: Collected, running: Promise<AttemptOutcome>): Promise<void> {
  const ended = await Promise.race([io.first, running]);
  if (ended !== undefined) throw new Error(`it ended without output: ${JSON.stringify(ended)}`);
}

export async function run(
  runtime: Runtime,
  task: TaskDefinition,
  invocation: Partial<Invocation> = {},
): Promise<Finished> {
  const io = new Collected();
  const outcome = await runtime.run(attemptOf(task, invocation), io, new AbortController().signal);
  return { outcome, stdout: io.of('stdout'), stderr: io.of('stderr') };
}
