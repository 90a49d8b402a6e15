/** Whether a node takes nothing new: a row of the store, so that it is so after a restart as well. */
import type { Store } from '../stores/store.ts';

const kind = 'cordon';

export class Cordon {
  readonly #store: Pick<Store, 'saveRows'>;
  readonly #nodeId: string;
  #isCordoned: boolean;

  private constructor(store: Pick<Store, 'saveRows'>, nodeId: string, isCordoned: boolean) {
    this.#store = store;
    this.#nodeId = nodeId;
    this.#isCordoned = isCordoned;
  }

  static async open(store: Pick<Store, 'row' | 'saveRows'>, nodeId: string): Promise<Cordon> {
    const row = await store.row({ kind, tenant: '', key: nodeId });
    return new Cordon(store, nodeId, row !== undefined);
  }

  get isCordoned(): boolean {
    return this.#isCordoned;
  }

  /** Resolves with whether that changed something, once it is durable. */
  async set(isCordoned: boolean, by: string): Promise<boolean> {
    if (isCordoned === this.#isCordoned) return false;
    const id = { kind, tenant: '', key: this.#nodeId };
    await this.#store.saveRows([
      isCordoned ? { ...id, value: JSON.stringify({ by }) } : { ...id, deleted: true },
    ]);
    this.#isCordoned = isCordoned;
    return true;
  }
}
