import { tenantOf } from '../domain/scope.ts';
import type { Task } from '../domain/task.ts';
import type { TaskQuarantine } from '../domain/tasks.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Says that a task is quarantined, and why, or that it is not any more. */
export function logQuarantine(logger: Logger, task: Task, quarantine: TaskQuarantine | undefined): void {
  const { taskId, revision, definition } = task;
  const of = { tenant: tenantOf(task), taskId, task: definition.name, revision };
  if (quarantine === undefined) {
    logger.info(of, 'task is not quarantined any more');
    return;
  }
  const { failures, lastError, nextProbeAt } = quarantine;
  const next = nextProbeAt === undefined ? {} : { nextTryAt: new Date(nextProbeAt).toISOString() };
  logger.warn({ ...of, failures, error: lastError, ...next }, 'task is quarantined');
}
