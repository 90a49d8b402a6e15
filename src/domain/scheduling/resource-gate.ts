import { Gate, type Meter, type ResourcesUse } from './gate.ts';

/** How much memory and how many processors there are to hand out. */
export interface Resources {
  readonly memoryBytes: number;
  readonly processors: number;
}

/** What a node may hand out to attempts. */
export class ResourcePool implements Meter {
  readonly gates: Gate[] = [];
  readonly running = new Map<string, Resources>();
  total: Resources;
  /** For whom what is released is kept: one that would never start otherwise, as smaller ones pass it. */
  reserved: Gate | undefined;
  #memoryBytes = 0;
  #processors = 0;

  constructor(total: Resources) {
    this.total = total;
  }

  isClear(): boolean {
    return false;
  }

  get used(): Resources {
    return { memoryBytes: this.#memoryBytes, processors: this.#processors };
  }

  /** Whether there is so much beside what runs, and beside what is kept for another. */
  fits(gate: Gate, { memoryBytes, processors }: Resources): boolean {
    const { reserved } = this;
    const kept = reserved?.use.kind === 'resources' && reserved !== gate ? reserved.use : nothing;
    // Sums of fractions that were taken away again are not exact.
    return (
      enough(this.total.memoryBytes - this.#memoryBytes - kept.memoryBytes, memoryBytes) &&
      enough(this.total.processors - this.#processors - kept.processors, processors)
    );
  }

  add(id: string, demand: Resources): void {
    if (this.running.has(id)) return;
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

function enough(free: number, wanted: number): boolean {
  return wanted === 0 || free - wanted > -1e-9;
}

/** Lets through what finds room. */
export class ResourceGate extends Gate {
  declare use: ResourcesUse;
  readonly #pool: ResourcePool;
  readonly opensAt = Number.POSITIVE_INFINITY;

  constructor(id: string, use: ResourcesUse, pool: ResourcePool, now: number) {
    super(id, use, pool, now);
    this.#pool = pool;
  }

  get holders(): Iterable<string> {
    return this.#pool.running.keys();
  }

  admits(): boolean {
    return this.#pool.fits(this, this.use);
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
