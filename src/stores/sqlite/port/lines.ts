import type { DatabaseSync } from 'node:sqlite';
import type { KeptLines } from '../../store.ts';
import { Dependencies } from '../read/dependencies.ts';
import type { Reading } from '../read/reading.ts';
import { WaitingLines } from '../read/waiting-lines.ts';

/** @param hidden batches that are being staged: their members are not there for readers */
export function keptLines(db: DatabaseSync, hidden: ReadonlySet<string>, reading: Reading): KeptLines {
  const lines = new WaitingLines(db, hidden);
  const dependencies = new Dependencies(db);
  return {
    waitingLines: async () => reading.now('cannot list what waits', () => lines.lines()),
    waiting: async (line, after, limit) =>
      reading.now('cannot list what waits', () => lines.line(line, after, limit)),
    waitingBetween: async (line, after, before, limit) =>
      reading.now('cannot count what waits', () => lines.between(line, after, before, limit)),
    waitingExecution: async (executionId) =>
      reading.now('cannot read an execution', () => lines.one(executionId)),
    waking: async (after, limit) => reading.now('cannot list alarms', () => lines.alarms(after, limit)),
    hasDependencies: async () => reading.now('cannot read what waits', () => dependencies.any()),
    blocked: async (executionId) =>
      reading.now('cannot read what waits', () => dependencies.blocked(executionId)),
    released: (afterId, limit) =>
      reading.list('cannot list what waits', () => dependencies.released(afterId, limit)),
    dependants: (executionId, afterId, limit) =>
      reading.list('cannot list what waits', () => dependencies.dependants(executionId, afterId, limit)),
  };
}
