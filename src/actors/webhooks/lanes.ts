/**
 * What is to be told soon, in lanes of one tenant and one receiver each, so that a receiver that is slow holds up nobody
 * else's, and tenants in turn. Bounded: what finds no place stays in the store, and is looked for again.
 *
 * Where all places are taken, a tenant that has fewer than another takes one of those of whoever has most: nobody fills
 * them up for everybody.
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
  /** Lanes of one tenant: each look for what is next goes through them. */
  readonly lanes: number;
}

interface TenantLanes {
  /** By origin, in their turn. */
  readonly lanes: Map<string, TinyQueue<Due>>;
  waiting: number;
  running: number;
}

/** URLs that have asked for peace. */
const mostPaused = 10_000;

export class Lanes {
  readonly #bounds: LaneBounds;
  /** In their turn. */
  readonly #tenants = new Map<string, TenantLanes>();
  /** Until when nothing is sent there. */
  readonly #paused = new LruMap<string, number>(mostPaused);
  /** Those that are in a lane or under way. */
  readonly #known = new Map<string, Due | 'under way'>();
  readonly #runningTo = new Map<string, number>();
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

  isUnderWay(id: string): boolean {
    return this.#known.get(id) === 'under way';
  }

  add(due: Due): void {
    if (this.#known.has(due.id)) return;
    const tenant = this.#tenants.get(due.tenant) ?? { lanes: new Map(), waiting: 0, running: 0 };
    if (!this.#hasPlace(tenant, due)) {
      this.left = true;
      return;
    }
    this.#tenants.set(due.tenant, tenant);
    const lane = tenant.lanes.get(due.origin) ?? new TinyQueue<Due>([], earlier);
    tenant.lanes.set(due.origin, lane);
    lane.push(due);
    tenant.waiting += 1;
    this.#known.set(due.id, due);
  }

  /** It waits no more; nothing happens to one that is under way. */
  drop(id: string): void {
    const due = this.#known.get(id);
    if (due === undefined || due === 'under way') return;
    const tenant = this.#tenants.get(due.tenant);
    const lane = tenant?.lanes.get(due.origin);
    if (tenant === undefined || lane === undefined) return;
    this.#keep(
      tenant,
      due.origin,
      lane.data.filter((each) => each.id !== id),
    );
    this.#known.delete(id);
    this.#tidy(due.tenant, tenant);
  }

  /** The next that may be tried now, of each tenant in its turn and of its lanes in theirs; it is under way until `done`. */
  take(now: number): Due | undefined {
    if (this.#running >= this.#bounds.running) return undefined;
    for (const [name, tenant] of this.#tenants) {
      if (tenant.running >= this.#bounds.perTenant) continue;
      for (const [origin, lane] of tenant.lanes) {
        const first = this.#first(lane, now);
        if (first === undefined || first.at > now || this.#isFull(first.host)) continue;
        lane.pop();
        tenant.waiting -= 1;
        tenant.running += 1;
        // To the end of the turn.
        tenant.lanes.delete(origin);
        if (lane.length > 0) tenant.lanes.set(origin, lane);
        this.#tenants.delete(name);
        this.#tenants.set(name, tenant);
        this.#known.set(first.id, 'under way');
        this.#count(first.host, 1);
        return first;
      }
    }
    return undefined;
  }

  done({ id, tenant: name, host }: Due): void {
    this.#count(host, -1);
    this.#known.delete(id);
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) return;
    tenant.running -= 1;
    this.#tidy(name, tenant);
  }

  /** Its receiver wants no other at that URL before that. */
  pause({ tenant, url }: Due, until: number): void {
    this.#paused.set(`${tenant} ${url}`, until);
  }

  /** When `take` is to be asked again where nothing else happens; undefined for never. */
  nextAt(): number | undefined {
    if (this.#running >= this.#bounds.running) return undefined;
    let next: number | undefined;
    for (const { lanes, running } of this.#tenants.values()) {
      if (running >= this.#bounds.perTenant) continue;
      for (const lane of lanes.values()) {
        const first = lane.peek();
        if (first === undefined || this.#isFull(first.host)) continue;
        if (next === undefined || first.at < next) next = first.at;
      }
    }
    return next;
  }

  /** Since when the oldest that may be tried waits; undefined where none does. */
  oldestAt(): number | undefined {
    let oldest: number | undefined;
    for (const { lanes } of this.#tenants.values()) {
      for (const lane of lanes.values()) {
        const at = lane.peek()?.at;
        if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
      }
    }
    return oldest;
  }

  #hasPlace(tenant: TenantLanes, { origin }: Due): boolean {
    const { remembered, perLane, lanes } = this.#bounds;
    const lane = tenant.lanes.get(origin);
    if (lane === undefined ? tenant.lanes.size >= lanes : lane.length >= perLane) return false;
    if (this.#known.size < remembered) return true;
    let most: [name: string, tenant: TenantLanes] | undefined;
    for (const entry of this.#tenants) if (entry[1].waiting > (most?.[1].waiting ?? 0)) most = entry;
    if (most === undefined || most[1].waiting <= tenant.waiting + 1) return false;
    this.#halve(most[1]);
    this.#tidy(...most);
    this.left = true;
    return true;
  }

  /** The later half of the longest lane loses its place. */
  #halve(tenant: TenantLanes): void {
    let longest: [origin: string, lane: TinyQueue<Due>] | undefined;
    for (const entry of tenant.lanes) if (entry[1].length > (longest?.[1].length ?? 0)) longest = entry;
    if (longest === undefined) return;
    const sorted = [...longest[1].data].sort(earlier);
    const kept = sorted.slice(0, Math.floor(sorted.length / 2));
    for (const { id } of sorted.slice(kept.length)) this.#known.delete(id);
    this.#keep(tenant, longest[0], kept);
  }

  /** The lane has these and no others any more. */
  #keep(tenant: TenantLanes, origin: string, kept: Due[]): void {
    tenant.waiting -= (tenant.lanes.get(origin)?.length ?? 0) - kept.length;
    if (kept.length === 0) tenant.lanes.delete(origin);
    else tenant.lanes.set(origin, new TinyQueue(kept, earlier));
  }

  #tidy(name: string, { waiting, running }: TenantLanes): void {
    if (waiting + running === 0) this.#tenants.delete(name);
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

  #isFull(host: string): boolean {
    return (this.#runningTo.get(host) ?? 0) >= this.#bounds.perHost;
  }

  #count(host: string, more: 1 | -1): void {
    this.#running += more;
    const count = (this.#runningTo.get(host) ?? 0) + more;
    if (count === 0) this.#runningTo.delete(host);
    else this.#runningTo.set(host, count);
  }
}

function earlier(a: Due, b: Due): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1);
}
