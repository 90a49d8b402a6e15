import type { Clock, Timer } from '../../../domain/clock.ts';
import type { InstanceReporter } from '../../../domain/instance.ts';
import type { AttemptOutcome } from '../../runtime.ts';
import type { WasmLogger } from '../logger.ts';
import { GuestHost, type HostOwner } from './guest-host.ts';
import type { Hold } from './hold.ts';
import type { HostCode } from './host-code.ts';
import type { HostLauncher, HostProfile } from './host-process.ts';
import type { PendingJob } from './pending.ts';
import type { NetworkRules, Notice, Program } from './protocol.ts';
import { QuickCalls } from './quick-calls.ts';
import { Warmth } from './warmth.ts';

/**
 * Of JavaScript: the values that go in and out of a guest, and the host's own code; a guest's own memory is bounded by
 * the gate. One compiling thread, so that a host needs no more at once than the gate counts for one function.
 */
const hostFlags = ['--max-old-space-size=256', '--max-semi-space-size=16', '--v8-pool-size=1'];

/** How long calls that were sent together may take, in all, before they are sent again one by one. */
export const batchTimeoutMs = 100;

/** Hosts that end before they can do anything, in a row, until waiting jobs are told so. */
const maxFalseStarts = 3;

/** A job that has waited for so long gets a host of its own. */
const growMs = 20;

/** A host beyond those that are kept warm ends after so long without work. */
const spareMs = 10_000;

interface PoolOptions {
  /** Hosts kept warm. */
  readonly size: number;
  readonly most: number;
  readonly profile: HostProfile;
  readonly launcher: HostLauncher;
  readonly code: HostCode;
  /** What guests with a network may not reach, asked anew before each of them. */
  readonly rules: () => NetworkRules;
  /** Names of hosts, one after the other. */
  readonly nextName: () => string;
  readonly clock: Clock;
  readonly instances?: InstanceReporter | undefined;
  readonly logger?: WasmLogger | undefined;
}

/**
 * Guest hosts of one profile: `size` of them kept warm, more where a task's warm policy says so, and up to `most`
 * where jobs would wait.
 *
 * 1. A host runs one job at a time; jobs beyond the hosts wait here in order.
 * 2. Calls of live instances that were quick so far are sent to a host several at once. Where they take too long, they
 *    are sent again one by one, so none waits for long behind one that hangs.
 * 3. A job goes to a host that holds its program, where one of those is idle.
 * 4. A host that ends, for whatever reason, is replaced at once.
 * 5. What was in a host that somebody took down runs again, alone in a host that nothing has run in: who takes that
 *    down, too, has done it.
 */
