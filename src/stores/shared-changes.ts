/** A change of what all nodes have in memory: of a task, its aliases among them, or of the quota of a tenant. */
export interface SharedChange {
  readonly kind: 'task' | 'quota';
  /** The id of the task, the tenant. */
  readonly key: string;
}

/** Changes that other nodes make. Where there is one node, there are none. */
export interface SharedChanges {
  /**
   * `applied` resolves when what is in memory is as the store has it; where it rejects, it is asked again. With undefined: all
   * of it.
   */
  onChange(applied: (change: SharedChange | undefined) => Promise<void>): void;
}

export const noSharedChanges: SharedChanges = { onChange() {} };
