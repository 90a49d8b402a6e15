import type { Clock, Timer } from '../../domain/clock.ts';
import type { Attempt, AttemptIo, AttemptOutcome, Instance, Launch } from '../runtime.ts';
import type { Attached } from './attached.ts';
import type { EngineConnection } from './connection.ts';
import { CpuWatch } from './cpu-watch.ts';
import { cpuExceeded, type Exit, endingOf } from './ending.ts';
import { asEngineError } from './engine-error.ts';
import { followFrames } from './frames.ts';
import { killedForMemory } from './kernel-log.ts';
import { Outlet } from './outlet.ts';
import type { Reconciler } from './reconciler.ts';
import { removeContainer } from './removal.ts';
import { passed, within } from './waiting.ts';

const inspectMs = 10_000;
const termMs = 5000;
/** The engine itself waits up to 10 s for the end of what it kills. */
const killMs = 15_000;
/** How long an engine that went away is waited for before its container is left to the reconciler. */
const recoverMs = 5000;
const retryMs = 200;
/** What a program exits with that was ended by SIGKILL, which may be the kernel's for want of memory. */
const killedCode = 137;
/** How long a container that is gone may leave its output open without writing to it. */
const quietMs = 5000;

/** What an instance needs of the runtime that it belongs to. */
export interface InstanceHost {
  readonly connection: EngineConnection;
  readonly reconciler: Reconciler;
  readonly clock: Clock;
}

type StopCause = 'signal' | 'cpu' | 'closed';

/** How the container's run ended: with an exit code, or the engine can no longer tell. */
type Fate =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'lost'; readonly why: string };

/** A started container with its streams attached. */
export class ContainerInstance implements Instance {
  readonly spoiled: Promise<string>;
  readonly gone: Promise<void>;
  readonly #host: InstanceHost;
  readonly #launch: Launch;
  readonly #containerId: string;
  readonly #attached: Attached;
  readonly #outlet: Outlet;
  readonly #drained: Promise<void>;
  readonly #fate = Promise.withResolvers<Fate>();
  readonly #spoiling = Promise.withResolvers<string>();
  readonly #going = Promise.withResolvers<void>();
  readonly #settled = Promise.withResolvers<void>();
  #use: 'none' | 'serving' | 'discarded' = 'none';
  #stopCause: StopCause | undefined;
  #rung: 'term' | 'kill' = 'term';
  #closed = false;
  #graceTimer: Timer | undefined;

  constructor(host: InstanceHost, launch: Launch, containerId: string, attached: Attached) {
    this.#host = host;
    this.#launch = launch;
    this.#containerId = containerId;
    this.#attached = attached;
    this.spoiled = this.#spoiling.promise;
    this.gone = this.#going.promise;
    this.#outlet = new Outlet(() => this.#spoil('it wrote before it was given its input'));
    // Output that breaks off does so with the engine, and that is the business of the exit.
    this.#drained = followFrames(attached.output, this.#outlet.deliver).catch(() => undefined);
    attached.exit.then(
      (exitCode) => {
        this.#spoil(`it exited with code ${exitCode} before it was given its input`);
        this.#fate.resolve({ kind: 'exited', exitCode });
      },
      (error: Error) => this.#lose(error),
    );
  }

  async serve(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    if (this.#use !== 'none') return this.#lost('the instance was ended before it served', undefined);
    this.#use = 'serving';
    this.#outlet.open(io);
    if (!signal.aborted) this.#attached.send(attempt.invocation.input);
    const watch = this.#watchCpu();
    const onAbort = () => this.#stop('signal');
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    const fate = await this.#fate.promise;
    signal.removeEventListener('abort', onAbort);
    watch?.stop();
    this.#graceTimer?.cancel();
    const outcome = await (fate.kind === 'exited' ? this.#exited(fate.exitCode) : this.#recover(fate.why));
    this.#close();
    this.#settled.resolve();
    if (watch?.usedUs === undefined) return outcome;
    return { ...outcome, resourceUse: { cpuTimeUs: this.#cpuTimeUs(watch.usedUs, outcome) } };
  }

  async discard(): Promise<boolean> {
    if (this.#use === 'none') this.#use = 'discarded';
    this.#close();
    return this.#remove();
  }

  /** Ends it, in use or not. Resolves when what it served has settled. */
  async end(): Promise<void> {
    if (this.#use !== 'serving') {
      await this.discard();
      return;
    }
    this.#stop('closed');
    await this.#settled.promise;
  }

  /** The last look may be from before what the kernel ended it for. */
  #cpuTimeUs(lookedUs: number, outcome: AttemptOutcome): number {
    const usedUp = outcome.kind === 'failed' && outcome.code === 'CPU_LIMIT';
    return usedUp ? Math.max(lookedUs, (this.#launch.task.limits.cpuTimeMs ?? 0) * 1000) : lookedUs;
  }

  #close(): void {
    this.#closed = true;
    this.#attached.close();
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

  #watchCpu(): CpuWatch | undefined {
    const { connection, clock } = this.#host;
    const { cpuTimeMs, cpu } = this.#launch.task.limits;
    if (cpuTimeMs === undefined) return undefined;
    const cores = connection.facts?.cores ?? 1;
    return new CpuWatch({
      clock,
      limitMs: cpuTimeMs,
      cores: Math.min(cpu ?? cores, cores),
      read: () => this.#cpuTimeMs(),
      onExceeded: () => this.#stop('cpu'),
    });
  }

  async #cpuTimeMs(): Promise<number | undefined> {
    const container = this.#containerId;
    try {
      const stats = await this.#host.connection.call(inspectMs, (docker) =>
        docker.getContainer(container).stats({ stream: false, 'one-shot': true }),
      );
      return stats.cpu_stats.cpu_usage.total_usage / 1e6;
    } catch {
      // It is gone, or the engine is: either way its exit says more than we could.
      return undefined;
    }
  }

  #stop(cause: StopCause): void {
    if (this.#stopCause !== undefined) return;
    this.#stopCause = cause;
    const { graceMs } = this.#launch.task;
    if (cause !== 'signal' || graceMs === 0) {
      void this.#kill();
      return;
    }
    this.#graceTimer = this.#host.clock.setTimer(graceMs, () => void this.#kill());
    const signalled = this.#signal('SIGTERM').catch((error: Error) => {
      if (asEngineError(error).unreachable) this.#lose(error);
      else void this.#kill();
    });
    this.#outlet.holdUntil(signalled);
  }

  async #kill(): Promise<void> {
    this.#rung = 'kill';
    await this.#signal('SIGKILL').catch((error: Error) => this.#lose(error));
  }

