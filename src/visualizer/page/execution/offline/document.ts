/** What a file holds, whichever of the two kinds it is. */
import type { EventLog } from '../../model/event-log.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import type { Invocation } from '../../model/invocation.ts';
import type { Signature } from '../../model/signature.ts';
import type { Task } from '../../model/task.ts';

export interface Document {
  readonly row: ExecutionRow;
  readonly log: EventLog;
  readonly invocation: Invocation | undefined;
  readonly task: Task | undefined;
  /** Nothing for what cannot be signed. */
  readonly signature: Signature | undefined;
  /** What is wrong with what could be read all the same; empty where nothing is. */
  readonly fault: string;
}

/** How many events are gathered before the log takes them. */
export const batchSize = 1000;
