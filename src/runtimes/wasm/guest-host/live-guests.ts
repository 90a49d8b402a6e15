import type { Guest } from './guest.ts';

export interface LiveGuest {
  readonly guest: Guest;
  readonly instanceId: string;
  /** See `Job`. */
  readonly secrets: string;
  /** Executions that it has run. */
  uses: number;
}

/** Live instances that a host keeps unasked; each holds memory up to its task's limit. */
const most = 8;

/** The live instances of a host, by the key of their program: those most recently used, and those awaited. */
export class LiveGuests {
  readonly #guests = new Map<number, LiveGuest>();
  readonly #awaited = new Set<number>();

  get(key: number): LiveGuest | undefined {
    return this.#guests.get(key);
  }

  /** From now on the instance of this program does not make room for others. */
  await(key: number): void {
    this.#awaited.add(key);
  }

  keep(key: number, entry: LiveGuest): void {
    if (this.#guests.get(key) !== entry) this.#end(key);
    this.#guests.delete(key);
    this.#guests.set(key, entry);
    if (this.#guests.size > most + this.#awaited.size) this.#makeRoom();
  }

  /** @returns whether it is missed now: it was awaited */
  drop(key: number): boolean {
    this.#end(key);
    return this.#awaited.has(key);
  }

  dismiss(key: number): void {
    this.#end(key);
    this.#awaited.delete(key);
  }

  #makeRoom(): void {
    for (const key of this.#guests.keys()) {
      if (this.#awaited.has(key)) continue;
      this.#end(key);
      return;
    }
  }

  #end(key: number): void {
    this.#guests.get(key)?.guest.close();
    this.#guests.delete(key);
  }
}
