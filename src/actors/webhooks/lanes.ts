/**
 * What is to be told soon, in lanes of one tenant and one receiver each, so that a receiver that is slow holds up nobody
 * else's. Bounded: what finds no place stays in the store, and is looked for again.
 */
import TinyQueue from 'tinyqueue';
import { LruMap } from '../../domain/lru-map.ts';

export interface Due {
  readonly id: string;
  readonly tenant: string;
  /** With its port: what has a lane. */
  readonly origin: string;
  readonly host: string;
  readonly url: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
}

export interface LaneBounds {
  /** Tries at a time. */
  readonly running: number;
  readonly perTenant: number;
  readonly perHost: number;
  /** What is remembered, and of it the most in one lane. */
  readonly remembered: number;
  readonly perLane: number;
}

/** URLs that have asked for peace. */
const mostPaused = 10_000;

export class Lanes {
  readonly #bounds: LaneBounds;
  readonly #lanes = new Map<string, TinyQueue<Due>>();
  /** Until when nothing is sent there. */
  readonly #paused = new LruMap<string, number>(mostPaused);
  /** Those that are in a lane or under way. */
  readonly #known = new Set<string>();
  readonly #runningOf = new Map<string, number>();
  #running = 0;
  /** Something found no place. */
  left = false;

  constructor(bounds: LaneBounds) {
    this.#bounds = bounds;
  }

  get running(): number {
    return this.#running;
  }

  get size(): number {
    return this.#known.size;
  }

  has(id: string): boolean {
    return this.#known.has(id);
  }

  add(due: Due): void {
    if (this.#known.has(due.id)) return;
    const key = laneKey(due);
    const lane = this.#lanes.get(key) ?? new TinyQueue<Due>([], earlier);
    if (this.#known.size >= this.#bounds.remembered || lane.length >= this.#bounds.perLane) {
      this.left = true;
      return;
    }
    this.#lanes.set(key, lane);
    lane.push(due);
    this.#known.add(due.id);
  }

  /** The next that may be tried now, of each lane in its turn; it is under way until `done`. */
  take(now: number): Due | undefined {
    if (this.#running >= this.#bounds.running) return undefined;
    for (const [key, lane] of this.#lanes) {
      const first = this.#first(lane, now);
      if (first === undefined || first.at > now || this.#isFull(first)) continue;
      lane.pop();
      // To the end of the turn.
      this.#lanes.delete(key);
      this.#lanes.set(key, lane);
      this.#running += 1;
      this.#count(first, 1);
      return first;
    }
    return undefined;
  }

  done(due: Due): void {
    this.#running -= 1;
    this.#count(due, -1);
    this.#known.delete(due.id);
    const key = laneKey(due);
    if (this.#lanes.get(key)?.length === 0) this.#lanes.delete(key);
  }

  /** Its receiver wants no other at that URL before that. */
  pause({ tenant, url }: Due, until: number): void {
    this.#paused.set(`${tenant} ${url}`, until);
  }

  /** When `take` is to be asked again where nothing else happens; undefined for never. */
  nextAt(): number | undefined {
    let next: number | undefined;
    for (const lane of this.#lanes.values()) {
      const first = lane.peek();
      if (first === undefined || this.#isFull(first)) continue;
      if (next === undefined || first.at < next) next = first.at;
    }
    return next;
  }

  /** Since when the oldest that may be tried waits; undefined where none does. */
  oldestAt(): number | undefined {
    let oldest: number | undefined;
    for (const lane of this.#lanes.values()) {
      const at = lane.peek()?.at;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    return oldest;
  }

  /** The first of a lane; those that are due and whose receiver wants peace are later from then on. */
  #first(lane: TinyQueue<Due>, now: number): Due | undefined {
    for (let first = lane.peek(); first !== undefined; first = lane.peek()) {
      const until = this.#paused.peek(`${first.tenant} ${first.url}`) ?? 0;
      if (first.at > now || until <= now) return first;
      lane.pop();
      lane.push({ ...first, at: until });
    }
    return undefined;
  }

  #isFull({ tenant, host }: Due): boolean {
    const { running, perTenant, perHost } = this.#bounds;
    return (
      this.#running >= running ||
      (this.#runningOf.get(`t ${tenant}`) ?? 0) >= perTenant ||
      (this.#runningOf.get(`h ${host}`) ?? 0) >= perHost
    );
  }

  #count({ tenant, host }: Due, more: 1 | -1): void {
    for (const key of [`t ${tenant}`, `h ${host}`]) {
      const count = (this.#runningOf.get(key) ?? 0) + more;
      if (count === 0) this.#runningOf.delete(key);
      else this.#runningOf.set(key, count);
    }
  }
}

function laneKey({ tenant, origin }: Due): string {
  // No tenant has a space in its name.
  return `${tenant} ${origin}`;
}

function earlier(a: Due, b: Due): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1);
}
