/** What happens to one thing goes one after the other, whichever node of a cluster does it. */
export interface SharedTurns {
  /** Does `work` while no other node does something to the same thing. Rejects with StoreError where the turn never comes. */
  take<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

/** Of a node that shares its store with nobody. */
export const ownTurns: SharedTurns = { take: (_key, work) => work() };
