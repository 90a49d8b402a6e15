import type { DatabaseSync } from 'node:sqlite';
import type { KeptLogs } from '../../store.ts';
import { nextPosition } from '../file/positions.ts';
import { Log } from '../read/log.ts';
import type { Reading } from '../read/reading.ts';
import type { Commits } from '../write/commits.ts';

/** @param hidden batches that are being staged: their members are not there for readers */
export function keptLogs(
  db: DatabaseSync,
  hidden: ReadonlySet<string>,
  reading: Reading,
  commits: Commits,
): KeptLogs {
  const log = new Log(db, hidden);
  return {
    events: (executionId, query) => reading.page('cannot read a log', () => log.events(executionId, query)),
    outline: async (executionId) => reading.now('cannot read a log', () => log.outline(executionId)),
    eventsFromPosition: async (from, limit) =>
      reading.now('cannot read the logs', () => log.fromPosition(from, limit)),
    changedSince: async (from, limit) =>
      reading.now('cannot read the logs', () => log.changedSince(from, limit)),
    lastPosition: async () => reading.now('cannot read the logs', () => nextPosition(db) - 1),
    stage: (executionId, events) => commits.stage(executionId, events),
    unstage: (executionId) => commits.unstage(executionId),
  };
}
