export interface Load {
  readonly running: number;
  readonly slots: number;
  /** Accepted and not running: queued, or waiting for a start time. */
  readonly pending: number;
  readonly queueLimit: number;
}

/** What becomes of a request: it runs at once, waits for a slot, or is refused for now. */
export function admissionRule(load: Load): 'run' | 'queue' | 'refuse' {
  if (load.pending === 0 && load.running < load.slots) return 'run';
  return load.pending < load.queueLimit ? 'queue' : 'refuse';
}
