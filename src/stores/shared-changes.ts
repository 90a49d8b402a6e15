/**
 * A change of what all nodes have in memory: of a task, its aliases among them, of the quota of a tenant, a
 * breakpoint, or the quarantine of a task.
 */
export interface SharedChange {
  readonly kind: 'task' | 'quota' | 'breakpoint' | 'quarantine';
  /** The id of the task, the tenant, the id of the breakpoint, what is counted. */
  readonly key: string;
}

/** Changes that other nodes make. Where there is one node, there are none. */
export interface SharedChanges {
  /**
   * `applied` resolves when what is in memory is as the store has it; where it rejects, it is asked again. With undefined: all
   * of it.
   */
  onChange(applied: (change: SharedChange | undefined) => Promise<void>): void;
  /** Resolves when all nodes that live have seen what this one has changed. Rejects with StoreError. */
  settled(): Promise<void>;
}

export const noSharedChanges: SharedChanges = { onChange() {}, async settled() {} };
