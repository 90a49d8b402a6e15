import { invalidArgument } from './errors.ts';
import type { AdmissionRequest } from './executions.ts';
import type { Timeouts } from './task.ts';

/**
 * A request may only shorten what the task says. Where neither names a total timeout, the default counts from the first
 * attempt on: what waits in a long queue would be over before it began. Throws invalid_argument.
 */
export function effectiveTimeouts(
  task: Timeouts,
  request: Timeouts,
  defaultTotalMs: number,
): AdmissionRequest['timeouts'] {
  const queueMs = shorter('queue', task.queueMs, request.queueMs);
  const attemptMs = shorter('attempt', task.attemptMs, request.attemptMs);
  const totalMs = shorter('total', task.totalMs ?? defaultTotalMs, request.totalMs) ?? defaultTotalMs;
  return {
    totalMs,
    ...(queueMs !== undefined && { queueMs }),
    ...(attemptMs !== undefined && { attemptMs }),
    ...((task.totalMs ?? request.totalMs) === undefined && { totalFrom: 'attempt' as const }),
  };
}

function shorter(name: string, task: number | undefined, request: number | undefined): number | undefined {
  if (task !== undefined && request !== undefined && request > task) {
    throw invalidArgument(
      `timeouts.${name}`,
      `is ${request} ms; a request may only shorten the task's ${task} ms`,
    );
  }
  return request ?? task;
}
