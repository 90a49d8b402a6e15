/** What the wall clock has shown, and by which rules of time zones instants were found: for the next start. */
import { isSetBack } from '../../domain/schedule/plan.ts';
import { defaultTenant } from '../../domain/scope.ts';
import type { Store } from '../../stores/store.ts';

const id = { kind: 'schedule_time', tenant: defaultTenant, key: 'seen' };
/** A crash forgets that much of it. */
const keepMs = 60 * 60 * 1000;

export class SeenTime {
  readonly #store: Store;
  readonly #zoneRules: string;
  #kept: { readonly wall: number; readonly zoneRules: string } | undefined;
  #wall = 0;

  constructor(store: Store, zoneRules: string) {
    this.#store = store;
    this.#zoneRules = zoneRules;
  }

  /** The latest that it has shown since it was set back by much. */
  get wall(): number {
    return this.#wall;
  }

  async open(): Promise<void> {
    const row = await this.#store.row(id);
    this.#kept = row && JSON.parse(row.value);
    this.#wall = this.#kept?.wall ?? 0;
  }

  /** Instants that were found before are to be found anew. */
  isOther(now: number): boolean {
    return (
      this.#kept !== undefined && (this.#kept.zoneRules !== this.#zoneRules || isSetBack(this.#wall, now))
    );
  }

  /** The clock shows that. */
  look(now: number): void {
    this.#wall = Math.max(this.#wall, now);
    // Where it cannot be written, the next look does it.
    if (this.#wall - (this.#kept?.wall ?? 0) > keepMs) this.keep(this.#wall).catch(() => {});
  }

  async keep(wall: number): Promise<void> {
    this.#wall = wall;
    const kept = { wall, zoneRules: this.#zoneRules };
    await this.#store.saveRows([{ ...id, value: JSON.stringify(kept) }]);
    this.#kept = kept;
  }
}
