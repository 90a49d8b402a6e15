import { RequestError } from '../../domain/errors.ts';
import { SocketWatch } from '../containment/cells/socket-watch.ts';
import type { Attempt, AttemptIo, AttemptOutcome, Instance, Launch, OutputPosition } from '../runtime.ts';
import { ContainerExit, type InstanceHost } from './ending/container-exit.ts';
import { cpuExceeded, type Exit, endingOf, layerExceeded, socketsExceeded } from './ending/ending.ts';
import type { Freezer } from './ending/freezer.ts';
import { OutputPipe } from './ending/output-pipe.ts';
import { StopLadder } from './ending/stop-ladder.ts';
import { asEngineError } from './engine/engine-error.ts';
import type { ContainerStreams } from './engine/streams.ts';
import { within } from './engine/waiting.ts';
import type { CpuWatch } from './limits/cpu-watch.ts';
import { LayerWatch } from './limits/layer-watch.ts';
import { ranOutOfMemory } from './limits/out-of-memory.ts';
import { watchProcessorTime, withProcessorTime } from './limits/processor-time.ts';
import type { ContainerNetwork } from './network/container-network.ts';

/** How long a container that is gone may leave its output open without writing to it. */
const quietMs = 5000;

/** A container that was just started, or that an earlier run of the node left. */
export interface StartedContainer {
  readonly containerId: string;
  readonly streams: ContainerStreams;
  readonly freezer: Freezer;
  /** Of one with a network list. */
  readonly network?: ContainerNetwork | undefined;
  /** Of one that an earlier run left: the output before it is not wanted again. */
  readonly position?: OutputPosition;
}

/** How the container's run ended: with an exit code, or the engine can no longer tell. */
type Fate =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'lost'; readonly why: string };

/** A started container with its streams. */
export class ContainerInstance implements Instance {
  readonly spoiled: Promise<string>;
  readonly #host: InstanceHost;
  readonly #launch: Launch;
  readonly #container: StartedContainer;
  readonly #containerExit: ContainerExit;
  readonly #outputPipe: OutputPipe;
  readonly #ladder: StopLadder;
  readonly #drained: Promise<void>;
  readonly #fate = Promise.withResolvers<Fate>();
  readonly #spoiling = Promise.withResolvers<string>();
  readonly #settled = Promise.withResolvers<void>();
  #use: 'none' | 'serving' | 'ending' | 'discarded' | 'released' = 'none';
  #watch: CpuWatch | undefined;
  readonly #socketWatch: SocketWatch;
  readonly #layerWatch: LayerWatch | undefined;
  /** Why some of its output is not to be had. */
  #missing: string | undefined;
  #closed = false;

