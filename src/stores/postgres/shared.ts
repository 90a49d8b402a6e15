/**
 * Keeps what nodes have in memory the same on all of them: a change is acknowledged when every node that lives has seen
 * it. A node hears of changes at once, and looks for them with each renewal of its lease.
 */
import type { Clock } from '../../domain/clock.ts';
import type { SharedChange, SharedChanges } from '../shared-changes.ts';
import type { Readers } from './engine/readers.ts';
import type { Changes } from './write/changes.ts';

/** How often it is asked whether all have seen a change: less and less often. */
const firstAskMs = 2;
const lastAskMs = 50;
/** A node that has not said anything for so long is not waited for: its lease was over long ago. */
const mostMs = 10_000;

export class Shared implements SharedChanges {
  readonly #readers: Readers;
  readonly #changes: Changes;
  readonly #clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  readonly #listeners: ((change: SharedChange | undefined) => Promise<void>)[] = [];
  #seen = 0;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(readers: Readers, changes: Changes, clock: Pick<Clock, 'monotonic' | 'setTimer'>) {
    this.#readers = readers;
    this.#changes = changes;
    this.#clock = clock;
  }

  /** Before anything shared is read: what changes from now on is seen. */
  async open(): Promise<void> {
    this.#seen = await this.#revision();
    await this.#changes.call('cannot join the nodes', 'say_seen', [this.#seen]);
  }

  onChange(applied: (change: SharedChange | undefined) => Promise<void>): void {
    this.#listeners.push(applied);
  }

  /** Sees what others have changed until now. Never rejects: who cannot look looks again. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#look()
      .catch(() => {})
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  /** This node has changed something: resolves when all that live have seen it. Rejects with StoreError. */
  async settled(): Promise<void> {
    const revision = await this.#revision();
    const until = this.#clock.monotonic() + mostMs;
    for (let ms = firstAskMs; this.#clock.monotonic() < until; ms = Math.min(lastAskMs, ms * 2)) {
      await this.look();
      const what = 'cannot ask whether all nodes have seen a change';
      const [row] = await this.#readers.read(what, 'SELECT all_have_seen($1) AS seen', [revision]);
      if (row?.seen === true) return;
      await new Promise<void>((resolve) => void this.#clock.setTimer(ms, resolve));
    }
  }

  async #look(): Promise<void> {
    do {
      this.#again = false;
      const rows = await this.#readers.read(
        'cannot look for changes',
        'SELECT revision, kind, key FROM shared_changes WHERE revision > $1 ORDER BY revision LIMIT 1000',
        [this.#seen],
      );
      const last = Number(rows.at(-1)?.revision ?? this.#seen);
      if (last === this.#seen) continue;
      // Some are too old to be kept.
      const isWhole = Number(rows[0]?.revision) === this.#seen + 1;
      const changes = new Map(rows.map(({ kind, key }) => [`${kind}/${key}`, { kind, key } as SharedChange]));
      for (const listener of this.#listeners) {
        if (!isWhole) await listener(undefined);
        else for (const change of changes.values()) await listener(change);
      }
      this.#seen = last;
      await this.#changes.call('cannot say what was seen', 'say_seen', [last]);
      this.#again = true;
    } while (this.#again);
  }

  async #revision(): Promise<number> {
    const [row] = await this.#readers.read('cannot look for changes', 'SELECT revision FROM shared');
    return Number(row?.revision ?? 0);
  }
}
