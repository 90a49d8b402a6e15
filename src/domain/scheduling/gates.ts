/** The gates that somebody waits before or runs behind, what they measure, and when those of rates open. */
import { ConcurrencyGate, Counter } from './concurrency-gate.ts';
import type { ConcurrencyUse, Gate, GateUse, Meter, QuarantineUse, RateUse, Resources } from './gate.ts';
import { IndexedHeap, type Placed } from './indexed-heap.ts';
import type { MeterUse } from './order-use.ts';
import { PlaceGate, Places } from './places.ts';
import { Quarantine, QuarantineGate, type QuarantineState, type Verdict } from './quarantine-gate.ts';
import { Bucket, fillMs, RateGate } from './rate-gate.ts';
import { isReserving, ResourceGate, ResourcePool } from './resource-gate.ts';

/** Of what was held by resources for so long, the one that would be next has kept for it what is released. */
export const reserveAfterMs = 10_000;

/** What a task has run and does not run any more leaves a quarantine behind, as long as there are no more of them. */
const mostQuarantines = 16;

/** Gates and meters without users that are kept before they are looked through. */
const maxUnused = 8192;

interface Opening extends Placed {
  readonly gate: Gate;
  readonly at: number;
}

interface Rule {
  readonly name: string;
  /** One with its limit as it is now. */
  use: GateUse;
  readonly gates: Set<Gate>;
}

