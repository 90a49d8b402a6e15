import type { Clock, Timer } from '../../../domain/clock.ts';
import type { WasmLogger } from '../logger.ts';
import type { GuestHost } from './guest-host.ts';
import type { Hold } from './hold.ts';
import type { Notice, Program } from './protocol.ts';

/** A host that makes something ready for so long is ended: a guest can start without end. */
const readyTimeoutMs = 10_000;

/** Programs that policies keep ready in one host; with more it would be worn out by them alone. */
const maxPinned = 32;

/** What a busy host holds is looked at again after so long. */
const busyMs = 1000;

const longestTimerMs = 2 ** 31 - 1;

/** A program that some hosts are to have ready. */
interface Plan {
  readonly program: Program;
  /** With a live instance. */
  readonly live: boolean;
  /** `failed`: it was tried and cannot be done, so it is not tried over and over. */
  state: 'lacking' | 'asked' | 'failed';
  /** It was logged that there is no room for all of it. */
  told: boolean;
  /** Who waits until it is so, or cannot be. */
  readonly waiting: (() => void)[];
}

interface Holders {
  count: number;
  most: number;
}

interface WarmthOptions {
  readonly maxHosts: number;
  readonly clock: Clock;
  readonly logger: WasmLogger | undefined;
}

/**
 * Which hosts hold which programs, by the warm policies of their tasks.
 *
 * 1. A plan pins its program to `min` hosts, the least laden first. A host is asked only when it is idle, and
 *    takes no job until it has answered; one that does not answer in time is ended, and the plan given up.
 * 2. Any other hold ends when it has done nothing for the policy's idle time, or right after a batch where more
 *    than `max` hosts hold the program.
 * 3. For a program without a plan nothing is done between its batches, and a few comparisons after each.
 */
export class Warmth {
  readonly #clock: Clock;
  readonly #logger: WasmLogger | undefined;
  readonly #hosts: ReadonlySet<GuestHost>;
  readonly #maxHosts: number;
  readonly #plans = new Map<number, Plan>();
  readonly #holders = new Map<number, Holders>();
  readonly #watchdogs = new Map<GuestHost, Timer>();
  #sweeper: Timer | undefined;
  #sweepAt = Number.POSITIVE_INFINITY;
  /** Whether some plan wants more hosts than it has. */
  lacking = false;
  /** The most hosts that a plan wants. */
  least = 0;

