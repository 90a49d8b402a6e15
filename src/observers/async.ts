import type { ExecutionRecord } from '../domain/execution.ts';
import type { LogCursor } from '../domain/log.ts';

/** Resolves as soon as the admission is durable, with the record as it is then. */
export function waitForAdmission(cursor: LogCursor): Promise<ExecutionRecord> {
  return cursor.admitted();
}
