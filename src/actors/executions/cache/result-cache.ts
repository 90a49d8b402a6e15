/**
 * Results that are kept for equal calls, in memory: a restart of the node begins with none.
 *
 * - A result is there no longer than its origin's output: who deletes that, or lets its log go, calls `forget`.
 * - Bytes are bounded by tenant and by node. A tenant over its bound loses what it has used least recently; where the
 *   node is over its own, whoever has most does.
 */
import type { OutputStream } from '../../../domain/event.ts';
import type { Outcome } from '../../../domain/execution.ts';

export interface KeptChunk {
  readonly stream: OutputStream;
  readonly data: Uint8Array;
}

/** What a run came to, and what it took. */
export interface KeptResult {
  readonly originId: string;
  /** When it ended: wall clock, milliseconds since the epoch. */
  readonly endedAt: number;
  readonly outcome: Extract<Outcome, { status: 'completed' }>;
  readonly chunks: readonly KeptChunk[];
  readonly runMs: number;
  readonly cpuMs: number;
}

export interface CacheBounds {
  /** Of all results together. */
  readonly bytes: number;
  readonly bytesPerTenant: number;
}

/** About what an entry takes besides its output. */
const entryBytes = 1024;

interface Entry {
  readonly result: KeptResult;
  readonly taskId: string;
  readonly bytes: number;
  /** As `endedAt`. */
  readonly until: number;
}

interface TenantEntries {
  /** The least recently used first. */
  readonly entries: Map<string, Entry>;
  bytes: number;
}

export class ResultCache {
  readonly #bounds: CacheBounds;
  readonly #tenants = new Map<string, TenantEntries>();
  readonly #byOrigin = new Map<string, { readonly tenant: string; readonly key: string }>();
  #bytes = 0;
  /** Hears how many results and bytes of a task there are more, or fewer. */
  readonly #changed: (taskId: string, entries: number, bytes: number) => void;

  constructor(bounds: CacheBounds, changed: (taskId: string, entries: number, bytes: number) => void) {
    this.#bounds = bounds;
    this.#changed = changed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#byOrigin.size;
  }

  /** `now` as `endedAt`. */
  get(tenant: string, key: string, now: number): KeptResult | undefined {
    const known = this.#tenants.get(tenant);
    const entry = known?.entries.get(key);
    if (known === undefined || entry === undefined) return undefined;
    // A clock that was set back makes nothing live longer than it was to.
    if (now >= entry.until || now < entry.result.endedAt) {
      this.#remove(tenant, known, key, entry);
      return undefined;
    }
    known.entries.delete(key);
    known.entries.set(key, entry);
    return entry.result;
  }

  /** Whether it is kept: not where it alone is over a bound. It takes the place of what was there. */
  put(tenant: string, key: string, taskId: string, result: KeptResult, ttlMs: number): boolean {
    const bytes = outputBytes(result) + key.length + entryBytes;
    const most = Math.min(this.#bounds.bytes, this.#bounds.bytesPerTenant);
    this.drop(tenant, key);
    if (bytes > most) return false;
    const known = this.#tenants.get(tenant) ?? { entries: new Map<string, Entry>(), bytes: 0 };
    this.#tenants.set(tenant, known);
    known.entries.set(key, { result, taskId, bytes, until: result.endedAt + ttlMs });
    this.#count(known, taskId, 1, bytes);
    this.#byOrigin.set(result.originId, { tenant, key });
    while (known.bytes > this.#bounds.bytesPerTenant) this.#evict(tenant, known);
    while (this.#bytes > this.#bounds.bytes) this.#evict(...this.#largest());
    return true;
  }

  drop(tenant: string, key: string): void {
    const known = this.#tenants.get(tenant);
    const entry = known?.entries.get(key);
    if (known !== undefined && entry !== undefined) this.#remove(tenant, known, key, entry);
  }

  /** The output of that execution is not kept any more. */
  forget(originId: string): void {
    const place = this.#byOrigin.get(originId);
    if (place !== undefined) this.drop(place.tenant, place.key);
  }

  #evict(tenant: string, known: TenantEntries): void {
    const [oldest] = known.entries;
    if (oldest !== undefined) this.#remove(tenant, known, ...oldest);
  }

  #largest(): [string, TenantEntries] {
    let most: [string, TenantEntries] | undefined;
    for (const each of this.#tenants) if (most === undefined || each[1].bytes > most[1].bytes) most = each;
    if (most === undefined) throw new Error('there are bytes, and they are nobody’s');
    return most;
  }

  #remove(tenant: string, known: TenantEntries, key: string, { result, taskId, bytes }: Entry): void {
    known.entries.delete(key);
    if (known.entries.size === 0) this.#tenants.delete(tenant);
    this.#byOrigin.delete(result.originId);
    this.#count(known, taskId, -1, -bytes);
  }

  #count(known: TenantEntries, taskId: string, entries: number, bytes: number): void {
    known.bytes += bytes;
    this.#bytes += bytes;
    this.#changed(taskId, entries, bytes);
  }
}

/** Of stdout, stderr and value together. */
function outputBytes({ outcome, chunks }: Pick<KeptResult, 'outcome' | 'chunks'>): number {
  const value = outcome.output === undefined ? 0 : Buffer.byteLength(outcome.output);
  return chunks.reduce((sum, { data }) => sum + data.byteLength, value);
}
