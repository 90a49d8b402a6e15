import {
  Gate,
  type GateUse,
  type Meter,
  type QuotaMemoryUse,
  type Resources,
  type ResourcesUse,
  roundsMs,
} from './gate.ts';

/** What holds back whoever does not find enough of something. */
export type ReservingUse = ResourcesUse | QuotaMemoryUse;

export function isReserving(use: GateUse): use is ReservingUse {
  return use.kind === 'resources' || use.kind === 'quotaMemory';
}

/** What a node may hand out to attempts, or to those of one tenant. */
export class ResourcePool implements Meter {
  readonly gates: Gate[] = [];
  readonly running = new Map<string, Resources>();
  total: Resources;
  /** For whom what is released is kept: one that would never start otherwise, as smaller ones pass it. */
  reserved: Gate | undefined;
  /** What asks for more than there is in all takes all that there is. */
  readonly #isCut: boolean;
  #memoryBytes = 0;
  #processors = 0;

  constructor(total: Resources, isCut: boolean) {
    this.total = total;
    this.#isCut = isCut;
  }

  isClear(): boolean {
    return this.running.size === 0;
  }

  /** Reserved by what runs. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** What all that runs reserves, but for those. */
  reservedBut(ids: Iterable<string>): Resources {
    let memoryBytes = this.#memoryBytes;
    let processors = this.#processors;
    for (const id of ids) {
      const demand = this.running.get(id) ?? nothing;
      memoryBytes -= demand.memoryBytes;
      processors -= demand.processors;
    }
    // Sums of fractions that were taken away again are not exact.
    return { memoryBytes, processors: Math.max(0, Math.round(processors * 1e6) / 1e6) };
  }

  /** Whether there is so much beside what runs, and beside what is kept for another. */
  fits(gate: Gate, use: ReservingUse): boolean {
    const { reserved } = this;
    const { memoryBytes, processors } = this.demandOf(use);
    const kept =
      reserved !== undefined && reserved !== gate && isReserving(reserved.use)
        ? this.demandOf(reserved.use)
        : nothing;
    // Sums of fractions that were taken away again are not exact.
    return (
      enough(this.total.memoryBytes - this.#memoryBytes - kept.memoryBytes, memoryBytes) &&
      enough(this.total.processors - this.#processors - kept.processors, processors)
    );
  }

  demandOf(use: ReservingUse): Resources {
    const { memoryBytes } = use;
    const processors = use.kind === 'resources' ? use.processors : 0;
    if (!this.#isCut) return { memoryBytes, processors };
    const { total } = this;
    return {
      memoryBytes: Math.min(memoryBytes, total.memoryBytes),
      processors: Math.min(processors, total.processors),
    };
  }

  /** How many of that size there is room for in all, and now. */
  placesFor(use: ReservingUse): { readonly places: number; readonly free: number } {
    const { memoryBytes, processors } = this.demandOf(use);
    const { total } = this;
    const places = (memory: number, cores: number): number => {
      const ofMemory = memoryBytes === 0 ? Number.POSITIVE_INFINITY : (memory + 1e-9) / memoryBytes;
      const ofCores = processors === 0 ? Number.POSITIVE_INFINITY : (cores + 1e-9) / processors;
      return Math.floor(Math.min(ofMemory, ofCores));
    };
    return {
      places: places(total.memoryBytes, total.processors),
      free: places(total.memoryBytes - this.#memoryBytes, total.processors - this.#processors),
    };
  }

  add(id: string, use: ReservingUse): void {
    if (this.running.has(id)) return;
    const demand = this.demandOf(use);
    this.running.set(id, demand);
    this.#memoryBytes += demand.memoryBytes;
    this.#processors += demand.processors;
  }

  delete(id: string): void {
    const demand = this.running.get(id);
    if (demand === undefined) return;
    this.running.delete(id);
    this.#memoryBytes -= demand.memoryBytes;
    this.#processors = this.running.size === 0 ? 0 : this.#processors - demand.processors;
  }
}

const nothing: Resources = { memoryBytes: 0, processors: 0 };

export function enough(free: number, wanted: number): boolean {
  return wanted === 0 || free - wanted > -1e-9;
}

/** Lets through what finds room. */
export class ResourceGate extends Gate {
  declare use: ReservingUse;
  readonly #pool: ResourcePool;
  readonly opensAt = Number.POSITIVE_INFINITY;

  constructor(id: string, use: ReservingUse, pool: ResourcePool, now: number) {
    super(id, use, pool, now);
    this.#pool = pool;
  }

  get holders(): Iterable<string> {
    return this.#pool.running.keys();
  }

  /** What there is in all. */
  override get total(): Resources {
    return this.#pool.total;
  }

  admits(): boolean {
    return this.#pool.fits(this, this.use);
  }

  /** As if all that wait and run were as large as this. */
  waitMs(ahead: number, expectedMs: number): number {
    const { places, free } = this.#pool.placesFor(this.use);
    return roundsMs(ahead, places, free, expectedMs);
  }

  pass(id: string): void {
    this.#pool.add(id, this.use);
    if (this.#pool.reserved === this) this.#pool.reserved = undefined;
  }

  hold(id: string): void {
    this.#pool.add(id, this.use);
  }

  leave(id: string): void {
    this.#pool.delete(id);
  }
}