  constructor(host: InstanceHost, launch: Launch, container: StartedContainer) {
    const { connection, clock } = host;
    const { containerId, streams, freezer, position } = container;
    this.#host = host;
    this.#launch = launch;
    this.#container = container;
    this.#containerExit = new ContainerExit(host, launch.instanceId, containerId);
    this.spoiled = this.#spoiling.promise;
    this.#outputPipe = new OutputPipe(() => this.#spoil('it wrote before it was given its input'), position);
    this.#ladder = new StopLadder({
      connection,
      clock,
      freezer,
      containerId,
      graceMs: launch.task.graceMs,
      onAsked: (asked) => this.#outputPipe.holdUntil(asked),
      onFailed: (error) => this.#lose(error),
    });
    this.#socketWatch = new SocketWatch(
      clock,
      () => connection.facts?.sockets.exceeds(containerId),
      () => this.#ladder.stop('sockets'),
    );
    this.#layerWatch = this.#watchLayer();
    this.#drained = streams.follow(this.#outputPipe.deliver).catch((error: Error) => {
      this.#missing = error.message;
      this.#fate.resolve({ kind: 'lost', why: error.message });
    });
    streams.exit.then(
      (exitCode) => {
        this.#spoil(`it exited with code ${exitCode} before it was given its input`);
        this.#fate.resolve({ kind: 'exited', exitCode });
      },
      (error: Error) => this.#lose(error),
    );
  }

  get gone(): Promise<void> {
    return this.#containerExit.gone;
  }

  async serve(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    if (this.#use !== 'none') return this.#lost('the instance was ended before it served', true);
    this.#use = 'serving';
    this.#outputPipe.open(io);
    this.#container.network?.serve(io);
    const { streams, containerId, position } = this.#container;
    const { limits } = this.#launch.task;
    if (!signal.aborted) streams.send?.(attempt.invocation.input, () => io.inputDelivered());
    this.#watch = watchProcessorTime(this.#host, {
      containerId,
      limits,
      resumed: position !== undefined,
      onExceeded: () => this.#ladder.stop('cpu'),
    });
    const onAbort = () => this.#ladder.stop('signal');
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    const fate = await this.#ended();
    signal.removeEventListener('abort', onAbort);
    this.#watch?.stop();
    this.#ladder.end();
    const outcome = await (fate.kind === 'exited' ? this.#exited(fate.exitCode) : this.#giveUp(fate.why));
    this.#close();
    this.#settled.resolve();
    return withProcessorTime(outcome, this.#watch?.usedUs, limits);
  }

  async pause(): Promise<void> {
    this.#checkRuns();
    await this.#container.freezer.pause();
  }

  async unpause(): Promise<void> {
    this.#checkRuns();
    await this.#container.freezer.unpause();
  }

  /** One that has ended by itself settles all the same: its container is being removed. */
  release(): void {
    if (this.#use !== 'none' && this.#use !== 'serving') return;
    this.#use = 'released';
    this.#watch?.stop();
    this.#ladder.end();
    this.#host.reconciler.keep(this.#launch.instanceId);
    this.#close();
  }

  async discard(): Promise<boolean> {
    if (this.#use === 'none') this.#use = 'discarded';
    this.#close();
    return this.#containerExit.remove();
  }

  /** Ends it, in use or not. Resolves when what it served has settled; one that was released is left alone. */
  async end(): Promise<void> {
    if (this.#use === 'released') return;
    if (this.#use !== 'serving' && this.#use !== 'ending') {
      await this.discard();
      return;
    }
    this.#ladder.stop('closed');
    await this.#settled.promise;
  }

  /** Never resolves for an instance that was released. */
  async #ended(): Promise<Fate> {
    const fate = await this.#fate.promise;
    if (this.#use === 'released') return new Promise(() => undefined);
    this.#use = 'ending';
    return fate;
  }

  /** Throws a RequestError where it does not serve, or not for long. */
  #checkRuns(): void {
    if (this.#use === 'serving' && this.#ladder.cause === undefined) return;
    const why = this.#use === 'serving' ? 'the container is being stopped' : 'the container has ended';
    throw new RequestError('failed_precondition', why, { reason: 'NOT_RUNNING' });
  }

  #close(): void {
    this.#closed = true;
    this.#socketWatch.stop();
    this.#layerWatch?.stop();
    this.#container.streams.close();
    this.#container.network?.close();
  }

  #watchLayer(): LayerWatch | undefined {
    const { connection, clock, scratchBytes: bytes } = this.#host;
    if (bytes === undefined || this.#launch.task.container?.writableRoot !== true) return undefined;
    const { containerId } = this.#container;
    return new LayerWatch({
      ...{ connection, clock, containerId, bytes },
      onExceeded: () => this.#ladder.stop('layer'),
    });
  }

  #spoil(why: string): void {
    if (this.#use === 'none') this.#spoiling.resolve(why);
  }

  #lose(error: Error): void {
    // Closing the streams of an instance ends its wait too; that is no sign of the engine.
    if (this.#closed) return;
    if (asEngineError(error).unreachable) this.#host.connection.lost(error);
    this.#spoil(error.message);
    this.#fate.resolve({ kind: 'lost', why: error.message });
  }

  async #exited(exitCode: number): Promise<AttemptOutcome> {
    const { containerId, streams } = this.#container;
    let outOfMemory = false;
    if (exitCode !== 0 && this.#ladder.cause === undefined) {
      try {
        outOfMemory = await ranOutOfMemory(this.#host.connection, containerId, exitCode);
      } catch (cause) {
        return this.#giveUp(`it ended, and ${asEngineError(cause).message}`);
      }
    }
    if (streams.needsContainer) {
      await this.#drain();
      if (this.#outputPipe.behind) this.#missing ??= 'its log has less than it has written';
      if (this.#missing !== undefined) return this.#giveUp(this.#missing);
    }
    const removing = this.#containerExit.remove();
    await this.#drain();
    const removed = await removing;
    return this.#outcomeOf({ exitCode, outOfMemory, firstWords: this.#outputPipe.onlyWords }, removed);
  }

  #outcomeOf(exit: Exit, removed: boolean): AttemptOutcome {
    const { task } = this.#launch;
    const facts = this.#facts(removed);
    switch (this.#ladder.cause) {
      case 'signal':
        return { kind: 'stopped', rung: this.#ladder.rung, ...facts };
      case 'cpu':
        return { ...cpuExceeded(task, exit.exitCode), ...facts };
      case 'sockets':
        return { ...socketsExceeded(task, exit.exitCode), ...facts };
      case 'layer':
        return { ...layerExceeded(this.#host.scratchBytes ?? 0, exit.exitCode), ...facts };
      case 'closed':
        return this.#lost('the node shut its docker runtime down', removed);
      case undefined:
        return { ...endingOf(exit, task), ...facts };
    }
  }

  /** All that it wrote has been handed over; a connection that stays open and silent is given up. */
  async #drain(): Promise<void> {
    const { streams } = this.#container;
    for (let before = -1; before !== streams.bytesRead || this.#outputPipe.held; ) {
      before = streams.bytesRead;
      if (await within(this.#host.clock, quietMs, this.#drained)) return;
    }
    this.#close();
    await this.#drained;
  }

  /** What became of it, or all that it wrote, is not to be had. */
  async #giveUp(why: string): Promise<AttemptOutcome> {
    const removed = await this.#containerExit.insist();
    this.#close();
    await this.#drained;
    if (removed && this.#ladder.cause === 'signal')
      return { kind: 'stopped', rung: 'kill', ...this.#facts(true) };
    return this.#lost(`the container was lost: ${why}`, removed);
  }

  #lost(message: string, removed: boolean): AttemptOutcome {
    const facts = this.#facts(removed);
    const unfollowed = this.#missing !== undefined && ({ unfollowed: true } as const);
    return { kind: 'failed', code: 'INSTANCE_LOST', message, ...facts, ...unfollowed };
  }

  #facts(removed: boolean): Pick<AttemptOutcome, 'instanceId' | 'resourceUse' | 'remains'> {
    const facts = { instanceId: this.#launch.instanceId, resourceUse: {} };
    return removed ? facts : { ...facts, remains: true };
  }
}
