/** Where an execution is in its life, as the page says it. */
import type { StatusName } from '../wire.ts';

export type Status = 'pending' | 'running' | 'completed' | 'failed' | 'timedOut' | 'cancelled';

/** In the order in which the page lists them. */
export const statuses: readonly Status[] = [
  'running',
  'pending',
  'failed',
  'timedOut',
  'cancelled',
  'completed',
];

const names: Readonly<Record<StatusName, Status>> = {
  EXECUTION_STATUS_UNSPECIFIED: 'pending',
  EXECUTION_STATUS_PENDING: 'pending',
  EXECUTION_STATUS_RUNNING: 'running',
  EXECUTION_STATUS_COMPLETED: 'completed',
  EXECUTION_STATUS_FAILED: 'failed',
  EXECUTION_STATUS_CANCELLED: 'cancelled',
  EXECUTION_STATUS_TIMED_OUT: 'timedOut',
};

/** For people. */
export const statusWords: Readonly<Record<Status, string>> = {
  pending: 'Pending',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  timedOut: 'Timed out',
  cancelled: 'Cancelled',
};

export function statusOf(name: string): Status {
  return names[name as StatusName] ?? 'pending';
}

/** A name on the wire that says where an execution is. */
export function isStatusName(name: unknown): name is StatusName {
  return typeof name === 'string' && name !== 'EXECUTION_STATUS_UNSPECIFIED' && Object.hasOwn(names, name);
}

/** The name on the wire. */
export function statusName(status: Status): StatusName {
  for (const [name, word] of Object.entries(names)) {
    if (word === status && name !== 'EXECUTION_STATUS_UNSPECIFIED') return name as StatusName;
  }
  return 'EXECUTION_STATUS_UNSPECIFIED';
}

export function isStatus(word: string): word is Status {
  return Object.hasOwn(statusWords, word);
}

/** It has ended, and nothing of it changes any more. */
export function isEnded(status: Status): boolean {
  return status !== 'pending' && status !== 'running';
}

/** Where a state of the execution chart belongs, such as `running.backingOff` to `running`. */
export function statusOfState(state: string): Status | undefined {
  const head = state.split('.', 1)[0] ?? '';
  return isStatus(head) ? head : undefined;
}