  /** Rejects where the engine does not do it; that there is nothing to do it to is no error. */
  async #signal(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const container = this.#containerId;
    const withinMs = signal === 'SIGTERM' ? termMs : killMs;
    try {
      await this.#host.connection.call(withinMs, (docker) => docker.getContainer(container).kill({ signal }));
    } catch (cause) {
      const error = asEngineError(cause);
      if (error.status !== 404 && error.status !== 409) throw error;
    }
  }

  async #exited(exitCode: number): Promise<AttemptOutcome> {
    let outOfMemory = false;
    if (exitCode !== 0 && this.#stopCause === undefined) {
      try {
        outOfMemory = await this.#ranOutOfMemory(exitCode);
      } catch (cause) {
        return this.#recover(`it ended, and ${asEngineError(cause).message}`);
      }
    }
    const removing = this.#remove();
    await this.#drain();
    const facts = this.#facts(await removing);
    switch (this.#stopCause) {
      case 'signal':
        return { kind: 'stopped', rung: this.#rung, ...facts };
      case 'cpu':
        return { ...cpuExceeded(this.#launch.task, exitCode), ...facts };
      case 'closed':
        return {
          kind: 'failed',
          code: 'INSTANCE_LOST',
          message: 'the node shut its docker runtime down',
          ...facts,
        };
      case undefined: {
        const exit: Exit = { exitCode, outOfMemory, firstWords: this.#outlet.onlyWords };
        return { ...endingOf(exit, this.#launch.task), ...facts };
      }
    }
  }

  async #ranOutOfMemory(exitCode: number): Promise<boolean> {
    const container = this.#containerId;
    const { State } = await this.#host.connection.call(inspectMs, (docker) =>
      docker.getContainer(container).inspect(),
    );
    return State.OOMKilled || (exitCode === killedCode && killedForMemory(container));
  }

  /** All that it wrote has been handed over; a connection that stays open and silent is given up. */
  async #drain(): Promise<void> {
    const outlet = this.#outlet;
    for (let before = -1; before !== outlet.bytes || outlet.held; ) {
      before = outlet.bytes;
      if (await within(this.#host.clock, quietMs, this.#drained)) return;
    }
    this.#close();
    await this.#drained;
  }

  /** The engine went away under it: it may come back, and the container with it or not. */
  async #recover(why: string): Promise<AttemptOutcome> {
    const { connection, clock } = this.#host;
    const until = clock.monotonic() + recoverMs;
    let removed = false;
    for (;;) {
      removed = await removeContainer(connection, clock, this.#containerId, recoverMs);
      if (removed || clock.monotonic() >= until) break;
      await passed(clock, retryMs);
    }
    this.#close();
    await this.#drained;
    this.#removed(removed);
    if (removed && this.#stopCause === 'signal')
      return { kind: 'stopped', rung: 'kill', ...this.#facts(true) };
    return this.#lost(`the container was lost: ${why}`, removed);
  }

  #lost(message: string, removed: boolean | undefined): AttemptOutcome {
    return { kind: 'failed', code: 'INSTANCE_LOST', message, ...this.#facts(removed ?? true) };
  }

  async #remove(): Promise<boolean> {
    const { connection, clock } = this.#host;
    const removed = await removeContainer(connection, clock, this.#containerId);
    this.#removed(removed);
    return removed;
  }

  #removed(confirmed: boolean): void {
    const { reconciler } = this.#host;
    const { instanceId } = this.#launch;
    if (!confirmed) {
      void reconciler.abandon(instanceId).then(this.#going.resolve);
      return;
    }
    reconciler.leave(instanceId);
    this.#going.resolve();
  }

  #facts(removed: boolean): Pick<AttemptOutcome, 'instanceId' | 'resourceUse' | 'remains'> {
    const facts = { instanceId: this.#launch.instanceId, resourceUse: {} };
    return removed ? facts : { ...facts, remains: true };
  }
}
