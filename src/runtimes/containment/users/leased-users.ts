import type { Identity } from './identity.ts';
import { Keyrings } from './keyrings.ts';
import { UserBlocks, type UserRange } from './user-blocks.ts';

/**
 * Numbers that have no name and no privileges: those that systemd keeps for its dynamic users, which every system may
 * use for the same purpose. Source: https://systemd.io/UIDS-GIDS/
 */
const first = 61_184;
const last = 64_999;

/** Those of instances of process tasks. */
const instanceUsers: UserRange = { first, last, block: 64 };

/** Those of the node's own helpers that run guests: guest hosts. */
export const hostUsers: UserRange = { first: 65_000, last: 65_519, block: 16 };

/** What a program may do that runs as a leased user: it has the rights of everyone, and owns nothing. */
export const anyLeasedUser: Identity = { uid: first, gid: first };

interface LeasedUsersOptions {
  readonly range?: UserRange;
  /** Where blocks are held; absent means the machine's. */
  readonly folder?: string;
  readonly logger?: { warn(details: object, message: string): void } | undefined;
}

/**
 * A user for each instance while it runs, so that instances can neither see into each other nor signal each other. All
 * are of blocks that no other node on the machine has. One that has keys in the kernel waits until they are removed,
 * and is never given again where they cannot be.
 */
export class LeasedUsers {
  readonly #blocks: UserBlocks;
  readonly #keyrings = new Keyrings();
  readonly #logger: LeasedUsersOptions['logger'];
  /** The last is the next. */
  readonly #free: number[] = [];
  readonly #withKeys: number[] = [];
  #clearing = false;
  #retired = 0;
  #closed = false;

  constructor({ range = instanceUsers, folder, logger }: LeasedUsersOptions = {}) {
    this.#blocks = new UserBlocks(range, folder);
    this.#logger = logger;
  }

  /** The one given back last is taken first; undefined where all are taken. Throws where no block can be held. */
  take(): Identity | undefined {
    while (this.#free.length === 0) {
      const block = this.#blocks.take();
      if (block === undefined) return undefined;
      this.#add(block.reverse());
    }
    const uid = this.#free.pop();
    return uid === undefined ? undefined : { uid, gid: uid };
  }

  /** Nothing runs as that user any more, and its folder is empty. */
  giveBack({ uid }: Identity): void {
    this.#add([uid]);
  }

  /** Everything that ran as one of them has ended, or will be seen by who takes them next. */
  close(): void {
    this.#free.length = 0;
    this.#closed = true;
    this.#blocks.close();
  }

  #add(uids: readonly number[]): void {
    const withKeys = this.#keyrings.withKeys(uids);
    this.#free.push(...uids.filter((uid) => !withKeys.includes(uid)));
    this.#withKeys.push(...withKeys);
    if (!this.#closed && !this.#clearing && this.#withKeys.length > 0) void this.#clear();
  }

  /** One command for all that have come up since the last. */
  async #clear(): Promise<void> {
    this.#clearing = true;
    while (this.#withKeys.length > 0) {
      const asked = this.#withKeys.splice(0);
      const cleared = await this.#keyrings.clear(asked);
      // They may be another's by now.
      if (this.#closed) return;
      this.#free.unshift(...cleared);
      if (cleared.length === asked.length) continue;
      this.#retired += asked.length - cleared.length;
      this.#logger?.warn(
        { retired: this.#retired },
        'users have kernel keys that cannot be removed, and are not used again',
      );
    }
    this.#clearing = false;
  }
}
