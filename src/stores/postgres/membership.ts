/** A node as one of those that use a database: its incarnation, and the lease that says that it lives. */
import type { Clock } from '../../domain/clock.ts';
import { Fenced, StoreError } from '../store.ts';
import type { Session } from './engine/session.ts';

/** How long a node counts as alive after its last renewal, in milliseconds, by the clock of the engine. */
export const leaseMs = 3000;
/** How often it is renewed, … */
const renewMs = 750;
/** … and how long that may take: a statement that hangs is not to be waited for. */
export const renewalMs = 700;
/** Where another node lives: how often it is asked again whether it still does, within a lease and a little more. */
const againMs = 250;

type Timers = Pick<Clock, 'monotonic' | 'setTimer'>;

/** This run of a node, which no other run shares. */
export interface Incarnation {
  readonly incarnation: number;
  /** The first position that no event has. */
  readonly position: number;
}

/**
 * Begins an incarnation. What the same node was before may no longer write from then on: it has the lock of its data
 * folder. Rejects with StoreError where another node is alive.
 */
export async function register(session: Session, nodeId: string, clock: Timers): Promise<Incarnation> {
  const until = clock.monotonic() + leaseMs + 4 * againMs;
  for (;;) {
    const [row] = await session.read('cannot register with the store', {
      text: 'SELECT me, first_position, rival FROM register_node($1, $2)',
      values: [nodeId, leaseMs],
    });
    if (typeof row?.me === 'number') return { incarnation: row.me, position: Number(row.first_position) };
    if (clock.monotonic() > until) {
      throw new StoreError(
        `the node ${String(row?.rival)} is alive and has this database: a database is one node's, for now`,
      );
    }
    await new Promise<void>((resolve) => clock.setTimer(againMs, resolve));
  }
}

/**
 * Renews the lease on a connection of its own, so that no slow statement comes before it. An engine that does not answer
 * says nothing of the right to write: a late renewal counts as long as nobody has taken it.
 */
export class Lease {
  readonly #session: Session;
  readonly #me: number;
  readonly #clock: Timers;
  readonly #lost: (error: Fenced) => void;
  #isOver = false;

  /** @param lost hears once that other nodes have taken over */
  constructor(session: Session, me: number, clock: Timers, lost: (error: Fenced) => void) {
    this.#session = session;
    this.#me = me;
    this.#clock = clock;
    this.#lost = lost;
  }

  keep(): void {
    this.#clock.setTimer(renewMs, () => void this.#renew());
  }

  /** Gives the right to write back, so that the next start need not wait for it. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#session
      .run({ text: 'SELECT fence_node($1)', values: [this.#me] })
      // Then the lease ends by itself.
      .catch(() => {});
    await this.#session.close();
  }

  async #renew(): Promise<void> {
    if (this.#isOver) return;
    try {
      const [row] = await this.#session.run({
        name: 'renew',
        text: 'SELECT renew_lease($1, $2) AS renewed',
        values: [this.#me, leaseMs],
      });
      if (row?.renewed === false && !this.#isOver) {
        this.#isOver = true;
        this.#lost(new Fenced('other nodes have taken over what this one had'));
        return;
      }
    } catch {
      // The commits tell of an engine that does not work.
    }
    this.keep();
  }
}
