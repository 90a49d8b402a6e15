import type { RuntimeKind, TaskDefinition } from '../../src/domain/task.ts';
import {
  type Attempt,
  type AttemptIo,
  type AttemptOutcome,
  type Instance,
  type InstanceRuntime,
  type Launch,
  LaunchError,
  type LeftInstance,
  type RuntimeCapabilities,
} from '../../src/runtimes/runtime.ts';

/** A program that waits for its input; the test says what becomes of it. */
export class ScriptedInstance implements Instance {
  readonly launch: Launch;
  readonly spoiled: Promise<string>;
  readonly gone: Promise<void>;
  /** What it serves, once it does. */
  served: { attempt: Attempt; io: AttemptIo; signal: AbortSignal } | undefined;
  discarded = false;
  paused = false;
  /** It was let go of, and goes on without us. */
  released = false;
  /** Whether its end can be confirmed. */
  confirmable = true;
  readonly spoil: (reason: string) => void;
  readonly #gone = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<AttemptOutcome>();
  readonly #serving = Promise.withResolvers<void>();

  constructor(launch: Launch) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.launch = launch;
    this.spoiled = promise;
    this.spoil = resolve;
    this.gone = this.#gone.promise;
  }

  /** Resolves when it has been given an attempt. */
  get serving(): Promise<void> {
    return this.#serving.promise;
  }

  serve(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    this.served = { attempt, io, signal };
    this.#serving.resolve();
    const stop = () => this.end({ kind: 'stopped', rung: 'term', ...this.#facts() });
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    return this.#end.promise;
  }

  async discard(): Promise<boolean> {
    this.discarded = true;
    if (this.confirmable) this.#gone.resolve();
    return this.confirmable;
  }

  async pause(): Promise<void> {
    this.paused = true;
  }

  async unpause(): Promise<void> {
    this.paused = false;
  }

  release(): void {
    this.released = true;
  }

  complete(): void {
    this.end({ kind: 'completed', exitCode: 0, ...this.#facts() });
  }

  end(outcome: AttemptOutcome): void {
    if (outcome.remains !== true) this.#gone.resolve();
    if (!this.released) this.#end.resolve(outcome);
  }

  /** It is found gone after all. */
  vanish(): void {
    this.#gone.resolve();
  }

  #facts() {
    return { instanceId: this.launch.instanceId, resourceUse: {} };
  }
}

/** Starts instances that do what the test says. */
export class ScriptedInstances implements InstanceRuntime {
  readonly kind: RuntimeKind = 'docker';
  readonly capabilities: RuntimeCapabilities;
  readonly defaultLimits = {};
  readonly launched: ScriptedInstance[] = [];
  /** What of an earlier run of the node is still there, by instance id. */
  readonly survivors = new Set<string>();
  /** What `recover` was asked for, and found. */
  readonly asked: LeftInstance[] = [];
  readonly recovered: ScriptedInstance[] = [];
  /** While it is false, recoveries wait until it is `reached`, or their signal is aborted. */
  reachable = true;
  readonly reached = Promise.withResolvers<void>();
  /** Starts to come fail with this. */
  failure: LaunchError | undefined;
  closed = false;
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(abilities = { reattach: true, pause: true }) {
    this.capabilities = { ...abilities, stdin: true, typedFunctions: false };
  }

  async resolve(): Promise<never> {
    throw new Error('no artifacts here');
  }

  async prepare(_task: TaskDefinition) {
    return { functions: [], wit: '' };
  }

  async launch(launch: Launch, signal: AbortSignal): Promise<Instance> {
    signal.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    const instance = new ScriptedInstance(launch);
    this.launched.push(instance);
    for (const { count, resolve } of this.#waiting) if (this.launched.length >= count) resolve();
    return instance;
  }

  async recover(left: LeftInstance, signal: AbortSignal): Promise<Instance | undefined> {
    this.asked.push(left);
    if (!this.reachable) await this.#reach(signal);
    if (this.failure !== undefined) throw this.failure;
    if (!this.survivors.has(left.launch.instanceId)) return undefined;
    const instance = new ScriptedInstance(left.launch);
    instance.paused = left.paused;
    this.recovered.push(instance);
    return instance;
  }

  #reach(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    return Promise.race([this.reached.promise, aborted]);
  }

  /** The one numbered from 0, once it is started. */
  async instance(index: number): Promise<ScriptedInstance> {
    if (this.launched.length <= index) {
      await new Promise<void>((resolve) => this.#waiting.push({ count: index + 1, resolve }));
    }
    const instance = this.launched[index];
    if (instance === undefined) throw new Error(`only ${this.launched.length} were started`);
    return instance;
  }

  failStarts(message = 'no such program'): void {
    this.failure = new LaunchError('START_FAILED', message);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
