/**
 * Keeps what the order of runs remembers over a restart of the node. What was used is written once a second while there
 * is something to write; a crash forgets what was used since. Buckets of rates come with the commits of dispatches.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import type { NodeChanges } from '../../domain/scheduling/order-use.ts';
import type { Store } from '../../stores/store.ts';
import type { Slots } from '../queue/slots.ts';

/** What was used is written so often. */
const keepEveryMs = 1000;
/** Nodes of the tree in one transaction: others' commits wait for it. */
const nodesAtOnce = 1000;

export interface OrderKeeperHost {
  /** Its time is one that nobody sets. */
  readonly time: Clock;
  readonly store: Pick<Store, 'order' | 'saveOrder'>;
  readonly slots: Pick<Slots, 'restore' | 'restored' | 'takeChanges' | 'notKept' | 'running'>;
  /** Another keeps it for now. */
  isMuted?(): boolean;
}

export class OrderKeeper {
  readonly #host: OrderKeeperHost;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #open = false;
  #closed = false;

  constructor(host: OrderKeeperHost) {
    this.#host = host;
  }

  /** Before anything waits or runs. Rejects with what the store rejects with. */
  async open(): Promise<void> {
    const { store, slots, time } = this.#host;
    const { nodes, meters, emptyAt = Number.NEGATIVE_INFINITY, isWhole } = await store.order();
    const now = time.now();
    // What is not known of may have been emptied until now.
    if (!isWhole) await store.saveOrder({ emptyAt: now });
    slots.restore({ nodes, meters, emptyAt: isWhole ? emptyAt : now }, now);
  }

  /** All that waits and runs does so again. */
  opened(): void {
    this.#host.slots.restored();
    this.#open = true;
    this.changed();
  }

  /** There is something to write. */
  changed(): void {
    if (!this.#open || this.#closed) return;
    this.#timer ??= this.#host.time.setTimer(keepEveryMs, () => {
      this.#timer = undefined;
      void this.keep();
    });
  }

  /** Writes what there is. Resolves when that is durable, or could not be written: then it is tried again. */
  keep(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #write(): Promise<void> {
    const { store, slots, time } = this.#host;
    if (!this.#open || this.#closed || this.#host.isMuted?.() === true) return;
    const changes = slots.takeChanges();
    try {
      const fullBefore = time.now();
      for (const part of partsOf(changes)) {
        let forgotten = await store.saveOrder({ ...part, fullBefore });
        while (forgotten > 0 && !this.#closed) forgotten = await store.saveOrder({ fullBefore });
      }
    } catch {
      // Whether the store can be written is heard from those who wait for it.
      slots.notKept(changes);
    }
    // What runs uses more all the time.
    if (slots.running > 0) this.changed();
  }
}

/** None where there is nothing. */
function partsOf({ nodes, forgotten: all }: NodeChanges): NodeChanges[] {
  const parts: NodeChanges[] = [];
  // One that came back stays, in whichever part it is.
  const written = new Set(all.length === 0 ? [] : nodes.map(({ path }) => path.join('\0')));
  const forgotten = all.filter((path) => !written.has(path.join('\0')));
  const length = Math.max(nodes.length, forgotten.length);
  for (let from = 0; from < length; from += nodesAtOnce) {
    const to = from + nodesAtOnce;
    parts.push({ nodes: nodes.slice(from, to), forgotten: forgotten.slice(from, to) });
  }
  return parts;
}
