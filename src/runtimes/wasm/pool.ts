import type { Clock, Timer } from '../../domain/clock.ts';
import type { InstanceReporter } from '../../domain/instance.ts';
import type { AttemptOutcome } from '../runtime.ts';
import type { Hold } from './hold.ts';
import type { WasmLogger } from './logger.ts';
import type { PendingJob } from './pending.ts';
import type { Notice, Program } from './protocol.ts';
import { QuickCalls } from './quick-calls.ts';
import { type ThreadOwner, WasmThread } from './thread.ts';
import { Warmth } from './warmth.ts';

/** How long calls that were sent together wait for the first of them before they are taken back. */
const patienceMs = 3;

/** Threads that end before they can do anything, in a row, until waiting jobs are told so. */
const maxFalseStarts = 3;

/** A job that has waited for so long gets a thread of its own. */
const growMs = 20;

/** A thread beyond those that are kept warm ends after so long without work. */
const spareMs = 10_000;

interface PoolOptions {
  /** Threads kept warm. */
  readonly size: number;
  readonly most: number;
  readonly clock: Clock;
  readonly instances?: InstanceReporter | undefined;
  readonly logger?: WasmLogger | undefined;
  /** What was transpiled of it is gone or damaged on disk. */
  readonly onDamaged: (program: Program) => void;
}

/**
 * Worker threads that run wasm: `size` of them kept warm, more where a task's warm policy says so, and up to
 * `most` where jobs would wait.
 *
 * 1. A thread runs one job at a time; jobs beyond the threads wait here in order.
 * 2. Calls of live instances that were quick so far are sent to a thread several at once. Each is claimed by the
 *    thread or taken back by the pool, never both, so none waits behind one that hangs and none runs twice.
 * 3. A job goes to a thread that holds its program, where one of those is idle.
 * 4. A thread that ends, for whatever reason, is replaced at once.
 */
