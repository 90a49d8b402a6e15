import type { Clock, Timer } from '../../domain/clock.ts';
import type { Store } from '../../stores/store.ts';

/** Executions that are looked at in one turn. */
const pageSize = 200;
/** Counting takes this share of the time at most. */
const share = 20;
/** What retention has taken away is seen after so many milliseconds, what a caller has deleted sooner. */
const recountMs = 30_000;
const soonMs = 1000;

interface Counted {
  /** Of the last count that came to its end, with what has come since it began; undefined before the first. */
  bytes: number | undefined;
  /** That came since the count under way began. */
  since: number;
  timer: Timer | undefined;
  /** Something of its may have been deleted since the count under way began. */
  isStale: boolean;
  isCounting: boolean;
}

/**
 * About how many bytes the executions of tenants keep, of those tenants alone that have a bound for it: counted by
 * reading the store a page at a time, over and over, and by what comes meanwhile. What is deleted is seen at the next
 * count.
 */
export class TenantStorage {
  readonly #store: Pick<Store, 'storedBytes'>;
  readonly #clock: Clock;
  readonly #tenants = new Map<string, Counted>();

  constructor(store: Pick<Store, 'storedBytes'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Counts those of a tenant from now on, or no more. */
  watch(tenant: string, isBounded: boolean): void {
    const known = this.#tenants.get(tenant);
    if (isBounded === (known !== undefined)) return;
    if (known !== undefined) {
      known.timer?.cancel();
      this.#tenants.delete(tenant);
      return;
    }
    const counted: Counted = {
      bytes: undefined,
      since: 0,
      timer: undefined,
      isStale: false,
      isCounting: false,
    };
    this.#tenants.set(tenant, counted);
    void this.#count(tenant, counted);
  }

  /** 0 for one that is not counted. */
  of(tenant: string): number {
    const counted = this.#tenants.get(tenant);
    return counted === undefined ? 0 : (counted.bytes ?? counted.since);
  }

  /** So many more are to be kept. */
  add(tenant: string, bytes: number): void {
    if (this.#tenants.size === 0) return;
    const counted = this.#tenants.get(tenant);
    if (counted === undefined) return;
    counted.since += bytes;
    if (counted.bytes !== undefined) counted.bytes += bytes;
  }

  /** Something of whomever was deleted: they are counted anew soon. */
  deleted(): void {
    for (const [tenant, counted] of this.#tenants) {
      counted.isStale = true;
      if (!counted.isCounting) this.#later(tenant, counted, soonMs);
    }
  }

  close(): void {
    for (const { timer } of this.#tenants.values()) timer?.cancel();
    this.#tenants.clear();
  }

  async #count(tenant: string, counted: Counted): Promise<void> {
    counted.isCounting = true;
    counted.isStale = false;
    counted.since = 0;
    let bytes = 0;
    try {
      for (let after: string | undefined = ''; after !== undefined; ) {
        const begun = this.#clock.monotonic();
        const page = await this.#store.storedBytes(tenant, after, pageSize);
        bytes += page.bytes;
        after = page.last;
        if (after !== undefined) await this.#pause((this.#clock.monotonic() - begun) * share);
        if (this.#tenants.get(tenant) !== counted) return;
      }
      counted.bytes = bytes + counted.since;
    } catch {
      // The store cannot be read: what was counted before holds until it can.
    }
    counted.isCounting = false;
    if (this.#tenants.get(tenant) === counted)
      this.#later(tenant, counted, counted.isStale ? soonMs : recountMs);
  }

  #later(tenant: string, counted: Counted, ms: number): void {
    counted.timer?.cancel();
    counted.timer = this.#clock.setTimer(ms, () => void this.#count(tenant, counted));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(Math.max(1, Math.ceil(ms)), resolve));
  }
}
