/**
 * Requests that have begun to arrive and are not whole yet. Their bytes count against the budget of request bytes as
 * they come, and each has a time between two bytes and one in all.
 *
 * One timer looks after all of them, and only while there are any: a request that comes in one piece costs no timer
 * and no look at a clock.
 */
import type { Clock, Timer } from '../domain/clock.ts';
import { RequestError } from '../domain/errors.ts';
import type { ByteBudget } from './byte-budget.ts';

export interface ArrivalTimes {
  /** How long a request may go without bringing a byte, in milliseconds. */
  readonly idleMs: number;
  /** How long a request may take to arrive whole, in milliseconds. */
  readonly totalMs: number;
}

/** A request that uploads may take that many times as long. */
const uploadFactor = 10;
const longestPeriodMs = 1000;
const shortestPeriodMs = 10;
/** Looks that fit into the shortest of the times. */
const looksPerTime = 4;

/** A request whose bytes are arriving. */
export interface Arriving {
  /** The request carries an artifact or a snapshot. */
  readonly uploads: boolean;
  /** We do not read it now: that no byte comes is not the caller's fault. */
  paused(): boolean;
  /** Ends it with an answer; called once, and never after `end`. */
  refuse(error: RequestError): void;
}

export class Arrivals {
  readonly #budget: ByteBudget;
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #idleTicks: number;
  readonly #totalTicks: number;
  readonly #times: ArrivalTimes;
  readonly #open = new Set<Arrival>();
  #tick = 0;
  #timer: Timer | undefined;

  constructor(budget: ByteBudget, clock: Clock, times: ArrivalTimes) {
    const shortest = Math.min(times.idleMs, times.totalMs) / looksPerTime;
    this.#budget = budget;
    this.#clock = clock;
    this.#times = times;
    this.#periodMs = Math.min(longestPeriodMs, Math.max(shortestPeriodMs, shortest));
    this.#idleTicks = Math.ceil(times.idleMs / this.#periodMs);
    this.#totalTicks = Math.ceil(times.totalMs / this.#periodMs);
  }

  begin(arriving: Arriving): Arrival {
    const arrival = new Arrival(arriving, this, this.#tick);
    this.#open.add(arrival);
    this.#timer ??= this.#clock.setTimer(this.#periodMs, this.#look);
    return arrival;
  }

  /**
   * Makes the bytes of an arrival count. Where there is no room, those go first that have gone quiet with bytes of
   * theirs here: whoever sends without end must not keep out whoever sends. Throws resource_exhausted where all go on.
   */
  count(bytes: number, arrival: Arrival): void {
    while (!this.#budget.arrive(bytes, arrival.held)) {
      const quiet = this.#quiet(arrival);
      if (quiet === undefined) throw this.#budget.full();
      quiet.refuse(this.#budget.full());
    }
  }

  uncount(bytes: number): void {
    this.#budget.leave(bytes);
  }

  forget(arrival: Arrival): void {
    this.#open.delete(arrival);
  }

  #quiet(except: Arrival): Arrival | undefined {
    for (const each of this.#open) {
      if (each !== except && each.held > 0 && each.isQuiet(this.#tick)) return each;
    }
    return undefined;
  }

  close(): void {
    this.#timer?.cancel();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    this.#tick += 1;
    for (const arrival of this.#open) this.#check(arrival);
    if (this.#open.size > 0) this.#timer = this.#clock.setTimer(this.#periodMs, this.#look);
  };

  #check(arrival: Arrival): void {
    const { idleMs, totalMs } = this.#times;
    const factor = arrival.uploads ? uploadFactor : 1;
    if (arrival.age(this.#tick) > this.#totalTicks * factor) {
      arrival.refuse(tooSlow(`has taken more than the allowed ${totalMs * factor} ms to arrive`));
    } else if (arrival.silence(this.#tick) > this.#idleTicks) {
      arrival.refuse(tooSlow(`has brought no byte for more than the allowed ${idleMs} ms`));
    }
  }
}

function tooSlow(what: string): RequestError {
  return new RequestError('deadline_exceeded', `the request ${what}`, { reason: 'REQUEST_TOO_SLOW' });
}

export class Arrival {
  readonly #arriving: Arriving;
  readonly #arrivals: Arrivals;
  readonly #begunAt: number;
  #heardAt: number;
  #heard = false;
  #held = 0;

  constructor(arriving: Arriving, arrivals: Arrivals, tick: number) {
    this.#arriving = arriving;
    this.#arrivals = arrivals;
    this.#begunAt = tick;
    this.#heardAt = tick;
  }

  get uploads(): boolean {
    return this.#arriving.uploads;
  }

  /** Bytes that are in memory and that this arrival counts: a handler counts those that it has taken. */
  get held(): number {
    return this.#held;
  }

  /** Bytes came. Throws resource_exhausted where the budget has no room for them. */
  arrived(bytes: number): void {
    this.#heard = true;
    this.#arrivals.count(bytes, this);
    this.#held += bytes;
  }

  /** Somebody else counts `bytes` of it from now on. */
  taken(bytes: number): void {
    const given = Math.min(bytes, this.#held);
    this.#held -= given;
    this.#arrivals.uncount(given);
  }

  /** All of it is here, or nobody waits for the rest. May be called more than once. */
  end(): void {
    this.#arrivals.forget(this);
    this.taken(this.#held);
  }

  refuse(error: RequestError): void {
    this.end();
    this.#arriving.refuse(error);
  }

  /** Looks since it began. */
  age(tick: number): number {
    return tick - this.#begunAt;
  }

  /** Looks since it brought something, or since we read it again. */
  silence(tick: number): number {
    if (this.#heard || this.#arriving.paused()) this.#heardAt = tick;
    this.#heard = false;
    return tick - this.#heardAt;
  }

  /** It has brought nothing for a whole time between two looks. */
  isQuiet(tick: number): boolean {
    return !this.#heard && tick - this.#heardAt > 1;
  }
}
