/** Work that one node does for all that use a store. */
export interface Duty {
  /** This node does it. It never does for two nodes that may write. */
  isMine(): boolean;
  /** Calls `listener` whenever that may have changed, and from time to time, as others may have left something to do. */
  onChange(listener: () => void): void;
}

/** Of a node that shares its store with nobody. */
export const ownDuty: Duty = { isMine: () => true, onChange() {} };