export class HostPool implements HostOwner {
  readonly #options: PoolOptions;
  readonly #most: number;
  readonly #clock: Clock;
  readonly #hosts = new Set<GuestHost>();
  readonly #warmth: Warmth;
  readonly #timers = new Map<GuestHost, Timer>();
  readonly #quick: QuickCalls;
  readonly #closed = Promise.withResolvers<void>();
  #queue: PendingJob[] = [];
  /** Those that are to run alone. */
  #alone: PendingJob[] = [];
  #growth: Timer | undefined;
  #scheduled = false;
  #closing = false;
  #falseStarts = 0;
  /** Jobs that have ended so far. */
  #settled = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#most = options.most;
    this.#clock = options.clock;
    this.#quick = new QuickCalls(options.clock);
    const { most: maxHosts, clock, logger } = options;
    this.#warmth = new Warmth(this.#hosts, { maxHosts, clock, logger });
  }

  get #size(): number {
    return Math.max(this.#options.size, Math.min(this.#most, this.#warmth.least));
  }

  get #waiting(): number {
    return this.#queue.length + this.#alone.length;
  }

  get busy(): boolean {
    return this.#waiting > 0;
  }

  /** Starts hosts up to the pool's size. */
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
    const { nextName, instances, launcher, code, profile, rules } = this.#options;
    while (!this.#closing && this.#hosts.size < size && this.#falseStarts < maxFalseStarts) {
      const name = nextName();
      const report = instances?.open({ instanceId: name, runtime: 'wasm', startedAhead: true });
      const process = launcher.launch({ text: code.boot, flags: hostFlags, profile });
      const { network } = profile;
      const options = { name, code: code.message(name, network), clock: this.#clock, report };
      this.#hosts.add(new GuestHost(process, this, { ...options, rules: network ? rules : undefined }));
    }
  }

  add(pending: PendingJob): void {
    if (this.#closing) {
      pending.settle(lost('the runtime is closed'));
      return;
    }
    this.#queue.push(pending);
    const wanted = Math.max(1, this.#size);
    if (this.#hosts.size < wanted) {
      this.#falseStarts = 0;
      this.#grow(wanted);
    }
    // A job that is never sent together with others need not wait for them.
    if (!pending.job.reuse && this.#queue.length === 1) this.#dispatch();
    else this.#schedule();
  }

  abort(pending: PendingJob): void {
    this.#queue = this.#queue.filter((other) => other !== pending);
    this.#alone = this.#alone.filter((other) => other !== pending);
    pending.stopUnstarted();
  }

  /** Ends every host; what runs or waits settles as INSTANCE_LOST. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const pending of [...this.#queue.splice(0), ...this.#alone.splice(0)]) {
      pending.settle(lost('the runtime was closed'));
    }
    this.#growth?.cancel();
    this.#warmth.close();
    for (const host of this.#hosts) host.terminate('the runtime is closed');
    if (this.#hosts.size > 0) await this.#closed.promise;
  }

  onReady(): void {
    this.#falseStarts = 0;
  }

  onHeld(hold: Hold): void {
    this.#warmth.onHeld(hold);
  }

  onServed(host: GuestHost, holds: readonly Hold[]): void {
    this.#warmth.onServed(host, holds);
  }

  onNotice(host: GuestHost, notice: Notice): void {
    this.#warmth.onNotice(host, notice);
    if (notice.state === 'failed') this.#spareIdle();
  }

  onIdle(host: GuestHost): void {
    this.#timers.get(host)?.cancel();
    this.#timers.delete(host);
    if (host.wornOut) {
      host.terminate('it is worn out');
      this.#hosts.delete(host);
      this.warm();
      this.#hosts.add(host);
      return;
    }
    if (this.#waiting > 0) {
      this.#schedule();
      return;
    }
    if (this.#warmth.lacking) this.#warmth.prepare();
    if (this.#hosts.size > this.#size) this.#spare(host);
  }

  onGone(host: GuestHost): void {
    this.#timers.get(host)?.cancel();
    this.#timers.delete(host);
    this.#hosts.delete(host);
    this.#warmth.onGone(host);
    if (this.#closing) {
      if (this.#hosts.size === 0) this.#closed.resolve();
      return;
    }
    if (!host.warm) this.#falseStarts += 1;
    this.#grow(Math.max(this.#size, this.#waiting > 0 ? 1 : 0));
    if (this.#hosts.size === 0) {
      for (const pending of [...this.#queue.splice(0), ...this.#alone.splice(0)]) {
        const { code = 'RUNTIME_UNAVAILABLE', message = 'it ended at once' } = host.startFailure ?? {};
        pending.settle({ ...lost(`no guest host can be started: ${message}`), code });
      }
    }
    if (this.#warmth.lacking) this.#warmth.prepare();
    this.#schedule();
  }

  onReturned(jobs: readonly PendingJob[], suspect: boolean): void {
    for (const pending of jobs) {
      pending.holder = this;
      if (jobs.length > 1) this.#quick.giveUp(pending);
      if (suspect) pending.alone = true;
    }
    if (this.#closing) {
      for (const pending of jobs) pending.settle(lost('the runtime was closed'));
      return;
    }
    if (suspect) this.#alone.push(...jobs);
    else this.#queue.unshift(...jobs);
    this.#schedule();
  }

  onSettled(pending: PendingJob, outcome: AttemptOutcome): void {
    this.#settled += 1;
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
    const idle = [...this.#hosts].filter((host) => host.idle).sort((a, b) => Number(b.warm) - Number(a.warm));
    this.#dispatchAlone(idle);
    while (this.#queue.length > 0) {
      const host = takeFor(this.#queue[0], idle);
      if (host === undefined) break;
      const share = Math.ceil(this.#queue.length / (idle.length + 1));
      const jobs = this.#queue.splice(0, this.#quick.batch(this.#queue, share));
      if (!this.#send(host, jobs)) this.#queue.unshift(...jobs);
    }
    if (this.#waiting > 0) this.#growForWaiting();
  }

  /** Takes the hosts that it gives jobs to, or ends, out of `idle`. */
  #dispatchAlone(idle: GuestHost[]): void {
    while (this.#alone.length > 0) {
      const unused = idle.findIndex((host) => host.unused && host.warm);
      if (unused !== -1) {
        const [host] = idle.splice(unused, 1);
        const jobs = this.#alone.splice(0, 1);
        if (host === undefined || !this.#send(host, jobs)) this.#alone.unshift(...jobs);
        continue;
      }
      const starting = [...this.#hosts].some((host) => host.unused && !host.ending);
      // One that is used makes room for one that is not; its place is taken as soon as it is gone.
      if (!starting && this.#hosts.size >= this.#most) idle.pop()?.terminate('another is to begin anew');
      else if (!starting) this.#grow(this.#hosts.size + 1);
      return;
    }
  }

  /** False where the host takes none any more. */
  #send(host: GuestHost, jobs: readonly PendingJob[]): boolean {
    this.#timers.get(host)?.cancel();
    this.#timers.delete(host);
    if (!host.dispatch(jobs)) return false;
    if (jobs.length > 1) this.#watch(host);
    return true;
  }

  /**
   * One more host at a time, after the one before it has started, and only where jobs have waited for so long that
   * those before them will not end soon: a host costs a tenth of a second and megabytes. Quick calls in great number
   * need none as long as some of them end.
   */
  #growForWaiting(): void {
    if (this.#growth !== undefined || this.#hosts.size >= this.#most) return;
    const first = this.#queue[0] ?? this.#alone[0];
    const settled = this.#settled;
    this.#growth = this.#clock.setTimer(growMs, () => {
      this.#growth = undefined;
      const waits = first !== undefined && (this.#queue.includes(first) || this.#alone.includes(first));
      const starting = [...this.#hosts].some((host) => !host.warm && !host.ending);
      const moves = settled !== this.#settled && this.#quick.isQuick(first);
      if (waits && !starting && !moves) this.#grow(Math.min(this.#most, this.#hosts.size + 1));
      if (this.#waiting > 0) this.#growForWaiting();
    });
  }

  /** Where fewer hosts are wanted than before. */
  #spareIdle(): void {
    if (this.#hosts.size <= this.#size) return;
    for (const host of this.#hosts) if (host.idle && !this.#timers.has(host)) this.#spare(host);
  }

  #spare(host: GuestHost): void {
    const timer = this.#clock.setTimer(spareMs, () => {
      this.#timers.delete(host);
      const alive = [...this.#hosts].filter((each) => !each.ending).length;
      if (host.idle && alive > this.#size) host.terminate('it is not needed');
    });
    this.#timers.set(host, timer);
  }

  #watch(host: GuestHost): void {
    const timer = this.#clock.setTimer(batchTimeoutMs, () => {
      this.#timers.delete(host);
      host.giveUpBatch();
    });
    this.#timers.set(host, timer);
  }
}

/** Takes the host that holds the job's program out of `idle`, or else the first. */
function takeFor(pending: PendingJob | undefined, idle: GuestHost[]): GuestHost | undefined {
  if (pending === undefined) return undefined;
  const holder = idle.findIndex((host) => host.warm && host.holds.has(pending.program.key));
  const [host] = idle.splice(Math.max(0, holder), 1);
  return host;
}

function lost(message: string) {
  return { kind: 'failed', code: 'INSTANCE_LOST', message, instanceId: '', resourceUse: {} } as const;
}
