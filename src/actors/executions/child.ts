import type { ActorRefFrom } from 'xstate';
import type { ExecutionSnapshot, executionMachine } from '../../machines/execution.ts';
import type { ExecutionInput } from '../../machines/execution-context.ts';
import type { LiveLog } from '../log/live-log.ts';
import type { Stopwatch } from '../log/recorder.ts';

/** One live execution, as its supervisor knows it. */
export interface Child {
  readonly log: LiveLog;
  /** What its chart begins with; a snapshot is of one that goes on. */
  readonly input?: ExecutionInput;
  /** Its first attempt may start before the admission is durable, as nothing outside can notice. */
  readonly speculative: boolean;
  /** Somebody waits for the first events as they come. */
  readonly watched: boolean;
  readonly stopwatch: Stopwatch;
  /** Counts against the queue limit. */
  pending: boolean;
  actor?: ActorRefFrom<typeof executionMachine>;
  snapshot?: ExecutionSnapshot;
  /** The snapshot that the log's last transition brought it to; a patch is over this. */
  written?: ExecutionSnapshot;
}