  constructor(hosts: ReadonlySet<GuestHost>, { maxHosts, clock, logger }: WarmthOptions) {
    this.#hosts = hosts;
    this.#maxHosts = maxHosts;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Resolves when as many hosts as can be have it ready, when that has failed, or when it is not wanted any more. */
  plan(program: Program, live: boolean): Promise<void> {
    let plan = this.#plans.get(program.key);
    if (plan === undefined) {
      plan = { program, live, state: 'lacking', told: false, waiting: [] };
      this.#plans.set(program.key, plan);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    plan.waiting.push(resolve);
    this.#want(plan);
    return promise;
  }

  /** Has every host forget the program, each as soon as it does not run it. */
  cool(key: number): void {
    const plan = this.#plans.get(key);
    this.#plans.delete(key);
    if (plan !== undefined) {
      settle(plan);
      // Others may have waited for its room.
      for (const other of this.#plans.values()) if (other.state === 'asked') this.#want(other);
      this.#count();
    }
    const holders = this.#holders.get(key);
    if (holders !== undefined) holders.most = 0;
    for (const host of this.#hosts) {
      const hold = host.holds.get(key);
      if (hold === undefined) continue;
      hold.pinned = false;
      if (host.idle) this.#dismiss(host, hold);
      else this.#sweepBy(this.#clock.monotonic());
    }
    if (this.lacking) this.prepare();
  }

  /** Asks idle hosts for what is lacking. */
  prepare(): void {
    this.lacking = false;
    for (const plan of this.#plans.values()) {
      if (plan.state !== 'lacking') continue;
      const { key, warm } = plan.program;
      const hosts = [...this.#hosts].filter((host) => !host.ending);
      const pinned = hosts.filter((host) => host.holds.get(key)?.pinned);
      const wanted = Math.max(0, Math.min(warm.min, this.#maxHosts) - pinned.length);
      const chosen = candidates(hosts, key).slice(0, wanted);
      for (const host of chosen) this.#ask(host, plan);
      if (chosen.length === wanted || this.#isFull(hosts, plan)) plan.state = 'asked';
      else this.lacking = true;
      this.#settleIfReady(plan);
    }
  }

  onHeld({ program: { key, warm } }: Hold): void {
    const holders = this.#holders.get(key);
    if (holders === undefined) this.#holders.set(key, { count: 1, most: warm.max });
    else holders.count += 1;
  }

  onServed(host: GuestHost, holds: readonly Hold[]): void {
    const now = this.#clock.monotonic();
    for (const hold of holds) {
      hold.usedAt = now;
      if (hold.pinned) continue;
      const { key, warm } = hold.program;
      const holders = this.#holders.get(key);
      if (holders !== undefined && holders.count > holders.most) this.#dismiss(host, hold);
      else this.#sweepBy(now + warm.idleTimeoutMs);
    }
  }

  onNotice(host: GuestHost, notice: Notice): void {
    const plan = this.#plans.get(notice.program);
    const hold = host.holds.get(notice.program);
    if (notice.state === 'spent') {
      if (plan === undefined || hold === undefined) return;
      hold.pinned = false;
      this.#want(plan);
      return;
    }
    if (hold !== undefined) hold.usedAt = this.#clock.monotonic();
    if (host.preparing.size === 0) {
      this.#watchdogs.get(host)?.cancel();
      this.#watchdogs.delete(host);
    }
    if (plan === undefined) return;
    if (notice.state === 'failed') this.#giveUp(plan, notice.reason);
    else this.#settleIfReady(plan);
  }

  onGone(host: GuestHost): void {
    this.#watchdogs.get(host)?.cancel();
    this.#watchdogs.delete(host);
    for (const hold of host.holds.values()) this.#release(hold.program.key);
    for (const key of host.preparing) {
      const plan = this.#plans.get(key);
      if (plan !== undefined) this.#giveUp(plan, 'the guest host ended while it was made ready');
    }
    for (const plan of this.#plans.values()) {
      if (host.holds.get(plan.program.key)?.pinned && plan.state !== 'failed') this.#want(plan);
    }
  }

  close(): void {
    this.#sweeper?.cancel();
    for (const timer of this.#watchdogs.values()) timer.cancel();
    for (const plan of this.#plans.values()) settle(plan);
    this.#plans.clear();
  }

  #ask(host: GuestHost, { program, live }: Plan): void {
    host.prepare(program, live);
    const timer = this.#clock.setTimer(readyTimeoutMs, () => {
      host.terminate(`it was not ready after ${readyTimeoutMs / 1000} s`);
    });
    this.#watchdogs.get(host)?.cancel();
    this.#watchdogs.set(host, timer);
  }

  /** Whether no host can take the program that it is not pinned to; only a plan that is cancelled makes room. */
  #isFull(hosts: readonly GuestHost[], plan: Plan): boolean {
    const { key, name } = plan.program;
    const full = hosts.every((host) => host.holds.get(key)?.pinned || pinnedIn(host) >= maxPinned);
    if (hosts.length < this.least || !full) return false;
    if (!plan.told) {
      const reason = `a host keeps ${maxPinned} programs ready at most`;
      this.#logger?.warn({ task: name, reason }, 'a wasm task is kept warm in fewer hosts than it asks for');
    }
    plan.told = true;
    return true;
  }

  #want(plan: Plan): void {
    plan.state = 'lacking';
    this.lacking = true;
    this.#count();
  }

  #settleIfReady(plan: Plan): void {
    if (plan.state !== 'asked') return;
    const asked = [...this.#hosts].some((host) => host.preparing.has(plan.program.key));
    if (!asked) settle(plan);
  }

  #giveUp(plan: Plan, reason: string): void {
    plan.state = 'failed';
    this.#count();
    const { name, key } = plan.program;
    for (const host of this.#hosts) {
      const hold = host.holds.get(key);
      if (hold !== undefined) hold.pinned = false;
    }
    this.#sweepBy(this.#clock.monotonic() + plan.program.warm.idleTimeoutMs);
    this.#logger?.warn({ task: name, reason }, 'a wasm task is not kept warm');
    settle(plan);
  }

  #count(): void {
    const wanted = [...this.#plans.values()].filter((plan) => plan.state !== 'failed');
    this.least = Math.max(0, ...wanted.map((plan) => plan.program.warm.min));
  }

  #dismiss(host: GuestHost, { program: { key } }: Hold): void {
    host.dismiss(key);
    this.#release(key);
  }

  #release(key: number): void {
    const holders = this.#holders.get(key);
    if (holders === undefined) return;
    holders.count -= 1;
    if (holders.count === 0) this.#holders.delete(key);
  }

  #sweepBy(at: number): void {
    if (at >= this.#sweepAt) return;
    this.#sweeper?.cancel();
    this.#sweepAt = at;
    const delay = Math.min(Math.max(0, at - this.#clock.monotonic()), longestTimerMs);
    this.#sweeper = this.#clock.setTimer(delay, () => this.#sweep());
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    let next = Number.POSITIVE_INFINITY;
    for (const host of this.#hosts) {
      if (host.ending) continue;
      for (const hold of host.holds.values()) {
        if (hold.pinned) continue;
        const cooled = this.#holders.get(hold.program.key)?.most === 0;
        const due = cooled ? now : hold.usedAt + hold.program.warm.idleTimeoutMs;
        if (!host.idle) next = Math.min(next, Math.max(due, now + busyMs));
        else if (due <= now) this.#dismiss(host, hold);
        else next = Math.min(next, due);
      }
    }
    this.#sweepAt = Number.POSITIVE_INFINITY;
    if (next !== Number.POSITIVE_INFINITY) this.#sweepBy(next);
  }
}

function settle(plan: Plan): void {
  for (const resolve of plan.waiting.splice(0)) resolve();
}

/** Idle hosts that the program is not pinned to: those that hold it first, then those with the least to hold. */
function candidates(hosts: readonly GuestHost[], key: number): GuestHost[] {
  const laden = new Map(hosts.map((host) => [host, pinnedIn(host)]));
  const load = (host: GuestHost) => (host.holds.has(key) ? -1 : (laden.get(host) ?? 0));
  return hosts
    .filter((host) => host.warm && host.idle && !host.holds.get(key)?.pinned)
    .filter((host) => (laden.get(host) ?? 0) < maxPinned)
    .sort((a, b) => load(a) - load(b));
}

function pinnedIn(host: GuestHost): number {
  return [...host.holds.values()].filter((hold) => hold.pinned).length;
}