export class Gates {
  readonly #turned: (gate: Gate) => void;
  readonly #gates = new Map<string, Gate>();
  readonly #meters = new Map<string, Meter>();
  readonly #rules = new Map<string, Rule>();
  /** By whose they are. */
  readonly #rulesOf = new Map<string, Set<Rule>>();
  readonly #openings = new IndexedHeap<Opening>(
    (a, b) => a.at < b.at || (a.at === b.at && a.gate.id < b.gate.id),
  );
  readonly #opening = new Map<Gate, Opening>();
  /** Resources have held something of theirs for long. */
  readonly longHeld = new Set<Gate>();
  /** When the buckets of an earlier order will be full, as far as nobody has asked for them yet. */
  readonly #known = new Map<string, number>();
  /** Those that are not among them were empty then. */
  #emptyAt = 0;
  #haveRates = false;
  /** What the node may hand out, and by tenant what its attempts may have. */
  #pool: ResourcePool | undefined;
  readonly #pools = new Map<string, ResourcePool>();
  /** Nodes that it may be given to; undefined where there is this one alone. */
  #places: Places | undefined;
  #sweepAt = maxUnused;
  /** Another judges whose attempts fail. */
  #areTold = false;
  /** Hears of each quarantine that begins, goes on otherwise, or ends, as attempts end here. */
  quarantined: ((use: QuarantineUse) => void) | undefined;

  /** `turned` hears of each gate that has opened or closed. */
  constructor(turned: (gate: Gate) => void) {
    this.#turned = turned;
  }

  /** How many are kept. */
  get size(): number {
    return this.#gates.size;
  }

  /** Some of them are of rates. */
  get haveRates(): boolean {
    return this.#haveRates;
  }

  /** Begins with the buckets of an earlier order. Those that are not among them were empty at `emptyAt`. */
  restore(meters: readonly MeterUse[], emptyAt: number): void {
    for (const { meter, fullAt } of meters) this.#known.set(meter, fullAt);
    this.#emptyAt = emptyAt;
  }

  /** What the node may hand out, from now on; undefined where resources hold nothing back. */
  setResources(total: Resources | undefined, now: number): void {
    if (total === undefined) {
      if (this.#pool !== undefined) this.#pool.total = boundless;
    } else if (this.#pool === undefined) this.#pool = new ResourcePool(total, true);
    else this.#pool.total = total;
    if (this.#pool !== undefined) this.check(this.#pool, now);
  }

  /** Nodes that what waits is given to, before anything waits. */
  setPlaces(places: Places): void {
    this.#places = places;
  }

  /** What all that runs here reserves, but for those. */
  reservedBut(ids: Iterable<string>): Resources {
    return this.#pool?.reservedBut(ids) ?? nothing;
  }

  memoryOf(tenant: string): number {
    return this.#pools.get(tenant)?.memoryBytes ?? 0;
  }

  /** Of memory reserved by what a tenant has running, from now on; undefined for any amount. */
  setMemory(tenant: string, memoryBytes: number | undefined, now: number): void {
    const pool = this.#poolOf(tenant);
    pool.total = memoryBytes === undefined ? boundless : { ...boundless, memoryBytes };
    this.check(pool, now);
  }

  /**
   * What holds that back, from now on with the limit that is said here, unless a later version has said another. Of
   * resources undefined where none are set.
   */
  of(use: GateUse, now: number): Gate | undefined {
    this.change(use, now);
    const id = idOf(use);
    const known = this.#gates.get(id);
    if (known !== undefined) return known;
    if (this.#gates.size > this.#sweepAt) this.#sweep(now);
    const name = ruleOf(use);
    const rule = this.#rules.get(name) ?? { name, use, gates: new Set() };
    const made = this.#make(id, limited(use, rule.use), now);
    if (made === undefined) return undefined;
    this.#gates.set(id, made);
    made.meter.gates.push(made);
    if (rule.gates.size === 0) this.#keep(rule);
    rule.gates.add(made);
    if (use.kind === 'quarantine') this.#boundQuarantines(rule, made);
    made.open = made.admits(now);
    if (!made.open) this.#schedule(made, now);
    return made;
  }

  /** A rule has another limit, before all its values. */
  change(use: GateUse, now: number): void {
    const rule = this.#rules.get(ruleOf(use));
    if (rule === undefined || sameLimit(rule.use, use) || versionOf(use) < versionOf(rule.use)) return;
    rule.use = use;
    for (const gate of rule.gates) {
      gate.use = limited(gate.use, use);
      gate.limited();
      if (gate.meter instanceof Bucket) gate.meter.limit(now);
      this.check(gate.meter, now);
    }
  }

  /** These are all rules of an owner from now on, of a version: those that it has no more hold nobody back. */
  replace(owner: string, version: number, uses: readonly GateUse[], now: number): void {
    const names = new Set(uses.map(ruleOf));
    for (const use of uses) this.change(use, now);
    for (const { name, use } of this.#rulesOf.get(owner) ?? none) {
      if (!names.has(name)) this.change(lifted(use, version), now);
    }
  }

  /** The one that holds back a task, where there is anything to remember of it. */
  quarantine(use: QuarantineUse): QuarantineGate | undefined {
    const gate = this.#gates.get(idOf(use));
    return gate instanceof QuarantineGate ? gate : undefined;
  }

  /** What came of an attempt elsewhere of what that holds back. */
  judgeOf(use: QuarantineUse, id: string, verdict: Verdict, now: number): void {
    const gate = this.of(use, now);
    if (gate !== undefined) this.judge(id, [gate], verdict, now);
  }

  /** It is so from now on, as another has judged; undefined where it is not quarantined. */
  putQuarantine(use: QuarantineUse, state: QuarantineState | undefined, now: number): void {
    const gate = state === undefined ? this.quarantine(use) : this.of(use, now);
    if (!(gate instanceof QuarantineGate)) return;
    gate.put(state);
    this.check(gate.meter, now);
  }

  /** What holds back something, or would if it were not told. */
  *quarantines(): Iterable<QuarantineGate> {
    for (const gate of this.#gates.values()) {
      if (gate instanceof QuarantineGate && gate.state !== undefined) yield gate;
    }
  }

  /** Another judges from now on, or nobody else does. */
  setTold(areTold: boolean, now: number): void {
    this.#areTold = areTold;
    for (const gate of this.#gates.values()) {
      if (!(gate instanceof QuarantineGate)) continue;
      gate.isTold = areTold;
      this.check(gate.meter, now);
    }
  }

  get areTold(): boolean {
    return this.#areTold;
  }

  /** What came of an attempt that went through some. */
  judge(id: string, gates: readonly Gate[], verdict: Verdict, now: number): void {
    for (const gate of gates) {
      if (!(gate instanceof QuarantineGate)) continue;
      gate.judge(id, verdict, now);
      this.check(gate.meter, now);
    }
  }

  /** Forgets the failures of all that an owner has. Says whether it held back anything. */
  resetQuarantines(owner: string, now: number): boolean {
    let held = false;
    for (const { gates } of this.#rulesOf.get(owner) ?? none) {
      for (const gate of gates) {
        if (!(gate instanceof QuarantineGate)) continue;
        held ||= gate.trouble !== undefined;
        gate.reset();
        this.check(gate.meter, now);
      }
    }
    return held;
  }

  /** What is measured has changed: opens and closes what stands before it. */
  check(meter: Meter, now: number): void {
    for (const gate of meter.gates) {
      const open = gate.admits(now);
      if (!open) this.#schedule(gate, now);
      if (open === gate.open) continue;
      gate.open = open;
      gate.since = now;
      if (open) this.longHeld.delete(gate);
      this.#turned(gate);
    }
  }

  /** Whether one opens by then by itself. */
  isDue(now: number): boolean {
    const first = this.#openings.least;
    return first !== undefined && first.at <= now;
  }

  /** Opens those that open by themselves until then. */
  advance(now: number): void {
    for (
      let first = this.#openings.least;
      first !== undefined && first.at <= now;
      first = this.#openings.least
    ) {
      this.#openings.delete(first);
      this.#opening.delete(first.gate);
      const { gate } = first;
      if (isReserving(gate.use)) {
        if (!gate.open && gate.held.size > 0) this.longHeld.add(gate);
      } else this.check(gate.meter, now);
    }
  }

  /** When the next opens by itself; infinity where none does. */
  get nextOpening(): number {
    return this.#openings.least?.at ?? Number.POSITIVE_INFINITY;
  }

  /** One of resources has begun to hold something back. */
  holds(gate: Gate, now: number): void {
    if (isReserving(gate.use) && !gate.open && !this.longHeld.has(gate))
      this.#set(gate, now + reserveAfterMs);
  }

  /** Keeps for one what is released, until it has gone through. */
  reserve(gate: Gate, now: number): void {
    const { meter } = gate;
    this.longHeld.delete(gate);
    if (meter instanceof Places) meter.reserve(gate);
    else if (!(meter instanceof ResourcePool) || meter.reserved !== undefined) return;
    else meter.reserved = gate;
    this.check(meter, now);
  }

  /** Nobody waits any more before one for which something is kept. */
  unreserve(gate: Gate, now: number): void {
    const { meter } = gate;
    if (meter instanceof Places) meter.unreserve(gate);
    else if (!(meter instanceof ResourcePool) || meter.reserved !== gate) return;
    else meter.reserved = undefined;
    this.check(meter, now);
  }

  #keep(rule: Rule): void {
    this.#rules.set(rule.name, rule);
    const owner = ownerOf(rule.use);
    if (owner === '') return;
    const rules = this.#rulesOf.get(owner);
    if (rules === undefined) this.#rulesOf.set(owner, new Set([rule]));
    else rules.add(rule);
  }

  #drop(rule: Rule): void {
    this.#rules.delete(rule.name);
    const owner = ownerOf(rule.use);
    const rules = this.#rulesOf.get(owner);
    rules?.delete(rule);
    if (rules?.size === 0) this.#rulesOf.delete(owner);
  }

  #schedule(gate: Gate, now: number): void {
    if (Number.isFinite(gate.opensAt)) this.#set(gate, gate.opensAt);
    else if (gate.held.size > 0) this.holds(gate, now);
  }

  #set(gate: Gate, at: number): void {
    const known = this.#opening.get(gate);
    if (known !== undefined) {
      if (known.at === at || isReserving(gate.use)) return;
      this.#openings.delete(known);
    }
    const opening = { gate, at, place: -1 };
    this.#opening.set(gate, opening);
    this.#openings.add(opening);
  }

  #make(id: string, use: GateUse, now: number): Gate | undefined {
    if (this.#places !== undefined && (use.kind === 'place' || use.kind === 'resources')) {
      return new PlaceGate(id, use, this.#places, now);
    }
    if (use.kind === 'place') return undefined;
    if (isReserving(use)) {
      const pool = use.kind === 'resources' ? this.#pool : this.#poolOf(use.value);
      return pool === undefined ? undefined : new ResourceGate(id, use, pool, now);
    }
    const meterId = `${use.kind}\0${use.meter}`;
    const meter = this.#meters.get(meterId);
    if (use.kind === 'quarantine') {
      const state = meter instanceof Quarantine ? meter : new Quarantine();
      this.#meters.set(meterId, state);
      const gate = new QuarantineGate(id, use, state, now, (changed) => this.quarantined?.(changed));
      gate.isTold = this.#areTold;
      return gate;
    }
    if (isRate(use)) {
      const bucket = meter instanceof Bucket ? meter : new Bucket(meterId);
      // A limit that was taken away has a bucket without a bottom, which is never empty.
      if (Number.isFinite(use.burst)) {
        const fullAt = this.#known.get(meterId) ?? this.#emptyAt + fillMs(use);
        bucket.fullAt = Math.max(bucket.fullAt, Math.min(fullAt, now + fillMs(use)));
      }
      this.#meters.set(meterId, bucket);
      this.#haveRates = true;
      return new RateGate(id, use, bucket, now);
    }
    const counter = meter instanceof Counter ? meter : new Counter();
    this.#meters.set(meterId, counter);
    return new ConcurrencyGate(id, use, counter, now);
  }

  #poolOf(tenant: string): ResourcePool {
    const known = this.#pools.get(tenant);
    if (known !== undefined) return known;
    const made = new ResourcePool(boundless, false);
    this.#pools.set(tenant, made);
    return made;
  }

  #forget(gate: Gate): void {
    this.#gates.delete(gate.id);
    gate.meter.gates.splice(gate.meter.gates.indexOf(gate), 1);
    const rule = this.#rules.get(ruleOf(gate.use));
    rule?.gates.delete(gate);
    if (rule?.gates.size === 0) this.#drop(rule);
    const opening = this.#opening.get(gate);
    if (opening !== undefined) this.#openings.delete(opening);
    this.#opening.delete(gate);
  }

  /** Drops the oldest of a task that nobody waits before. */
  #boundQuarantines(rule: Rule, kept: Gate): void {
    let excess = rule.gates.size - mostQuarantines;
    for (const gate of rule.gates) {
      if (excess <= 0) return;
      if (gate === kept || gate.users > 0) continue;
      this.#forget(gate);
      if (gate.use.kind === 'quarantine') this.#meters.delete(`quarantine\0${gate.use.meter}`);
      excess -= 1;
    }
  }

  /** Drops those before which nobody waits and nothing runs, and that have nothing to remember. */
  #sweep(now: number): void {
    for (const gate of this.#gates.values()) {
      if (gate.users > 0 || !gate.meter.isClear(now)) continue;
      this.#forget(gate);
    }
    for (const [tenant, pool] of this.#pools) {
      if (pool.gates.length === 0 && pool.total === boundless) this.#pools.delete(tenant);
    }
    for (const [id, meter] of this.#meters) if (meter.gates.length === 0) this.#meters.delete(id);
    for (const [meter, fullAt] of this.#known) if (fullAt <= now) this.#known.delete(meter);
    this.#sweepAt = Math.max(maxUnused, 2 * this.#gates.size);
  }
}

