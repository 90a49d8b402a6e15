export interface Load {
  readonly running: number;
  readonly slots: number;
  /** Accepted and not running: queued, or waiting for a start time. */
  readonly pending: number;
  readonly queueLimit: number;
}

/** What becomes of a request: it runs at once, waits for a slot, or is refused for now. */
export function admissionRule(load: Load): 'run' | 'queue' | 'refuse' {
  const free = Math.max(0, load.slots - load.running);
  if (load.pending < free) return 'run';
  // Some of those who are pending have only to be admitted to take the slots that are free.
  return load.pending < load.queueLimit + free ? 'queue' : 'refuse';
}
