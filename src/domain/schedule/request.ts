import type { Invocation } from '../execution.ts';
import type { AdmissionRequest } from '../executions.ts';
import { assertMayGive } from '../host-reach.ts';
import { executionLabels } from '../labels.ts';
import type { Task } from '../task.ts';
import type { Tasks } from '../tasks.ts';
import { effectiveTimeouts } from '../timeouts.ts';
import type { Overlap, ScheduledCall, ScheduleOwner } from './schedule.ts';

interface Asking {
  readonly schedule: string;
  readonly invocationId: string;
  readonly overlap: Overlap;
  readonly owner: ScheduleOwner;
  readonly tasks: Pick<Tasks, 'checkCall'>;
  /** Milliseconds; the total timeout of a task that names none. */
  readonly defaultTotalMs: number;
  /** What makes two calls of a task the same. */
  digestOf(taskId: string, invocation: Invocation): string;
}

/**
 * What a firing asks for, of its task as it is now. Throws what an invocation by the schedule's owner would be refused
 * with.
 */
export function firingRequest(
  task: Task,
  call: ScheduledCall,
  { schedule, invocationId, overlap, owner, tasks, defaultTotalMs, digestOf }: Asking,
): AdmissionRequest {
  const { definition } = task;
  const { invocation, timeouts, refuseIfLate, bypassCache = false } = call;
  assertMayGive(owner, definition, invocation.environment);
  const functionName = tasks.checkCall(task, invocation.functionName, invocation.parameters);
  const checked = { ...invocation, functionName };
  const labels = executionLabels(definition.labels, call.labels);
  const priority = call.priority ?? definition.priority;
  const fairnessKey = call.fairnessKey ?? definition.fairnessKey;
  return {
    task,
    mode: 'async',
    invocation: checked,
    invocationId,
    // Nobody else may use such an id: what has it is this firing, whatever its task was then.
    payloadDigest: firingDigest,
    metadata: call.metadata,
    timeouts: effectiveTimeouts(definition.timeouts, timeouts, defaultTotalMs),
    startAfterMs: 0,
    cancelOnDisconnect: false,
    by: `schedule ${schedule}`,
    schedule: { name: schedule, overlap },
    ...(definition.cache !== undefined && {
      cache: { key: digestOf(task.taskId, checked), bypass: bypassCache },
    }),
    ...(refuseIfLate !== undefined && { refuseIfLate }),
    ...(labels !== undefined && { labels }),
    ...(priority !== undefined && priority !== 'normal' && { priority }),
    ...(fairnessKey !== undefined && fairnessKey !== '' && { fairnessKey }),
  };
}

const firingDigest = '0'.repeat(64);