const none: readonly never[] = [];

const boundless: Resources = {
  memoryBytes: Number.POSITIVE_INFINITY,
  processors: Number.POSITIVE_INFINITY,
};

const nothing: Resources = { memoryBytes: 0, processors: 0 };

export function idOf(use: GateUse): string {
  if (!isReserving(use)) return `${use.kind}\0${use.rule}\0${use.meter}`;
  return use.kind === 'resources'
    ? `resources\0${use.memoryBytes}\0${use.processors}\0${use.placement ?? ''}`
    : `quotaMemory\0${use.value}\0${use.memoryBytes}`;
}

/** The same text for those that have to pass the same. */
export function classKey(uses: readonly GateUse[]): string {
  return uses.map(idOf).join('\n');
}

function ruleOf(use: GateUse): string {
  return isReserving(use) ? idOf(use) : `${use.kind}\0${use.rule}`;
}

/** A task's id; empty where it is nobody's in particular. */
function ownerOf(use: GateUse): string {
  if (isReserving(use)) return '';
  return use.rule.includes('/') ? use.rule.slice(0, use.rule.indexOf('/')) : '';
}

function versionOf(use: GateUse): number {
  return isReserving(use) ? 0 : (use.version ?? 0);
}

function sameLimit(a: GateUse, b: GateUse): boolean {
  if (isRate(a) && isRate(b)) return a.units === b.units && a.perMs === b.perMs && a.burst === b.burst;
  if (isQuarantine(a) && isQuarantine(b)) return a.failures === b.failures && a.withinMs === b.withinMs;
  return !isConcurrency(a) || !isConcurrency(b) || a.limit === b.limit;
}

/** One that holds nobody back. */
function lifted(use: GateUse, version: number): GateUse {
  if (isRate(use)) return { ...use, burst: Number.POSITIVE_INFINITY, version };
  if (isQuarantine(use)) return { ...use, failures: Number.POSITIVE_INFINITY, version };
  return isConcurrency(use) ? { ...use, limit: Number.POSITIVE_INFINITY, version } : use;
}

/** The one with the limit of the other. */
function limited(use: GateUse, by: GateUse): GateUse {
  if (isRate(use) && isRate(by)) {
    const { units, perMs, burst } = by;
    return { ...use, units, perMs, burst };
  }
  if (isQuarantine(use) && isQuarantine(by)) {
    const { failures, withinMs } = by;
    return { ...use, failures, withinMs };
  }
  return isConcurrency(use) && isConcurrency(by) ? { ...use, limit: by.limit } : use;
}

export function isRate(use: GateUse): use is RateUse {
  return use.kind === 'rate' || use.kind === 'quotaRate';
}

export function isConcurrency(use: GateUse): use is ConcurrencyUse {
  return use.kind === 'concurrency' || use.kind === 'quota';
}

function isQuarantine(use: GateUse): use is QuarantineUse {
  return use.kind === 'quarantine';
}
