import type { Identity } from './identity.ts';
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

/**
 * A user for each instance while it runs, so that instances can neither see into each other nor signal each other. All
 * are of blocks that no other node on the machine has.
 */
export class LeasedUsers {
  readonly #blocks: UserBlocks;
  /** The last is the next. */
  readonly #free: number[] = [];

  constructor(range = instanceUsers, folder?: string) {
    this.#blocks = new UserBlocks(range, folder);
  }

  /** The one given back last is taken first; undefined where all are taken. Throws where no block can be held. */
  take(): Identity | undefined {
    if (this.#free.length === 0) this.#free.push(...(this.#blocks.take() ?? []).reverse());
    const uid = this.#free.pop();
    return uid === undefined ? undefined : { uid, gid: uid };
  }

  /** Nothing runs as that user any more, and its folder is empty. */
  giveBack({ uid }: Identity): void {
    this.#free.push(uid);
  }

  /** Everything that ran as one of them has ended, or will be seen by who takes them next. */
  close(): void {
    this.#free.length = 0;
    this.#blocks.close();
  }
}
