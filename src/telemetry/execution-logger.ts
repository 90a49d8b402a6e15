import { originOf } from '../domain/errors.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { StoreObserver } from '../domain/node-feed.ts';
import type { Logger } from './logger.ts';

/** Says how executions ended: what the platform did wrong as a warning, everything else for who debugs. */
export function executionLogger(logger: Logger): StoreObserver {
  return {
    committed(record, events) {
      if (events.some(({ kind }) => kind === 'result')) logEnd(logger, record);
    },
  };
}

function logEnd(logger: Logger, record: ExecutionRecord): void {
  const { outcome } = record;
  if (outcome === undefined) return;
  const failed = outcome.status !== 'completed' ? outcome : undefined;
  const level = failed !== undefined && originOf(failed.code) === 'platform' ? 'warn' : 'debug';
  if (!logger.isLevelEnabled(level)) return;
  logger[level](
    {
      executionId: record.executionId,
      ...(record.tenant !== undefined && { tenant: record.tenant }),
      taskId: record.taskId,
      task: record.taskName,
      attempt: record.attempt,
      status: record.status,
      ...(failed !== undefined && { code: failed.code, error: failed.message }),
      queueTimeMs: record.queueTimeMs,
      executionTimeMs: Math.round(record.executionTimeMs),
    },
    'execution ended',
  );
}
