import type { Identity } from './identity.ts';

/**
 * Numbers that have no name and no privileges: those that systemd keeps for its dynamic users, which every system may
 * use for the same purpose. Source: https://systemd.io/UIDS-GIDS/
 */
const first = 61_184;
const last = 64_999;

/** Those of instances of process tasks. */
const instanceUsers = { first, last };

/** Those of the node's own helpers that run guests: guest hosts. */
export const hostUsers = { first: 65_000, last: 65_519 };

/** What a program may do that runs as a leased user: it has the rights of everyone, and owns nothing. */
export const anyLeasedUser: Identity = { uid: first, gid: first };

/** A user for each instance while it runs, so that instances can neither see into each other nor signal each other. */
export class LeasedUsers {
  readonly #returned: number[] = [];
  readonly #last: number;
  #next: number;

  constructor(range = instanceUsers) {
    this.#next = range.first;
    this.#last = range.last;
  }

  /** The one given back last is taken first, as its folder is at hand; undefined where all are taken. */
  take(): Identity | undefined {
    const uid = this.#returned.pop() ?? (this.#next <= this.#last ? this.#next++ : undefined);
    return uid === undefined ? undefined : { uid, gid: uid };
  }

  /** Nothing runs as that user any more, and its folder is empty. */
  giveBack({ uid }: Identity): void {
    this.#returned.push(uid);
  }
}