export class ThreadPool implements ThreadOwner {
  readonly #options: PoolOptions;
  readonly #most: number;
  readonly #clock: Clock;
  readonly #threads = new Set<WasmThread>();
  readonly #warmth: Warmth;
  readonly #timers = new Map<WasmThread, Timer>();
  readonly #quick = new QuickCalls();
  readonly #closed = Promise.withResolvers<void>();
  #queue: PendingJob[] = [];
  #growth: Timer | undefined;
  #scheduled = false;
  #closing = false;
  #named = 0;
  #falseStarts = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#most = options.most;
    this.#clock = options.clock;
    const { most: mostThreads, clock, logger } = options;
    this.#warmth = new Warmth(this.#threads, { mostThreads, clock, logger });
  }

  get #size(): number {
    return Math.max(this.#options.size, Math.min(this.#most, this.#warmth.least));
  }

  /** Starts threads up to the pool's size. */
  warm(): void {
    this.#grow(this.#size);
  }

  /** Keeps the program ready as its policy says; see `Warmth.plan`. */
  async keep(program: Program, live: boolean): Promise<void> {
    if (this.#closing) return;
    const kept = this.#warmth.plan(program, live);
    this.warm();
    this.#warmth.prepare();
    await kept;
  }

  /** Ends what is kept of the program. */
  cool(program: Program): void {
    this.#warmth.cool(program.key);
    this.#spareIdle();
  }

  #grow(size: number): void {
    while (!this.#closing && this.#threads.size < size && this.#falseStarts < maxFalseStarts) {
      this.#named += 1;
      const name = `wasm-${this.#named}`;
      const report = this.#options.instances?.open({ instanceId: name, runtime: 'wasm', startedAhead: true });
      this.#threads.add(new WasmThread(name, this, this.#clock, report));
    }
  }

  add(pending: PendingJob): void {
    if (this.#closing) {
      pending.settle(lost('the runtime is closed'));
      return;
    }
    this.#queue.push(pending);
    if (this.#threads.size < this.#size) {
      this.#falseStarts = 0;
      this.warm();
    }
    // A job that is never sent together with others need not wait for them.
    if (!pending.job.reuse && this.#queue.length === 1) this.#dispatch();
    else this.#schedule();
  }

  abort(pending: PendingJob): void {
    this.#queue = this.#queue.filter((other) => other !== pending);
    pending.stopUnstarted();
  }

  /** Ends every thread; what runs or waits settles as INSTANCE_LOST. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const pending of this.#queue.splice(0)) pending.settle(lost('the runtime was closed'));
    this.#warmth.close();
    for (const thread of this.#threads) thread.terminate('the runtime is closed');
    if (this.#threads.size > 0) await this.#closed.promise;
  }

  onReady(): void {
    this.#falseStarts = 0;
  }

  onHeld(hold: Hold): void {
    this.#warmth.onHeld(hold);
  }

  onServed(thread: WasmThread, holds: readonly Hold[]): void {
    this.#warmth.onServed(thread, holds);
  }

  onNotice(thread: WasmThread, notice: Notice): void {
    this.#warmth.onNotice(thread, notice);
    if (notice.state === 'failed') this.#spareIdle();
  }

  onIdle(thread: WasmThread): void {
    this.#timers.get(thread)?.cancel();
    this.#timers.delete(thread);
    if (thread.wornOut) {
      thread.terminate('it is worn out');
      this.#threads.delete(thread);
      this.warm();
      this.#threads.add(thread);
    }
    if (this.#queue.length > 0) {
      this.#schedule();
      return;
    }
    if (this.#warmth.lacking) this.#warmth.prepare();
    if (this.#threads.size > this.#size) this.#spare(thread);
  }

  onGone(thread: WasmThread): void {
    this.#timers.get(thread)?.cancel();
    this.#timers.delete(thread);
    this.#threads.delete(thread);
    this.#warmth.onGone(thread);
    if (this.#closing) {
      if (this.#threads.size === 0) this.#closed.resolve();
      return;
    }
    if (!thread.warm) this.#falseStarts += 1;
    this.warm();
    if (this.#threads.size === 0) {
      for (const pending of this.#queue.splice(0)) {
        pending.settle({ ...lost('no worker thread can be started'), code: 'RUNTIME_UNAVAILABLE' });
      }
    }
    if (this.#warmth.lacking) this.#warmth.prepare();
    this.#schedule();
  }

  onReturned(jobs: readonly PendingJob[]): void {
    for (const pending of jobs) {
      pending.holder = this;
      this.#quick.forget(pending);
    }
    if (this.#closing) {
      for (const pending of jobs) pending.settle(lost('the runtime was closed'));
      return;
    }
    this.#queue.unshift(...jobs);
    this.#schedule();
  }

  onSettled(pending: PendingJob, outcome: AttemptOutcome): void {
    if (outcome.kind === 'failed' && outcome.code === 'ARTIFACT_UNAVAILABLE') {
      this.#options.onDamaged(pending.program);
    }
    this.#quick.settled(pending, outcome);
  }

  /** Once a turn of the event loop, so that what arrived in it is sent together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    const idle = [...this.#threads]
      .filter((thread) => thread.idle)
      .sort((a, b) => Number(b.warm) - Number(a.warm));
    while (this.#queue.length > 0) {
      const thread = takeFor(this.#queue[0], idle);
      if (thread === undefined) {
        this.#growForWaiting();
        return;
      }
      const share = Math.ceil(this.#queue.length / (idle.length + 1));
      const jobs = this.#queue.splice(0, this.#quick.batch(this.#queue, share));
      this.#timers.get(thread)?.cancel();
      this.#timers.delete(thread);
      thread.dispatch(jobs);
      if (jobs.length > 1) this.#watch(thread);
    }
  }

  /**
   * One more thread at a time, and only where jobs have waited for so long that those before them will not end soon:
   * a thread costs tens of milliseconds and megabytes, and quick calls in great number need none.
   */
  #growForWaiting(): void {
    if (this.#growth !== undefined || this.#threads.size >= this.#most) return;
    const first = this.#queue[0];
    this.#growth = this.#clock.setTimer(growMs, () => {
      this.#growth = undefined;
      if (first !== undefined && this.#queue.includes(first)) {
        this.#grow(Math.min(this.#most, this.#threads.size + 1));
      }
      if (this.#queue.length > 0) this.#growForWaiting();
    });
  }

  /** Where fewer threads are wanted than before. */
  #spareIdle(): void {
    if (this.#threads.size <= this.#size) return;
    for (const thread of this.#threads) if (thread.idle && !this.#timers.has(thread)) this.#spare(thread);
  }

  #spare(thread: WasmThread): void {
    const timer = this.#clock.setTimer(spareMs, () => {
      this.#timers.delete(thread);
      const alive = [...this.#threads].filter((each) => !each.ending).length;
      if (thread.idle && alive > this.#size) thread.terminate('it is not needed');
    });
    this.#timers.set(thread, timer);
  }

  #watch(thread: WasmThread): void {
    const timer = this.#clock.setTimer(patienceMs, () => {
      this.#timers.delete(thread);
      thread.returnUnstarted();
    });
    this.#timers.set(thread, timer);
  }
}

/** Takes the thread that holds the job's program out of `idle`, or else the first. */
function takeFor(pending: PendingJob | undefined, idle: WasmThread[]): WasmThread | undefined {
  if (pending === undefined) return undefined;
  const holder = idle.findIndex((thread) => thread.warm && thread.holds.has(pending.program.key));
  const [thread] = idle.splice(Math.max(0, holder), 1);
  return thread;
}

function lost(message: string) {
  return { kind: 'failed', code: 'INSTANCE_LOST', message, instanceId: '', resourceUse: {} } as const;
}
